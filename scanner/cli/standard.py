"""`assay rules` and `assay explain`: the standard to read."""

from __future__ import annotations

from pathlib import Path

import click

from assay.scanner.cli.exits import fail, problems_told
from assay.scanner.cli.printing import print_text, show
from assay.scanner.cli.wiring import RULES, standard_pages


@click.command()
@RULES
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
def rules(own_rules: tuple[Path, ...], form: str) -> None:
    """List the standard: sections, principles and the rules that check them."""
    from assay.reports import standard

    with problems_told():
        pages = standard_pages(own_rules)
    if form == "json":
        print_text(standard.as_json(pages))
    else:
        show(lambda console: standard.render(pages, console))


@click.command()
@click.argument("code")
@RULES
def explain(code: str, own_rules: tuple[Path, ...]) -> None:
    """Show a rule (API401), a principle (API4), a section (API) or an analyzer's check (B303) in full."""
    from assay.reports import standard

    with problems_told():
        pages = standard_pages(own_rules)
    if not show(lambda console: standard.explain(pages, code.upper(), console)):
        import difflib

        near = difflib.get_close_matches(code.upper(), standard.codes(pages), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `assay rules` lists them"
        fail(f"the standard has no section, principle, rule or check {code}{hint}")
