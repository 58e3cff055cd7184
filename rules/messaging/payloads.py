"""MQ2: messages are portable, handled idempotently, and their queues are watched."""

from __future__ import annotations

from assay.scanner.model.message import Message, RepeatedRun
from assay.scanner.model.service import Service
from assay.scanner.model.worker import Encoding, MessageSerializer
from assay.scanner.model.worker_app import WorkerApp
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_PROVING = frozenset({"token", "otp", "code", "totp", "pin"})
_OPENING = frozenset({"access", "refresh", "bearer", "auth", "oauth", "api", "session", "id", "service"})


@rule(
    "MQ201",
    severity=Severity.HIGH,
    cwe=(502,),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/security.html#serializers",
        "https://python-rq.org/docs/#security-considerations",
        "https://docs.python.org/3/library/pickle.html#module-pickle",
        "OWASP Top 10 2021 A08",
    ),
)
def code_executing_serializer(serializer: MessageSerializer, service: Service) -> Verdict:
    """Messages are pickled: who can write to the broker runs code in the workers.

    Why: a pickle is a program that runs when it is read. One broker that is reachable, or one request that gets into
    it, and each worker runs what somebody else wrote; and a new version of a class can't read the messages of the old.
    Fix: send plain data as JSON, with ids instead of objects, and accept no other content type.
    """
    what = f"{serializer.name} runs code" if serializer.name is not None else "this runs code"
    match serializer.encoding:
        case Encoding.CODE if serializer.is_default:
            return fail(f"{serializer.framework} pickles messages by default; give it JSON", *serializer.evidence)
        case Encoding.CODE:
            return fail(f"{what} as it is read; send plain data as JSON, and accept nothing else", *serializer.evidence)
        case Encoding.SIGNED_CODE:
            return review("does a key that nobody else has sign these pickles?", *serializer.evidence)
        case Encoding.UNKNOWN:
            return review("does this serializer make plain data, without pickling?", *serializer.evidence)
    return passed("messages are plain data", *serializer.evidence)


@rule(
    "MQ206",
    severity=Severity.MEDIUM,
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/monitoring.html",
        "https://python-rq.org/docs/monitoring/",
        "https://dramatiq.io/advanced.html#prometheus-metrics",
    ),
)
def queue_not_monitored(app: WorkerApp, service: Service) -> Verdict:
    """Nobody notices when tasks wait or fail.

    Why: work in a queue fails without anybody waiting for it. Workers that stopped yesterday are noticed when the
    first customer asks for the mail that never came, and by then a day of work waits.
    Fix: export how many tasks wait in each queue, how long the oldest has waited and how many fail, and alert on them.
    """
    if app.backlog and app.failures:
        return passed("what waits and what fails is told", *app.backlog[:2], *app.failures[:2])
    if app.backlog:
        return review(f"what tells that {app.work} fail?", *app.backlog)
    if app.failures:
        return review(f"what tells that {app.work} wait and nobody takes them?", *app.failures[:2], *app.looked_at[:1])
    if app.looked_at:
        return review(f"does anything tell when {app.work} wait or fail, unasked?", *app.looked_at)
    return fail(f"nothing tells when {app.work} wait or fail; export both and alert on them")


@rule(
    "MQ202",
    severity=Severity.MEDIUM,
    cwe=(502, 770),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#state",
        "https://dramatiq.io/best_practices.html#concurrency-and-idempotency",
        "https://www.enterpriseintegrationpatterns.com/patterns/messaging/StoreInLibrary.html",
    ),
)
def object_or_bulk_in_payload(message: Message, service: Service) -> Verdict:
    """An object that belongs to a process, or very much data, is put into a message.

    Why: the worker gets a copy of what a row was when it was sent, and writes that back over what others have changed;
    a file, a request or an exception can't be read on another machine, and megabytes of data fill the broker.
    Fix: send identifiers and plain values, and have the worker read the rest; keep files in a store, and send the key.
    """
    if not message.arguments:
        return not_applicable("nothing travels in it, as far as can be told")
    if message.unfit:
        what = ", ".join(dict.fromkeys(value.content for value in message.unfit))
        text = f"the message carries {what}; send an identifier, and read it in the worker"
        return fail(text, *(value.evidence for value in message.unfit))
    return passed("plain values travel in it, as far as can be told", message.arguments[0].evidence)


@rule(
    "MQ203",
    severity=Severity.HIGH,
    cwe=(312, 522, 532),
    references=(
        "OWASP Top 10 2021 A02",
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#hiding-sensitive-information-in-arguments",
    ),
)
def secret_in_message(message: Message, service: Service) -> Verdict:
    """A credential, or all headers of a request, travels through the broker.

    Why: a message is kept in the broker, shown by its consoles, written into logs of workers and into tables of
    results, and copied to a dead-letter queue: all places that nobody protects as a store of secrets.
    Fix: send an identifier by which the worker reads the secret, or send its hash.
    """
    if not message.arguments:
        return not_applicable("nothing travels in it, as far as can be told")
    names = ", ".join(f"`{value.name}`" if " " not in value.name else value.name for value in message.secrets)
    shown = [value.evidence for value in message.secrets]
    if message.secrets and message.delivers is not None and all(_is_one_time(v.name) for v in message.secrets):
        return review(f"can {names} be used once only, and for minutes only?", *shown, message.delivers)
    if message.secrets:
        return fail(f"{names} can be read in the broker; send an identifier, or a hash", *shown)
    if message.masked:
        return passed("the secret is masked", *message.masked)
    return passed("no value in it is a secret by name or origin", message.arguments[0].evidence)


def _is_one_time(name: str) -> bool:
    """What mails deliver to prove that somebody reads them: no password, no key, nothing that opens an account."""
    words = name.lower().split("_")
    return words[-1] in _PROVING and _OPENING.isdisjoint(words)


@rule(
    "MQ204",
    severity=Severity.HIGH,
    cwe=(841, 837),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#tasks",
        "https://dramatiq.io/best_practices.html#concurrency-and-idempotency",
        "https://www.enterpriseintegrationpatterns.com/patterns/messaging/IdempotentReceiver.html",
    ),
)
def consumer_not_idempotent(run: RepeatedRun, service: Service) -> Verdict:
    """A consumer does something for good, then may fail, and does it again when it is run again.

    Why: what sends a message again can't know how far the first run came. Each run that fails behind a mail, a charge
    or a new row makes one more of them, and the customer gets them all.
    Fix: note the message's id in the same transaction as what is done, and skip what is noted; or put what may fail
    first, and what can't be taken back into a task of its own.
    """
    if not run.repeated:
        return not_applicable("nothing gives it the same message again, as far as can be told")
    if run.lasting is not None and run.later is not None:
        shown = (*run.steps, run.lasting, run.later, *run.repeated)
        text = f"{run.lasting.text}, and once more when what follows fails; make sure that it is done once only"
        return fail(text, *shown)
    if run.guard is not None:
        return passed("what can't be done twice is done once only", run.guard, *run.repeated)
    if run.lasting is not None:
        return passed("nothing that makes it run again follows what lasts", run.lasting, *run.repeated)
    return not_applicable("it does nothing that a second run would do once more, as far as can be told", *run.repeated)
