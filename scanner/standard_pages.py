"""The rulebook and the analyzers' checks as pages to read: what `assay rules` and `assay explain` show."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from assay.scanner.acceptance import meta
from assay.scanner.analyzers.advisories import Check, rule_infos
from assay.scanner.model.subject import noun_of
from assay.scanner.pages import PrinciplePage, SectionPage, StandardPages
from assay.scanner.results import RuleInfo, RuleOption
from assay.scanner.rulebook import Rule, Rulebook


def standard_pages(rulebook: Rulebook, checks: Mapping[str, Check]) -> StandardPages:
    """Every section, principle and rule in the standard's order; severities and options are the defaults."""
    sections = tuple(
        SectionPage(
            section.id,
            section.title,
            section.weight,
            tuple(
                PrinciplePage(
                    principle.id,
                    principle.title,
                    principle.statement,
                    principle.weight,
                    principle.attested,
                    tuple(rule_info(rule) for rule in rulebook.of_principle(principle.id)),
                )
                for principle in section.principles
            ),
            section.is_own,
        )
        for section in rulebook.standard.sections
    )
    return StandardPages(rulebook.standard.edition, sections, rule_infos(checks, checks), meta.RULES)


def rule_info(rule: Rule, is_preview: bool | None = None, options: object = None) -> RuleInfo:
    """A rule as reports show it; `options` are the values that it is judged by, by default its own."""
    fields = dataclasses.fields(rule.options_type) if rule.options_type is not None else ()
    return RuleInfo(
        code=rule.code,
        name=rule.name,
        title=rule.title,
        principle=rule.principle,
        severity=rule.severity,
        cwe=rule.cwe,
        why=rule.why,
        fix=rule.fix,
        references=rule.references,
        since=rule.since,
        is_preview=rule.is_preview if is_preview is None else is_preview,
        subject=noun_of(rule.subject_type),
        options=tuple(
            RuleOption(field.name, _toml(field.default), _toml(getattr(options, field.name, field.default)))
            for field in fields
        ),
    )


def _toml(value: object) -> str:
    """Numbers, booleans, texts and lists of them are written alike in JSON."""
    return json.dumps(value)
