"""Files of rules of one's own for tests, and what comes of them."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

import assay.rules
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.own_rules.errors import OwnRuleError
from assay.scanner.own_rules.loading import with_own_rules
from assay.scanner.own_rules.sources import read_files
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import Rulebook, load_rulebook

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "fixtures" / "own_rules"
FILES = (EXAMPLE / "money.py", EXAMPLE / "house.yaml")
STANDARD = load_rulebook(assay.rules)
OPTIONS = Options(jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor())

PYTHON = '''\
"""ACME1: endpoints are short."""

from __future__ import annotations

from assay.scanner.model.endpoint import Endpoint
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, passed


@rule("ACME101", severity=Severity.LOW)
def long_path(endpoint: Endpoint) -> Verdict:
    """A path is long.

    Why: nobody can remember it.
    Fix: shorten it.
    """
    return fail("long") if len(endpoint.path) > 20 else passed("short")
'''

DATA = """\
principles:
  ACME2: Paths are short.
rules:
  - code: ACME201
    name: open-endpoint
    title: An endpoint answers anybody.
    severity: low
    subject: endpoint
    require: {auth: true}
    why: Why not.
    fix: Close it.
"""


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def loaded(*files: Path) -> Rulebook:
    return with_own_rules(STANDARD, read_files(files))


def problem_of(*files: Path) -> str:
    with pytest.raises(OwnRuleError) as caught:
        loaded(*files)
    return str(caught.value)


def scanned(root: Path, *files: Path, options: Options = OPTIONS) -> ScanResult:
    """By the rules in the files alone."""
    book = loaded(*files)
    return scan(root, replace(book, rules=tuple(r for r in book.rules if r.place)), {}, options)


def rule_with(**changes: str | None) -> str:
    """The data file with other lines in its rule; None takes one out."""
    lines = []
    for line in DATA.splitlines():
        key = line.strip().removeprefix("- ").partition(":")[0]
        if key not in changes:
            lines.append(line)
        elif (text := changes.pop(key)) is not None:
            lines.append(line[: len(line) - len(line.lstrip("- "))] + f"{key}: {text}")
    return "\n".join([*lines, *(f"    {key}: {text}" for key, text in changes.items()), ""])
