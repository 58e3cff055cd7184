"""Logging: what a service records, what it prints instead, which exceptions it swallows, how its logs are set up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class MessageForm(StrEnum):
    """How the text of a log call comes about."""

    CONSTANT = "constant"
    """The same text at every call; values travel beside it, as arguments or fields."""
    INTERPOLATED = "interpolated"
    """Values are already in the text when the logger gets it."""
    VARIABLE = "variable"
    EXCEPTION = "exception"
    """The exception itself is the message."""


@dataclass(frozen=True, slots=True)
class LogCall:
    """One call of a logger's method that writes a record.

    `function` is `module:qualified.name` of where it is; `ordinal` counts the calls of that function from 1. `library`
    is None for something that bears a logger's name and methods but comes from code outside the tree. `message` points
    at the message argument. `repeats_fields` is set where an interpolated text says again what the fields beside it
    say. `handler` is the subject id of the innermost `except` handler around it.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    library: str | None
    level: str
    form: MessageForm
    message: Evidence
    has_fields: bool = False
    repeats_fields: bool = False
    has_traceback: bool = False
    handler: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:log call {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.level} call {self.ordinal} in {self.function}"


class PrintPlace(StrEnum):
    """Where a print runs."""

    SERVING = "serving"
    """In code that a route, a task or the application's start reaches."""
    UNREACHED = "unreached"
    """Nothing in the tree shows that a serving process gets there, nor that it doesn't."""
    OFFLINE = "offline"
    """A command line, a management command, a script or a migration."""
    DEBUGGING = "debugging"
    """Under a condition that is true in debug mode only."""
    LOG_HANDLER = "log handler"
    """Inside a logging handler, which can't log."""
    REDIRECTED = "redirected"
    """Into a file or buffer: no output of the process."""


@dataclass(frozen=True, slots=True)
class PrintCall:
    """One `print`, `pprint`, `traceback.print_exc` or `sys.stdout.write`.

    `via` is an entry point from which it is reached; `logged_beside` a log call among the statements around it.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    callee: str
    place: PrintPlace
    via: Evidence | None = None
    logged_beside: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:print {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.callee} in {self.function}"


class Sensitivity(StrEnum):
    """Whom it harms that a value is in the logs."""

    CREDENTIAL = "credential"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class SensitiveValue:
    """A value that a log line tells. `is_certain` is False where only a person can say what the value holds."""

    name: str
    sensitivity: Sensitivity
    evidence: Evidence
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class LoggedData:
    """The values that one log call or print tells; calls with constant text alone have none.

    `redaction` is what masks secrets in every record before it is written.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    sink: str
    sensitive: tuple[SensitiveValue, ...] = ()
    masked: tuple[Evidence, ...] = ()
    redaction: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:logged data {self.ordinal}"

    @property
    def label(self) -> str:
        return f"data of {self.sink} {self.ordinal} in {self.function}"


class Breadth(StrEnum):
    """How much a handler catches."""

    BARE = "bare"
    BROAD = "broad"
    NARROW = "narrow"


class HandlerEffect(StrEnum):
    """What makes a caught exception visible."""

    RAISES = "raises"
    EXITS = "ends the process"
    LOGS = "logs"
    PRINTS = "prints"
    REPORTS = "reports"
    COUNTS = "counts"
    ANSWERS = "gives an error result"
    REFUSES = "refuses the client"
    """A 4xx answer: the client sees that it failed, the operator doesn't see why."""


class HandlerExcuse(StrEnum):
    """Why a silent handler may be right."""

    PROBE = "it asks whether something can be imported or is supported"
    FINALIZER = "it runs while an object or the interpreter goes away"
    DEBUGGING = "it runs in debug mode only"
    COMMENT = "a comment explains it"
    BEST_EFFORT = "the work may fail without harm"
    FALLBACK = "something stands in for the result"


@dataclass(frozen=True, slots=True)
class ExceptHandler:
    """One `except` clause or `contextlib.suppress`.

    `effects` are what its body does with the exception, with the places; functions of the project that it calls count.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    types: tuple[str, ...]
    breadth: Breadth
    effects: tuple[tuple[HandlerEffect, Evidence], ...] = ()
    excuses: tuple[tuple[HandlerExcuse, Evidence], ...] = ()
    suppresses: bool = False
    """It is a `contextlib.suppress`."""

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{'suppress' if self.suppresses else 'handler'} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{'suppress' if self.suppresses else 'handler'} {self.ordinal} in {self.function}"

    def effect(self, *wanted: HandlerEffect) -> Evidence | None:
        return next((evidence for effect, evidence in self.effects if effect in wanted), None)

    def excuse(self, *wanted: HandlerExcuse) -> tuple[HandlerExcuse, Evidence] | None:
        return next((pair for pair in self.excuses if pair[0] in wanted), None)


@dataclass(frozen=True, slots=True)
class LoggedError:
    """A log call of level error or above inside an `except` clause.

    `types` are what the clause catches, `breadth` how much that is. `traceback` is what keeps where the exception came
    from, at the call or elsewhere in the clause; `goes_on` is what hands the exception itself on. `refusal` is the HTTP
    error that the client gets instead. `tells` says that the call tells at least the exception's text. `watched` is set
    to `migration` or `script` for what runs once before somebody's eyes.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    level: str
    types: tuple[str, ...]
    breadth: Breadth
    traceback: Evidence | None = None
    goes_on: Evidence | None = None
    refusal: Evidence | None = None
    tells: bool = False
    watched: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:logged error {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.level} call {self.ordinal} of the handlers in {self.function}"


class ProcessKind(StrEnum):
    """What a process of a service does all day."""

    WEB = "web"
    WORKER = "worker"


class LogFormat(StrEnum):
    """What one record looks like on its way out."""

    MACHINE = "machine-readable"
    """JSON, logfmt or a protocol such as OTLP."""
    PLAIN = "plain text"
    FORMATTED_JSON = "JSON by format string"
    """Quotes and line breaks in a message break it."""
    CONFIGURED = "configured"
    """Run-time configuration decides, and plain text is the default."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LogSink:
    """Where records go, and in which form. `is_file` is set for a local file."""

    format: LogFormat
    evidence: Evidence
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class LoggingSetup:
    """The production logging configuration of one process kind.

    `location` is the configuration's, or the application object's where nothing configures logging (then `sinks` and
    `elsewhere` are empty). `unrouted` are loggers in use that no handler of the configuration serves. `correlation`
    are the ids that reach each record. `tracker_ids` are ids that only an error tracker or an APM attaches.
    """

    kind: ProcessKind
    location: Location
    role: Role
    sinks: tuple[LogSink, ...] = ()
    elsewhere: tuple[Evidence, ...] = ()
    """Configuration that comes from outside the tree."""
    unrouted: tuple[Evidence, ...] = ()
    correlation: tuple[Evidence, ...] = ()
    tracker_ids: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"logging of the {self.kind} process"

    @property
    def label(self) -> str:
        return self.subject_id
