"""SEC1: what a client sends is validated, and never becomes part of a language that something else interprets."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.model.sql import SqlSite, trail_of
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_CHEAT_SHEET = "https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html"


@rule("SEC101", severity=Severity.CRITICAL, cwe=(89,), references=("CWE-89", _CHEAT_SHEET))
def sql_injection(site: SqlSite, service: Service) -> Verdict:
    """Text that a client sends becomes part of an SQL statement.

    Why: whoever sends it can read, change or delete every row that the service's database user can reach.
    Fix: pass values as parameters of the statement, and choose identifiers from a fixed set or quote them with the
    driver's own quoting.
    """
    if site.remote_holes:
        names = ", ".join(f"`{hole.name}`" for hole in site.remote_holes)
        if not site.certain:
            return review(f"does this version take {names} as SQL text?", *trail_of(site.remote_holes))
        return fail(f"a client's text reaches the statement: pass {names} as a parameter", *trail_of(site.remote_holes))
    if site.offline is not None:
        return not_applicable(f"no client reaches it: {site.offline}")
    if site.is_given_whole and site.unsettled_holes:
        return review("where does this statement's text come from?", *trail_of(site.unsettled_holes))
    if site.unsettled_holes:
        return not_applicable("no client's text is known to reach it; SEC116 judges how it is built")
    return passed("no client's text becomes part of the statement", *site.proof)


@rule("SEC116", severity=Severity.MEDIUM, cwe=(89,), references=("CWE-89", _CHEAT_SHEET))
def sql_text_built_from_strings(site: SqlSite, service: Service) -> Verdict:
    """Values are formatted into the text of an SQL statement.

    Why: one quote in a value breaks the statement, the next caller makes it an injection, and the database can't reuse
    its plan.
    Fix: put a placeholder where the value goes, and hand the value to the driver beside the text.
    """
    if site.is_constant or site.is_built_by_library:
        return not_applicable("its text isn't built from strings")
    if site.remote_holes:
        return not_applicable("a client's text reaches it: judged by SEC101")
    if site.offline is not None:
        return not_applicable(f"no client reaches it: {site.offline}")
    if site.is_given_whole:
        return not_applicable("its text is built elsewhere: SEC101 asks where it comes from")
    if site.formatted_values:
        names = ", ".join(f"`{hole.name}`" for hole in site.formatted_values)
        return fail(
            f"bind {names} as a parameter instead of formatting it into the text", *trail_of(site.formatted_values)
        )
    if site.configured_values:
        return review("can this configured value be bound as a parameter?", *trail_of(site.configured_values))
    if site.unsettled_holes:
        names = ", ".join(f"`{hole.name}`" for hole in site.unsettled_holes)
        return review(f"is {names} one of a fixed set of names or clauses?", *trail_of(site.unsettled_holes))
    return passed("only fixed, typed or quoted parts are put into its text", *site.proof)
