"""OBS1: the service exports metrics, and writes structured logs that carry a correlation id and no secret."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.delivery import FailedWork
from assay.scanner.model.log import (
    Breadth,
    ExceptHandler,
    HandlerEffect,
    HandlerExcuse,
    LogCall,
    LogFormat,
    LoggedData,
    LoggingSetup,
    MessageForm,
    PrintCall,
    PrintPlace,
    ProcessKind,
    Sensitivity,
)
from assay.scanner.model.service import Service
from assay.scanner.model.telemetry import MetricExport
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Evidence, Severity, Verdict, fail, not_applicable, passed, review


@rule("OBS101", severity=Severity.LOW, references=("https://docs.python.org/3/howto/logging.html#optimization",))
def interpolated_log_message(call: LogCall, service: Service) -> Verdict:
    """The text of a log message is built before the logger gets it.

    Why: each record has a text of its own, so that records can't be grouped, counted or searched by field.
    Fix: log a constant event and pass the values as arguments or fields.
    """
    if call.form is MessageForm.INTERPOLATED:
        if call.library is None:
            return review("is this a logger? If so, pass the values as arguments instead of in the text", call.message)
        if call.repeats_fields:
            return review("the fields say it all already: can the text be constant?", call.message)
        return fail("the message has its values inside; log a constant text and pass them as fields", call.message)
    if call.form is MessageForm.EXCEPTION:
        return review("the exception is the message: would a constant text with `exc_info` group better?", call.message)
    if call.form is MessageForm.VARIABLE:
        return review("the message is computed elsewhere: is it the same text each time?", call.message)
    return passed("the text is constant", call.message)


@rule("OBS102", severity=Severity.MEDIUM)
def print_instead_of_logger(call: PrintCall, service: Service) -> Verdict:
    """A serving process prints what it should log.

    Why: printed text has no level, time, logger or correlation id, and no configuration can route or silence it.
    Fix: use the module's logger.
    """
    evidence = Evidence(call.location, f"{call.callee} in {call.function}")
    if call.place in (PrintPlace.OFFLINE, PrintPlace.REDIRECTED):
        return not_applicable(_NOT_OUTPUT[call.place])
    if call.place is PrintPlace.SERVING:
        if call.logged_beside is not None:
            return review("it is logged as well: what is the print for?", evidence, call.logged_beside)
        return fail("use the module's logger instead of printing", evidence, *(v for v in (call.via,) if v))
    if call.place is PrintPlace.UNREACHED:
        return review("does a serving process get here? Then use the module's logger", evidence)
    return passed(_ALLOWED[call.place], evidence)


_NOT_OUTPUT = {
    PrintPlace.OFFLINE: "it runs from a command line, where printing is how one talks",
    PrintPlace.REDIRECTED: "it writes to a file or buffer",
}
_ALLOWED = {
    PrintPlace.DEBUGGING: "it prints in debug mode only",
    PrintPlace.LOG_HANDLER: "it stands in for the logging it is part of",
}


@rule("OBS103", severity=Severity.MEDIUM)
def logs_not_machine_readable(setup: LoggingSetup, service: Service) -> Verdict:
    """A process writes its logs as text that machines have to guess at.

    Why: records with line breaks fall apart, fields can't be searched, and alerts on logs break with each new wording.
    Fix: render one JSON object a line to standard output in every process.
    """
    here = Evidence(setup.location, f"{setup.label}")
    formatted = _sinks(setup, LogFormat.FORMATTED_JSON)
    if formatted:
        return fail("a quote in a message breaks this JSON; let a JSON formatter write it", *formatted)
    machine, plain = _sinks(setup, LogFormat.MACHINE), _sinks(setup, LogFormat.PLAIN)
    if machine:
        if setup.unrouted:
            return fail("some loggers reach no handler; give the root logger one", *setup.unrouted, *machine)
        if all(s.is_file for s in setup.sinks):
            return fail("the only handler writes a local file; write to standard output", *machine)
        return passed("records are rendered for machines", *machine)
    if plain:
        return fail("records are plain text; render one JSON object a line", *plain)
    if setup.sinks or setup.elsewhere:
        unsure = [s.evidence for s in setup.sinks] + list(setup.elsewhere)
        return review("the format is chosen outside the code: is it JSON in production?", *unsure)
    return fail("nothing configures logging; render one JSON object a line to standard output", here)


def _sinks(setup: LoggingSetup, wanted: LogFormat) -> list[Evidence]:
    return [s.evidence for s in setup.sinks if s.format is wanted]


@rule("OBS104", severity=Severity.HIGH)
def no_correlation_id_in_logs(setup: LoggingSetup, service: Service) -> Verdict:
    """The records of one request or message can't be told from those of others.

    Why: with several requests at once, nobody can follow one of them through the logs, let alone over services.
    Fix: bind an id in the first middleware and include it in the log format of every process.
    """
    here = Evidence(setup.location, f"{setup.label}")
    if setup.correlation:
        return passed("an id is attached to each record", *setup.correlation)
    others = [e for s in service.logging_setups if s is not setup for e in s.correlation]
    if others:
        return review("another process kind has an id in its records; why not this one?", here, *others)
    if setup.elsewhere:
        return review("logging is configured outside the code: with an id for each request?", *setup.elsewhere)
    if setup.tracker_ids:
        return review("only a tracker has ids: do they reach the logs?", here, *setup.tracker_ids)
    return fail("no request or task id reaches the log records; bind one in the first middleware", here)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """`personal` judges e-mail addresses, phone numbers, names and IP addresses too."""

    personal: bool = False


@rule("OBS105", severity=Severity.CRITICAL, cwe=(532,))
def secret_or_personal_data_logged(data: LoggedData, service: Service, options: PersonalData) -> Verdict:
    """A secret or personal data goes to the logs.

    Why: logs are copied to many places and read by many people, and what is in them can't be taken back.
    Fix: log an identifier or a fingerprint, and install a processor that redacts.
    """
    judged = {Sensitivity.CREDENTIAL, Sensitivity.PERSONAL} if options.personal else {Sensitivity.CREDENTIAL}
    told = [v for v in data.sensitive if v.sensitivity in judged]
    names = ", ".join(f"`{v.name}`" for v in told)
    if told and data.redaction is not None:
        return passed("secrets are masked before a record is written", data.redaction)
    certain = [v.evidence for v in told if v.is_certain]
    if certain:
        return fail(f"the log tells {names}; log an identifier or a fingerprint instead", *certain)
    if told:
        return review(f"is {names} a secret here?", *(v.evidence for v in told))
    if data.masked:
        return passed("the secret is masked", *data.masked)
    return passed("no value in it is a secret by name or origin", Evidence(data.location, "what it tells"))


@rule("OBS106", severity=Severity.HIGH, cwe=(390, 391))
def exception_swallowed(handler: ExceptHandler, service: Service) -> Verdict:
    """A handler catches everything and says nothing.

    Why: programming errors and outages look like success, and nobody can find out later what happened.
    Fix: catch the narrow type, or log with traceback and say why going on is right.
    """
    caught = Evidence(handler.location, "catches everything")
    if handler.breadth is Breadth.NARROW:
        return not_applicable("it catches named types only")
    exempt = handler.excuse(HandlerExcuse.PROBE, HandlerExcuse.FINALIZER, HandlerExcuse.DEBUGGING)
    if exempt is not None:
        return not_applicable(exempt[0], exempt[1])
    if any(f.outcome is FailedWork.SWALLOWED and f.location == handler.location for f in service.consumer_failures):
        return not_applicable("it ends the work of a consumer, which is judged as such", caught)
    visible = handler.effect(*(e for e in HandlerEffect if e is not HandlerEffect.REFUSES))
    if visible is not None:
        return passed("the exception stays visible", visible)
    refusal = handler.effect(HandlerEffect.REFUSES)
    if refusal is not None:
        return review("the client is refused whatever went wrong: can it be our own fault?", caught, refusal)
    excuse = handler.excuse(HandlerExcuse.COMMENT, HandlerExcuse.BEST_EFFORT, HandlerExcuse.FALLBACK)
    if excuse is not None:
        return review(f"nothing is logged, but {excuse[0]}: is that right for every exception?", caught, excuse[1])
    return fail("every exception vanishes here; catch the narrow type, or log it with its traceback", caught)


@rule("OBS107", severity=Severity.MEDIUM, references=("https://prometheus.io/docs/practices/instrumentation/",))
def process_exports_no_metrics(process: MetricExport, service: Service) -> Verdict:
    """Nothing tells in numbers how much a process does, how long that takes and how often it fails.

    Why: without these nobody can say whether it is slower or fails more often than yesterday, and no alert can ask.
    Fix: export counts, failures and durations of requests and tasks, at /metrics for Prometheus or through OTLP.
    """
    work = "requests" if process.kind is ProcessKind.WEB else "tasks"
    here = Evidence(process.location, f"the {process.kind} process")
    if process.exported:
        if process.kind is ProcessKind.WEB and not process.of_requests:
            return review("metrics are exported; are counts and durations of requests among them?", *process.exported)
        return passed(f"the {process.kind} process exports metrics", *process.exported)
    if process.doubtful:
        return review(f"do counts and durations of {work} leave this process where it runs?", *process.doubtful)
    if process.kept:
        return fail("metrics are kept, and nothing exposes or pushes them; add a /metrics endpoint", *process.kept)
    return fail(f"nothing exports counts and durations of {work}; add metrics that Prometheus or OTLP gets", here)
