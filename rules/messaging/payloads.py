"""MQ2: messages are portable, handled idempotently, and their queues are watched."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.model.worker import Encoding, MessageSerializer
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, passed, review


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
