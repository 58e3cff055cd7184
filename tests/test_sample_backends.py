"""The sample backends: every planted fault is found where it was planted, and nothing else fails."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import assay.rules
from assay.scanner.config import load_config
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.own_rules.marks import marks_in
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Kind

BACKENDS = Path(__file__).parent.parent / "fixtures" / "backends"
FRAMEWORKS = ("fastapi", "flask", "django")
UNSOUND = [f"{name}_unsound" for name in FRAMEWORKS]
SOUND = [f"{name}_sound" for name in FRAMEWORKS]
RULEBOOK = load_rulebook(assay.rules)

SCORES = {
    "fastapi_sound": (
        "orders: 100.0 A; API 100.0, DB 100.0, SEC 100.0, "
        "PERF 100.0, TEST 100.0, SVC 100.0, MQ 100.0, OPS 100.0, OBS 100.0, DOC 100.0"
    ),
    "flask_sound": (
        "flask_sound: 100.0 A; API 100.0, DB 100.0, SEC 100.0, "
        "PERF 100.0, TEST 100.0, SVC 100.0, OPS 100.0, OBS 100.0, DOC 100.0"
    ),
    "django_sound": (
        "django_sound: 100.0 A; API 100.0, DB 100.0, SEC 100.0, "
        "PERF 100.0, TEST 100.0, SVC 100.0, MQ 100.0, OPS 100.0, OBS 100.0, DOC 100.0"
    ),
    "fastapi_unsound": (
        "orders: 29.2 E; API 41.0, DB 30.8, SEC 23.7, "
        "PERF 45.6, TEST 0.0, SVC 28.2, MQ 16.6, OPS 50.5, OBS 25.1, DOC 20.0"
    ),
    "flask_unsound": (
        "flask_unsound: 35.8 E; API 36.0, DB 31.5, SEC 27.0, "
        "PERF 43.5, TEST 15.6, SVC 76.7, MQ 55.8, OPS 43.9, OBS 27.8, DOC 12.5"
    ),
    "django_unsound": (
        "django_unsound: 33.3 E; API 52.0, DB 40.9, SEC 9.4, "
        "PERF 67.3, TEST 16.4, SVC 22.7, MQ 30.0, OPS 43.2, OBS 27.8, DOC 15.0"
    ),
}
"""The figures of each sample: score, grade and the scores of the sections that have one."""

REVIEWS = {
    "fastapi_unsound": {
        ("Dockerfile", 15, "PERF301"),
        ("compose.yaml", 18, "DB309"),
        ("k8s/orders.yaml", 19, "PERF301"),
    },
    "flask_unsound": {
        ("compose.yaml", 16, "DB309"),
        ("notes/__init__.py", 19, "OBS107"),
        ("notes/api/notebooks.py", 72, "PERF203"),
    },
    "django_unsound": {("project/wsgi.py", 8, "TEST405"), ("tasks/feeds.py", 15, "SVC201")},
}
"""What an unsound sample leaves to a person: a file for development or production, a large archive, other scans, traces
that a collector may make metrics of, one copy of one process, a stranger that is asked again and again."""


@cache
def scanned(name: str) -> ScanResult:
    folder = BACKENDS / name
    options = Options(load_config(folder, RULEBOOK), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor())
    return scan(folder, RULEBOOK, {}, options)


def found(name: str, kind: Kind) -> set[tuple[str, int, str]]:
    return {(v.location.path, v.location.line, v.rule) for v in scanned(name).verdicts if v.kind is kind}


def score_line(result: ScanResult) -> str:
    (service,) = result.services
    score = "-" if service.score is None else f"{service.score:.1f}"
    sections = (f"{s.id} {s.score:.1f}" for s in service.sections if s.score is not None)
    return f"{service.name}: {score} {service.grade}; {', '.join(sections)}"


@pytest.mark.parametrize("name", UNSOUND)
def test_what_fails_in_an_unsound_sample_is_what_was_planted(name: str) -> None:
    planted = marks_in(BACKENDS / name).planted
    fails = found(name, Kind.FAIL)
    assert (sorted(planted - fails), sorted(fails - planted)) == ([], [])


@pytest.mark.parametrize("name", SOUND)
def test_nothing_fails_in_a_sound_sample(name: str) -> None:
    assert {(v.rule, str(v.location), v.message) for v in scanned(name).verdicts if v.kind is Kind.FAIL} == set()


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_sample_leaves_nothing_to_review(name: str) -> None:
    assert {(v.rule, str(v.location), v.message) for v in scanned(name).verdicts if v.kind is Kind.REVIEW} == set()


@pytest.mark.parametrize("name", UNSOUND)
def test_an_unsound_sample_leaves_little_to_review(name: str) -> None:
    assert found(name, Kind.REVIEW) == REVIEWS[name]


@pytest.mark.parametrize("name", SOUND + UNSOUND)
def test_a_sample_is_understood_in_full(name: str) -> None:
    assert scanned(name).diagnostics == ()
    assert [service.files_wanted - service.files_read for service in scanned(name).services] == [0]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_sample_is_judged_in_full(name: str) -> None:
    assert [service.coverage for service in scanned(name).services] == [1.0]


def test_every_rule_is_broken_by_some_sample() -> None:
    broken = {code for name in UNSOUND for _, _, code in marks_in(BACKENDS / name).planted}
    assert set(RULEBOOK.by_code()) - broken == set()


@pytest.mark.parametrize("name", SOUND + UNSOUND)
def test_the_figures_of_a_sample(name: str) -> None:
    assert score_line(scanned(name)) == SCORES[name]


def test_a_sound_sample_carries_no_marks() -> None:
    marked = [name for name in SOUND if marks_in(BACKENDS / name).planted]
    assert marked == []


def test_there_are_no_other_samples() -> None:
    assert {folder.name for folder in BACKENDS.iterdir() if folder.is_dir()} == set(SOUND + UNSOUND)
