"""What CI runs in the end: wrappers, tasks, triggers, and what counts as a test run."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from assay.scanner.model.pipeline import CiCommand, CiJob, Trigger
from assay.scanner.model.place import Location
from assay.scanner.pipelines.following import Follower
from assay.scanner.pipelines.jobs import Jobs
from assay.scanner.pipelines.test_runs import is_test_run
from assay.scanner.pipelines.wrapping import unwrapped
from assay.scanner.readers import checks, shell, tasks
from assay.scanner.readers.workflows import reader
from assay.scanner.readers.workflows.facts import Workflow

HERE = Location.whole_file("ci.yml")


@pytest.mark.parametrize(
    ("written", "inner"),
    [
        ("uv run --with pytest-cov pytest -q", "pytest -q"),
        ("uv tool run ruff@0.4 check", "ruff check"),
        ("uvx bandit -r src", "bandit -r src"),
        ("poetry run python -m pytest tests", "pytest tests"),
        ("python3.12 -W error -m pytest", "pytest"),
        ("python -Wd manage.py test", "python manage.py test"),
        ("docker compose -f compose.ci.yml run --rm -e CI=1 web pytest", "pytest"),
        ("docker run --rm -v .:/app shop pytest -x", "pytest -x"),
        ("env CI=1 sudo -E xvfb-run -a pytest", "pytest"),
        ("timeout -k 5 600 pytest", "pytest"),
        ("kubectl exec shop -- pytest", "pytest"),
        ("hatch run test:cov", "cov"),
        ("docker compose up -d db", "docker compose up -d db"),
        ("python -c print(1)", "python -c print(1)"),
    ],
)
def test_what_only_wraps_is_taken_off(written: str, inner: str) -> None:
    assert " ".join(unwrapped(tuple(written.split()))) == inner


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        ("pytest", True),
        ("pytest --collect-only", False),
        ("coverage run manage.py test", True),
        ("coverage report", False),
        ("python manage.py test shop", True),
        ("manage.py migrate", False),
        ("test -f setup.py", False),
        ("tests --junitxml=junit.xml", True),
        ("make test", True),
        ("make test-frontend", False),
        ("make build", False),
        ("tox -e lint", False),
        ("tox", True),
        ("./scripts/test", True),
        ("./scripts/test-e2e", False),
        ("scripts/lint.sh", False),
        ("npm test", False),
        ("pants test ::", True),
        ("docker build --target test .", True),
        ("docker build --target web .", False),
        ("docker compose -f compose.test.yml up --exit-code-from tests", True),
        ("docker compose up -d", False),
        ("echo pytest", False),
    ],
)
def test_what_runs_tests(words: str, runs: bool) -> None:
    assert is_test_run(CiCommand(tuple(words.split()), HERE)) is runs


def jobs_of(files: dict[str, str]) -> list[CiJob]:
    """Of all workflows among the files."""
    read: dict[str, object] = {}
    settings: dict[str, checks.CheckFacts] = {}
    pipelines: dict[str, Workflow] = {}
    for path, text in files.items():
        data = text.encode()
        if path.endswith(("tox.ini", "pyproject.toml")):
            settings[path] = checks.read(path, data)
        elif path.endswith("Makefile"):
            read[path] = tasks.read(path, data)
        elif path.endswith(".sh"):
            read[path] = shell.read(path, data)
        else:
            found = reader.read(path, data)
            assert found is not None
            pipelines[path] = found
    jobs = Jobs(pipelines, Follower(read, settings, ()))
    return [job for path in sorted(pipelines) for job in jobs.of(path)]


def commands(jobs: Iterable[CiJob]) -> list[tuple[str, str, int]]:
    return [(" ".join(c.words), c.location.path, c.location.line) for job in jobs for c in job.commands]


def workflow(*steps: str, on: str = "[pull_request]") -> str:
    lines = [f"on: {on}", "jobs:", "  test:", "    runs-on: x", "    steps:"]
    return "\n".join([*lines, *(f"      - run: {step}" for step in steps), ""])


def test_a_command_is_followed_to_where_it_is_written() -> None:
    files = {
        ".github/workflows/ci.yml": workflow("cd api && make check"),
        "api/Makefile": "PYTEST ?= pytest -q\ncheck: lint\n\t@./run.sh\nlint:\n\truff check .\n",
        "api/run.sh": "#!/bin/sh\nset -e\ntox -e py312\n",
        "api/tox.ini": "[tox]\nenvlist = py{311,312}\n[testenv]\ncommands =\n    pytest {posargs:tests}\n",
    }
    assert commands(jobs_of(files)) == [
        ("ruff check .", "api/Makefile", 5),
        ("set -e", "api/run.sh", 2),
        ("pytest tests", "api/tox.ini", 5),
    ]


def test_what_leads_back_to_itself_ends() -> None:
    files = {".github/workflows/ci.yml": workflow("make a"), "Makefile": "a: b\n\tmake b\nb: a\n\tmake a\n"}
    assert {words for words, _, _ in commands(jobs_of(files))} <= {"make a", "make b"}


def test_lines_of_a_block_are_told() -> None:
    text = "on: push\njobs:\n  a:\n    steps:\n      - name: x\n        run: |\n          one\n          two\n"
    assert commands(jobs_of({".github/workflows/ci.yml": text})) == [
        ("one", ".github/workflows/ci.yml", 7),
        ("two", ".github/workflows/ci.yml", 8),
    ]


@pytest.mark.parametrize(
    ("on", "triggers"),
    [
        ("push", {Trigger.PUSH, Trigger.PULL_REQUEST}),
        ("{push: {branches: [main]}}", {Trigger.PUSH}),
        ("{push: {tags: ['v*']}}", {Trigger.PUSH}),
        ("{push: {branches: ['**']}}", {Trigger.PUSH, Trigger.PULL_REQUEST}),
        ("[pull_request, schedule]", {Trigger.PULL_REQUEST, Trigger.SCHEDULE}),
        ("{workflow_dispatch: }", {Trigger.MANUAL}),
    ],
)
def test_what_starts_a_workflow(on: str, triggers: set[Trigger]) -> None:
    (job,) = jobs_of({".github/workflows/ci.yml": workflow("pytest", on=on)})
    assert job.triggers == triggers


def test_a_workflow_that_is_only_called_is_its_callers() -> None:
    caller = "on: schedule\njobs:\n  tests:\n    uses: ./.github/workflows/tests.yml\n"
    files = {".github/workflows/a.yml": caller, ".github/workflows/tests.yml": workflow("pytest", on="workflow_call")}
    (job,) = jobs_of(files)
    assert (set(job.triggers), [c.text for c in job.commands]) == ({Trigger.SCHEDULE}, ["pytest"])


@pytest.mark.parametrize(
    ("script", "tolerated"),
    [
        ("pytest || true", True),
        ("pytest || echo failed", True),
        ("pytest || exit 1", False),
        ("pytest && echo fine", False),
        ("pytest", False),
    ],
)
def test_what_may_fail(script: str, tolerated: bool) -> None:
    (job,) = jobs_of({".github/workflows/ci.yml": workflow(script)})
    (run,) = [c for c in job.commands if c.program == "pytest"]
    assert (run.tolerated is not None) is tolerated


def test_gitlab() -> None:
    text = """
.base:
  before_script: [pip install tox]
nightly:
  extends: .base
  rules: [{if: '$CI_PIPELINE_SOURCE == "schedule"'}]
  script: [pytest]
lint:
  allow_failure: true
  script:
    - ruff check .
"""
    nightly, lint = jobs_of({".gitlab-ci.yml": text})
    assert (set(nightly.triggers), [c.text for c in nightly.commands]) == (
        {Trigger.SCHEDULE},
        ["pip install tox", "pytest"],
    )
    assert lint.checks_changes
