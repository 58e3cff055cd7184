"""Results of tests in JUnit's XML, as pytest (`--junitxml`), Django runners and others write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.scanner.evidence import xml
from assay.scanner.evidence.figures import JunitReport
from assay.scanner.evidence.parsing import problem, time_of_text


def read(data: bytes) -> JunitReport:
    """Read the file. Raises ReadProblem."""
    seen = _Seen()
    xml.walk(data, seen.start)
    if not seen.is_report:
        raise problem("it holds no <testsuite>; name the JUnit report of a test run")
    return JunitReport("JUnit", seen.made, seen.tests, seen.failures, seen.errors, seen.skipped)


@dataclass(slots=True)
class _Seen:
    """What of the document went by. Cases are counted, because suites nest and count those of others again."""

    is_report: bool = False
    made: str = ""
    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0

    def start(self, name: str, attributes: Mapping[str, str], line: int) -> None:
        if name in ("testsuite", "testsuites"):
            self.is_report = True
            self.made = self.made or time_of_text(attributes.get("timestamp"))
        elif name == "testcase":
            if not self.is_report:
                raise problem("a <testcase> stands outside of every <testsuite>", line)
            self.tests += 1
        elif name == "failure":
            self.failures += 1
        elif name == "error":
            self.errors += 1
        elif name == "skipped":
            self.skipped += 1
