"""What the configuration names, held against the rulebook: rules, their options, sections, principles, the edition."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping

from assay.scanner.config.conversion import convert
from assay.scanner.config.documents import nearest
from assay.scanner.config.gate import GateConfig, ServiceGate
from assay.scanner.config.lines import KeyPath
from assay.scanner.config.merging import Merged
from assay.scanner.config.structure import Config, OptionValue
from assay.scanner.rulebook import CODE, Rule, Rulebook

_ANALYZER_CODE = re.compile(r"B\d{3}|RADON-[A-Z]+")


def check(merged: Merged, config: Config, rulebook: Rulebook) -> None:
    """Raises ConfigError for the first name that the rulebook doesn't know."""
    _Check(merged, rulebook, rulebook.by_code()).everything(config)


@dataclasses.dataclass(frozen=True, slots=True)
class _Check:
    merged: Merged
    rulebook: Rulebook
    rules: Mapping[str, Rule]

    def everything(self, config: Config) -> None:
        self._disabled()
        for code, configured in config.rules.rules.items():
            self._rule(("rules", code))
            self._options(self.rules[code], configured.options)
        self._edition(config.edition)
        self._limits(("gate",), config.gate)
        for code in config.gate.rules:
            self._rule(("gate", "rules", code))
        for name, service in config.services.items():
            self._limits(("services", name, "gate"), service.gate)
        for principle in config.attestations:
            self._attestation(("attestations", principle))

    def _disabled(self) -> None:
        rules = self.merged.values.get("rules", {})
        for index, code in enumerate(rules.get("disable", ())):
            if code not in self.rules and not _ANALYZER_CODE.fullmatch(code):
                path = ("rules", "disable", index)
                raise self.merged.error(path, f"there is no rule {code}{self._meant(code)}")

    def _rule(self, path: KeyPath) -> None:
        code = str(path[-1])
        if code in self.rules:
            return
        if _ANALYZER_CODE.fullmatch(code):
            raise self.merged.error(path, "an analyzer's check never counts; all that can be set is [rules] disable")
        if CODE.fullmatch(code) is None:
            raise self.merged.error(path, "that is no rule code; one looks like API402", self.rules)
        raise self.merged.error(path, f"there is no such rule{self._meant(code)}")

    def _meant(self, code: str) -> str:
        """The end of a message on a rule that there isn't."""
        match = CODE.fullmatch(code)
        if match is None or match["section"] in self._sections:
            return nearest(code, self.rules)
        return "; rules of your own are read with --rules"

    @property
    def _sections(self) -> list[str]:
        return [section.id for section in self.rulebook.standard.sections]

    def _options(self, rule: Rule, options: Mapping[str, OptionValue]) -> None:
        fields = [field.name for field in dataclasses.fields(rule.options_type)] if rule.options_type else []
        path = ("rules", rule.code)
        for name in options:
            if name not in fields:
                raise self.merged.error((*path, name), f"{rule.code} has no such option", (*fields, "severity"))
        if rule.options_type is not None:
            convert(self.merged, dict(options), rule.options_type, path)

    def _edition(self, edition: str | None) -> None:
        editions = self.rulebook.standard.editions
        if edition is not None and edition not in editions:
            held = f"edition {editions[0]!r}" if len(editions) == 1 else f"the editions {', '.join(editions)}"
            raise self.merged.error(("edition",), f"this version of Assay holds {held}, not {edition!r}")

    def _limits(self, path: KeyPath, gate: GateConfig | ServiceGate) -> None:
        sections, principles = self._sections, self.rulebook.standard.principles
        for name in gate.sections:
            self._name((*path, "sections", name), "section", sections, {"principle": principles, "rule": self.rules})
        for name in gate.principles:
            self._name((*path, "principles", name), "principle", principles, {"section": sections, "rule": self.rules})

    def _attestation(self, path: KeyPath) -> None:
        principles = self.rulebook.standard.principles
        self._name(path, "principle", principles, {"rule": self.rules})

    def _name(self, path: KeyPath, what: str, known: Iterable[str], others: Mapping[str, Collection[str]]) -> None:
        """`others` are names that are known, but as something else."""
        name = str(path[-1])
        known = list(known)
        if name in known:
            return
        for other, names in others.items():
            if name in names:
                raise self.merged.error(path, f"{name} is a {other}, and this takes a {what}")
        hint = nearest(name, known) or f"; the {what}s are {', '.join(known)}"
        raise self.merged.error(path, f"the standard has no such {what}{hint}")
