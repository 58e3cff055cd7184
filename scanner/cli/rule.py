"""`assay rule`: making and testing rules of one's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli import wiring
from assay.scanner.cli.exits import GATE_NOT_MET, problems_told
from assay.scanner.cli.printing import print_text

if TYPE_CHECKING:
    from assay.scanner.own_rules.cases import Case
    from assay.scanner.rulebook import Rule


@click.group()
def rule() -> None:
    """Make rules of your own, and test them."""


@rule.command()
@click.argument("code")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="rules",
    help="Where the rule goes; its cases go into `cases` in it.",
)
@click.option("--data", "is_data", is_flag=True, help="As data in YAML, instead of as a function in Python.")
def new(code: str, name: str, folder: Path, is_data: bool) -> None:
    """Write a rule to begin with (CODE such as ACME101, NAME such as unsigned-endpoint) and its cases."""
    from assay.reports.plain import plain
    from assay.scanner.own_rules.scaffold import new_rule, written

    with problems_told():
        texts = new_rule(folder, code, name, wiring.rulebook(with_plugins=False).standard, is_data=is_data)
        paths = list(written(texts))
    lines = [*(f"wrote {path}" for path in paths), f"Now change them, and run: assay rule test {paths[0]}"]
    print_text("".join(f"{plain(line)}\n" for line in lines))


@rule.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE...")
@click.option(
    "--cases",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that has one folder of cases a rule; by default `cases` beside each file.",
)
def test(files: tuple[Path, ...], folder: Path | None) -> None:
    """Run the cases of rules: what is marked in them has to be what the rules say, both ways.

    A FILE may be a folder of rules too.
    Exits 0 where it is, 1 where a case differs, 2 where a rule can't be loaded or there are no cases.
    """
    from assay.reports.plain import plain
    from assay.scanner.own_rules.cases import check, lacking
    from assay.scanner.own_rules.errors import OwnRuleError

    with problems_told():
        # A plugin that is being written may be installed from where it stands.
        book = wiring.rulebook(files, with_plugins=False)
        rules = tuple(r for r in book.rules if r.place)
        beside = [Path(source.name).parent / "cases" for source in book.own]
        folders = list(dict.fromkeys([folder] if folder is not None else beside))
        cases = _cases(folders, rules)
        if not cases:
            codes = ", ".join(r.code for r in rules)
            raise OwnRuleError(str(folders[0]), f"there is no case of {codes} in it")
        differences = [str(difference) for case in cases for difference in check(case, book)]
    differences += [f"{r.place}: {r.code} has no case of the outcome {name}" for r, name in lacking(rules, cases)]
    lines = [*differences, _summary(len(cases), len(rules), len(differences))]
    print_text("".join(f"{plain(line)}\n" for line in lines))
    if differences:
        sys.exit(GATE_NOT_MET)


@rule.command()
@click.argument("noun", required=False)
def subjects(noun: str | None) -> None:
    """List what rules can judge, or all attributes of one NOUN with what they hold."""
    from assay.scanner.own_rules.data.attributes import attributes_of, nouns
    from assay.scanner.own_rules.errors import OwnRuleError, nearest

    if noun is None:
        print_text("".join(f"{name}\n" for name in nouns()))
        return
    known = {name.casefold(): kind for name, kind in nouns().items()}
    with problems_told():
        if noun.casefold() not in known:
            raise OwnRuleError(noun, f"there is no such subject{nearest(noun, nouns())}")
    rows = [(attribute.name, str(attribute)) for attribute in attributes_of(known[noun.casefold()]).values()]
    width = max(len(name) for name, _ in rows)
    print_text("".join(f"{name:<{width}}  {holds}\n" for name, holds in rows))


def _cases(folders: Sequence[Path], rules: Sequence[Rule]) -> list[Case]:
    from assay.scanner.own_rules.cases import cases_in

    codes = {r.code for r in rules}
    return [case for each in folders for case in cases_in(each) if case.code in codes]


def _summary(cases: int, rules: int, differences: int) -> str:
    what = f"{_counted(cases, 'case')} of {_counted(rules, 'rule')}"
    return f"{what}: {_counted(differences, 'difference')}" if differences else f"{what}: all as they are marked"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
