"""The edition of the standard is pinned: rules that are newer are shown, and change no score and no gate."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import assay.rules
from assay.scanner.config import Config, ConfigError, load_config
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.gate import evaluate
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import Rulebook, Standard, load_rulebook
from assay.scanner.verdicts import Kind

APP = """\
from fastapi import FastAPI

from db import User, session

app = FastAPI()


@app.get("/users")
def users() -> list[dict]:
    return session.query(User).all()
"""
NEWER = ("OBS301", "API503")
"""Rules that fail on it, and are taken to have come with the second edition."""


@pytest.fixture(scope="module")
def old_book() -> Rulebook:
    """The standard as it was, without the newer rules."""
    book = load_rulebook(assay.rules)
    rules = tuple(r for r in book.rules if r.code not in NEWER)
    return replace(book, standard=with_editions(book, "2026.1"), rules=rules, packages=())


@pytest.fixture(scope="module")
def new_book() -> Rulebook:
    book = load_rulebook(assay.rules)
    rules = tuple(replace(r, since="2027.1") if r.code in NEWER else r for r in book.rules)
    return replace(book, standard=with_editions(book, "2026.1", "2027.1"), rules=rules, packages=())


def with_editions(book: Rulebook, *editions: str) -> Standard:
    return Standard(editions, book.standard.sections)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    (root / "app.py").write_text(APP, encoding="utf-8")
    return root


def scanned(root: Path, book: Rulebook, edition: str | None) -> ScanResult:
    options = Options(Config(edition=edition), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor())
    return scan(root, book, {}, options)


def test_an_update_changes_no_score_and_no_gate(tree: Path, old_book: Rulebook, new_book: Rulebook) -> None:
    before, after = scanned(tree, old_book, "2026.1"), scanned(tree, new_book, "2026.1")
    assert after.edition == "2026.1"
    assert after.services == before.services
    pinned = Config(edition="2026.1")
    assert evaluate(after, pinned, date(2027, 1, 1)) == evaluate(before, pinned, date(2027, 1, 1))


def test_newer_rules_are_shown_as_previews(tree: Path, new_book: Rulebook) -> None:
    result = scanned(tree, new_book, "2026.1")
    assert {r.code for r in result.rules if r.is_preview} == set(NEWER)
    assert not any(result.rule(code).counts for code in NEWER)
    assert (result.rule("OBS301").since, result.rule("API401").since) == ("2027.1", "2026.1")
    fails = {v.rule for v in result.verdicts if v.kind is Kind.FAIL}
    assert set(NEWER) <= fails, "what will count is told before it does"


def test_raising_the_edition_makes_them_count(tree: Path, new_book: Rulebook) -> None:
    pinned, raised = scanned(tree, new_book, "2026.1"), scanned(tree, new_book, "2027.1")
    assert not any(r.is_preview for r in raised.rules)
    assert raised.services[0].score is not None
    assert pinned.services[0].score is not None
    assert raised.services[0].score < pinned.services[0].score
    assert scanned(tree, new_book, None).edition == "2027.1", "without any, the newest holds"


def test_an_edition_that_this_version_does_not_hold(tmp_path: Path, new_book: Rulebook) -> None:
    (tmp_path / "assay.toml").write_text('edition = "2028.1"', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"this version of Assay holds the editions 2026\.1, 2027\.1, not '2028\.1'"):
        load_config(tmp_path, new_book)
