"""The standard to read: the list of `assay rules`, and one page of `assay explain`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.console import Console

from assay.reports import figures
from assay.reports.jsontext import json_text
from assay.reports.screen import Screen
from assay.scanner.pages import PrinciplePage, SectionPage, StandardPages
from assay.scanner.results import RuleInfo
from assay.scanner.verdicts import Severity

SCHEMA_VERSION = "1.0"
CWE_URL = "https://cwe.mitre.org/data/definitions/{}.html"

_NAME_INDENT = 10
_SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}


def render(pages: StandardPages, console: Console) -> None:
    """The whole standard, one line a rule."""
    screen = Screen(console)
    screen.line(f"The standard, edition {pages.edition}: {_counts(pages, is_own=False)}", style="bold")
    if any(section.is_own for section in pages.sections):
        screen.line(f"Rules of your own: {_counts(pages, is_own=True)}", style="bold")
    for section in pages.sections:
        screen.line()
        screen.line((f"{section.id}  {section.title}", "bold"), (f"   {_share(section)}", "dim"))
        for principle in section.principles:
            _principle_line(principle, screen)
    screen.line()
    screen.line(
        f"bandit and radon advise beside it, with {figures.count(len(pages.checks), 'check')}   "
        "One in full: assay explain CODE",
        style="dim",
    )


def as_json(pages: StandardPages) -> str:
    """The same for programs, with every word of the documentation."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "edition": pages.edition,
            "sections": [_section_json(section) for section in pages.sections],
            "checks": [_check_json(check) for check in pages.checks],
        }
    )


def codes(pages: StandardPages) -> list[str]:
    """Everything that `explain` knows, sorted."""
    return sorted(
        [
            *(section.id for section in pages.sections),
            *(principle.id for principle in _principles(pages)),
            *(rule.code for rule in _rules(pages)),
            *(check.code for check in (*pages.checks, *pages.on_comments)),
        ]
    )


def explain(pages: StandardPages, code: str, console: Console) -> bool:
    """Show the section, principle, rule or check of that code in full; False where there is none."""
    screen = Screen(console)
    for section in pages.sections:
        if section.id == code:
            _explain_section(section, screen)
            return True
    for principle in _principles(pages):
        if principle.id == code:
            _explain_principle(principle, screen)
            return True
    for rule in _rules(pages):
        if rule.code == code:
            _explain_rule(rule, pages, screen)
            return True
    for rule in pages.on_comments:
        if rule.code == code:
            _explain_rule_on_comments(rule, screen)
            return True
    for check in pages.checks:
        if check.code == code:
            _explain_check(check, pages, screen)
            return True
    return False


def _counts(pages: StandardPages, *, is_own: bool) -> str:
    sections = [section for section in pages.sections if section.is_own is is_own]
    principles = [principle for section in sections for principle in section.principles]
    return ", ".join(
        [
            figures.count(len(sections), "section"),
            figures.count(len(principles), "principle"),
            figures.count(sum(len(p.rules) for p in principles), "rule"),
        ]
    )


def _share(section: SectionPage) -> str:
    """What it counts in the overall score. The standard's sections weigh 100 together, one's own come on top."""
    if not section.is_own:
        return f"{section.weight:g} % of the score"
    return f"weighs {section.weight:g} in the score, the standard 100" if section.weight else "not in the score"


def _principles(pages: StandardPages) -> Iterator[PrinciplePage]:
    for section in pages.sections:
        yield from section.principles


def _rules(pages: StandardPages) -> Iterator[RuleInfo]:
    for principle in _principles(pages):
        yield from principle.rules


def _principle_line(principle: PrinciplePage, screen: Screen) -> None:
    status = () if principle.rules else (("   " + _without_rules(principle), "dim"),)
    screen.line(f"{principle.id:<8}{principle.title}", *status, indent=2)
    _rule_lines(principle, screen)


def _rule_lines(principle: PrinciplePage, screen: Screen) -> None:
    for rule in principle.rules:
        severity = (f"{rule.severity.value:<10}", _SEVERITY_STYLES[rule.severity])
        screen.line(f"{rule.code:<9}", severity, rule.name, indent=_NAME_INDENT)


def _without_rules(principle: PrinciplePage) -> str:
    return "no rule yet; needs attestation" if principle.attested else "no rule yet"


