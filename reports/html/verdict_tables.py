"""All verdicts of a result as tables of numbers: findings with their evidence and code, the others in short."""

from __future__ import annotations

from collections.abc import Iterable

from assay.reports.html.code_lines import CodeLines
from assay.reports.html.columns import Table, packed
from assay.reports.html.inventory import Family, family_of
from assay.reports.html.strings import Strings
from assay.reports.plain import plain
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import Acceptance, JudgedVerdict, ScanResult, State
from assay.scanner.verdicts import Kind, Severity

__all__ = ["FAMILIES", "SEVERITIES", "VerdictTables"]

KINDS = (Kind.FAIL, Kind.REVIEW, Kind.PASS, Kind.NOT_APPLICABLE)
SEVERITIES = tuple(Severity)
STATES = tuple(State)
FAMILIES = tuple(Family)
"""What stands in a column is a place in one of these."""
NONE = -1
"""Stands in a column where there is nothing."""

_PLACE = ("path", "line", "column", "endLine", "endColumn")


class VerdictTables:
    """The tables of one result. Texts are numbers of `strings`; `acceptances` and `owners` are by their number."""

    def __init__(self, result: ScanResult, strings: Strings, *, has_code: bool) -> None:
        self._result = result
        self._strings = strings
        self._services = {service.name: n for n, service in enumerate(result.services)}
        self._rules = {rule.code: n for n, rule in enumerate(result.rules)}
        self._subjects: dict[tuple[str, str, str, str, int], int] = {}
        self._evidence = Table(*_PLACE, "text")
        self.acceptances: dict[Acceptance, int] = {}
        self.owners: dict[tuple[str, ...], int] = {}
        findings = result.findings
        self._lines = CodeLines.of(result, findings if has_code else (), strings)
        self.findings = self._findings(findings, has_code=has_code)
        self.others = self._others(v for v in result.verdicts if not v.is_finding)
        self.evidence = self._evidence.packed()
        self.subjects = self._subject_table().packed()
        self.code = {name: packed(getattr(self._lines, name)) for name in ("path", "number", "text", "colours", "left")}

    def _findings(self, findings: Iterable[JudgedVerdict], *, has_code: bool) -> dict[str, object]:
        """Worst first. Evidence of a finding goes on to where its flows or the next finding's evidence begin; its code
        is so many `ranges` of `lines`, each by its first line and how many.
        """
        table = Table(
            *("rule", "kind", "severity", "subject", *_PLACE, "message", "state", "acceptance", "lapsed", "owners"),
            *("evidence", "ranges"),
        )
        fingerprints: list[str] = []
        lines: list[int] = []
        flows: dict[str, list[int]] = {}
        for number, finding in enumerate(findings):
            shown = self._lines.ranges(finding, self._result.sources) if has_code else []
            table.add(
                self._rules[finding.rule],
                KINDS.index(finding.kind),
                SEVERITIES.index(finding.severity),
                self._subject(finding),
                *self._place(finding.location),
                self._strings.number(finding.message),
                NONE if finding.state is None else STATES.index(finding.state),
                self._acceptance(finding.acceptance),
                self._acceptance(finding.lapsed),
                self._owner(finding.location.path),
                len(self._evidence),
                len(shown),
            )
            fingerprints.append(plain(finding.fingerprint))
            lines += shown
            self._add_evidence(finding.evidence)
            if finding.flows:
                flows[str(number)] = self._flows(finding)
        return {**table.packed(), "lines": packed(lines), "fingerprint": fingerprints, "flows": flows}

    def _flows(self, finding: JudgedVerdict) -> list[int]:
        """Where each flow begins in the table of evidence, and where the last one ends."""
        starts = [len(self._evidence)]
        for flow in finding.flows:
            self._add_evidence(flow)
            starts.append(len(self._evidence))
        return starts

    def _others(self, verdicts: Iterable[JudgedVerdict]) -> dict[str, str]:
        """What is no finding; `proofs` counts the rows of evidence, which are in columns of their own."""
        table = Table("rule", "kind", "subject", "message", "proofs")
        proofs = Table("proofPath", "proofLine", "proofText")
        for verdict in verdicts:
            table.add(
                self._rules[verdict.rule],
                KINDS.index(verdict.kind),
                self._subject(verdict),
                self._strings.number(verdict.message),
                len(verdict.evidence),
            )
            for step in verdict.evidence:
                place = step.location
                proofs.add(self._strings.number(place.path), place.line, self._strings.number(step.text))
        return table.packed() | proofs.packed()

    def _subject_table(self) -> Table:
        table = Table("service", "family", "kind", "label", "path", "line")
        for service, kind, label, path, line in self._subjects:
            table.add(
                self._services.get(service, NONE),
                FAMILIES.index(family_of(kind)),
                self._strings.number(kind),
                self._strings.number(label),
                self._strings.number(path),
                line,
            )
        return table

    def _add_evidence(self, steps: Iterable[Evidence]) -> None:
        for step in steps:
            self._evidence.add(*self._place(step.location), self._strings.number(step.text))

    def _place(self, place: Location) -> tuple[int, int, int, int, int]:
        return self._strings.number(place.path), place.line, place.column, place.end_line, place.end_column

    def _subject(self, verdict: JudgedVerdict) -> int:
        kind, label = verdict.subject.kind, verdict.subject.label
        key = (verdict.service, kind, label, verdict.location.path, verdict.location.line)
        return self._subjects.setdefault(key, len(self._subjects))

    def _acceptance(self, said: Acceptance | None) -> int:
        return NONE if said is None else self.acceptances.setdefault(said, len(self.acceptances))

    def _owner(self, path: str) -> int:
        owners = self._result.owners.get(path)
        return NONE if not owners else self.owners.setdefault(owners, len(self.owners))