def _explain_section(section: SectionPage, screen: Screen) -> None:
    screen.line(f"{section.id} {section.title}", style="bold")
    screen.line(_share(section))
    screen.line()
    for principle in section.principles:
        _principle_line(principle, screen)


def _explain_principle(principle: PrinciplePage, screen: Screen) -> None:
    screen.line(f"{principle.id} {principle.title}", style="bold")
    if principle.statement.rstrip(".") != principle.title:
        screen.line(principle.statement)
    screen.line()
    _field("weight", f"{principle.weight:g} within its section", screen)
    if principle.attested:
        _field("needs", "a person's word where no subject can be judged: code alone can't show it", screen)
    if not principle.rules:
        _field("rules", "no rule yet", screen)
        return
    screen.line()
    screen.line("Rules", style="bold")
    for rule in principle.rules:
        screen.line(
            f"{rule.code:<9}", (f"{rule.severity.value:<10}", _SEVERITY_STYLES[rule.severity]), rule.name, indent=2
        )
        screen.line((rule.title, "dim"), indent=21)


def _explain_rule(rule: RuleInfo, pages: StandardPages, screen: Screen) -> None:
    _head(rule, pages, screen)
    if rule.is_preview:
        _field("preview", "shown, and counted neither in scores nor at the gate", screen)
    _field("judges", f"every {rule.subject}", screen)
    _why_and_fix(rule, screen)
    if rule.options:
        screen.line()
        screen.line("Options", style="bold")
        for option in rule.options:
            screen.line(f"{option.name} = {option.default}", indent=2)
        screen.line((f"set them in assay.toml, in [rules.{rule.code}]", "dim"), indent=2)
    if rule.references:
        screen.line()
        screen.line("References", style="bold")
        for reference in rule.references:
            screen.line(reference, indent=2)


def _explain_check(check: RuleInfo, pages: StandardPages, screen: Screen) -> None:
    _head(check, pages, screen)
    _field("kind", "advice of an analyzer: shown for review, never counted in a score", screen)
    _why_and_fix(check, screen)


def _explain_rule_on_comments(rule: RuleInfo, screen: Screen) -> None:
    _title(rule, screen)
    _field("kind", "advice on comments that ignore findings, never counted in a score", screen)
    _why_and_fix(rule, screen)


def _title(rule: RuleInfo, screen: Screen) -> None:
    screen.line(f"{rule.code} {rule.name}", style="bold")
    screen.line(rule.title)
    screen.line()
    _field("severity", (rule.severity.value, _SEVERITY_STYLES[rule.severity]), screen)


def _head(rule: RuleInfo, pages: StandardPages, screen: Screen) -> None:
    principle = next(p for p in _principles(pages) if p.id == rule.principle)
    _title(rule, screen)
    _field("principle", f"{principle.id} {principle.title}", screen)
    for number in rule.cwe:
        _field("weakness", f"CWE-{number}  {CWE_URL.format(number)}", screen)


def _why_and_fix(rule: RuleInfo, screen: Screen) -> None:
    for heading, text in (("Why", rule.why), ("Fix", rule.fix)):
        screen.line()
        screen.line(heading, style="bold")
        screen.line(text, indent=2)


def _field(name: str, value: str | tuple[str, str], screen: Screen) -> None:
    screen.line((f"{name:<11}", "dim"), value)


def _section_json(section: SectionPage) -> dict[str, object]:
    return {
        "id": section.id,
        "title": section.title,
        "weight": section.weight,
        "own": section.is_own,
        "principles": [
            {
                "id": principle.id,
                "title": principle.title,
                "statement": principle.statement,
                "weight": principle.weight,
                "attested": principle.attested,
                "rules": [_rule_json(rule) for rule in principle.rules],
            }
            for principle in section.principles
        ],
    }


def _rule_json(rule: RuleInfo) -> dict[str, object]:
    told: dict[str, object] = msgspec.to_builtins(rule)
    return told | {"options": {option.name: option.default for option in rule.options}}


def _check_json(check: RuleInfo) -> dict[str, object]:
    """An analyzer says neither what it judges nor what can be set."""
    told: dict[str, object] = msgspec.to_builtins(check)
    return {name: value for name, value in told.items() if name not in ("subject", "options")}
