"""Readers of declared dependencies and of what looks after them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.readers import audits, dependencies
from assay.scanner.readers.audits import AuditKind
from assay.scanner.readers.dependencies import DependencyFacts, Pin
from assay.scanner.readers.problem import ReadProblem


def declared(path: str, text: str) -> DependencyFacts:
    return dependencies.read(path, text.encode())


def pins(path: str, text: str) -> dict[str, Pin]:
    return {r.name: r.pin for r in declared(path, text).requirements}


@pytest.mark.parametrize(
    ("line", "pin"),
    [
        ("flask==3.1.0", Pin.EXACT),
        ("flask===3.1.0", Pin.EXACT),
        ("flask==3.1.*", Pin.RANGE),
        ("flask>=3,<4", Pin.RANGE),
        ("flask", Pin.FREE),
        ("flask[async]==3.1.0 ; python_version < '3.13'", Pin.EXACT),
        ("flask==3.1.0 --hash=sha256:aa --hash=sha256:bb", Pin.EXACT),
        ("flask @ https://files.example.com/flask-3.1.0-py3-none-any.whl", Pin.EXACT),
        ("flask @ git+https://git.example.com/flask.git@3.1.0", Pin.EXACT),
        ("flask @ git+https://git.example.com/flask.git@main", Pin.FREE),
        ("flask @ git+ssh://git@git.example.com/flask.git", Pin.FREE),
        ("flask @ git+ssh://git@git.example.com/flask.git@0123abcd", Pin.EXACT),
    ],
)
def test_how_firmly_a_line_holds_its_version(line: str, pin: Pin) -> None:
    assert pins("requirements.txt", line) == {"flask": pin}


def test_a_requirement_stands_on_its_line() -> None:
    facts = declared("requirements.txt", "# the service\n\nflask \\\n  ==3.1.0\nredis # cache\n")
    assert [(r.name, r.span.line, r.span.end_line) for r in facts.requirements] == [("flask", 3, 4), ("redis", 5, 5)]


def test_files_that_a_file_names_are_relative_to_it() -> None:
    facts = declared("deploy/requirements.txt", "-r base.txt\n--requirement ../common.txt\n-c limits.txt\n")
    assert (facts.includes, facts.constraints) == (("deploy/base.txt", "common.txt"), ("deploy/limits.txt",))


def test_poetry_and_pipenv_know_bare_versions_tables_and_folders() -> None:
    poetry = (
        '[tool.poetry.dependencies]\npython = "^3.12"\na = "1.2"\nb = "^1.2"\nc = {path = "c"}\nd = {version = "*"}\n'
    )
    assert pins("pyproject.toml", poetry) == {"a": Pin.EXACT, "b": Pin.RANGE, "c": Pin.LOCAL, "d": Pin.FREE}
    pipenv = '[packages]\na = "==1.2"\nb = {git = "https://x/y.git", ref = "v1"}\n[dev-packages]\nc = "*"\n'
    assert pins("Pipfile", pipenv) == {"a": Pin.EXACT, "b": Pin.EXACT}


def test_setup_cfg_and_conda() -> None:
    setup = "[metadata]\nclassifiers = x\n[options]\ninstall_requires =\n    a==1\n    b\n"
    assert pins("setup.cfg", setup) == {"a": Pin.EXACT, "b": Pin.FREE}
    assert declared("setup.cfg", setup).is_package
    conda = "dependencies:\n  - python=3.12\n  - conda-forge::a=1.2=py_0\n  - b>=2\n  - pip:\n    - c\n"
    assert pins("environment.yml", conda) == {"a": Pin.EXACT, "b": Pin.RANGE, "c": Pin.FREE}


@pytest.mark.parametrize(
    "name", ["poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "pylock.api.toml"]
)
def test_lock_files_are_known_by_name(name: str) -> None:
    assert declared(f"api/{name}", "whatever").is_lock


@pytest.mark.parametrize(
    ("name", "text"), [("pyproject.toml", "[project\n"), ("Pipfile", "= 1"), ("setup.cfg", "a = 1\n")]
)
def test_what_can_not_be_parsed_is_a_problem(name: str, text: str) -> None:
    with pytest.raises(ReadProblem):
        declared(name, text)


@given(
    st.sampled_from(
        ["requirements.txt", "pyproject.toml", "Pipfile", "setup.cfg", "environment.yml", "dependabot.yml"]
    ),
    st.text() | st.text("[]={}\"'-.#\\\n abr>@:/*", max_size=80),
)
def test_any_text_gives_facts_or_a_problem(name: str, text: str) -> None:
    read = audits.read if name == "renovate.json" else dependencies.read
    with contextlib.suppress(ReadProblem):
        read(name, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("path", "text", "kinds"),
    [
        (".github/dependabot.yml", "updates:\n  - package-ecosystem: 'pip'\n", [AuditKind.UPDATES]),
        (".github/dependabot.yml", "updates:\n  - package-ecosystem: npm\n", [AuditKind.OTHER_UPDATES]),
        ("renovate.json", "{}", [AuditKind.UPDATES]),
        ("renovate.json", '{\n  "enabled": false\n}', [AuditKind.OTHER_UPDATES]),
        ("renovate.json", '{"enabledManagers": ["npm"]}', [AuditKind.OTHER_UPDATES]),
        (".github/workflows/ci.yml", "- run: uvx pip-audit\n# - run: trivy fs .\n", [AuditKind.SCAN]),
        ("ci.yml", "- run: make openapi.json\n- run: git diff --exit-code\n", [AuditKind.DESCRIPTION]),
        ("ci.yml", "- run: oasdiff breaking old.yaml openapi.yaml\n", [AuditKind.DESCRIPTION]),
        ("ci.yml", "- run: ./scripts/verify-openapi.sh\n", [AuditKind.DESCRIPTION]),
        ("ci.yml", "- run: make openapi.json\n", []),
        ("ci.yml", "- run: ruff format --check\n", []),
        (".gitlab-ci.yml", "script:\n  - osv-scanner scan .\n", [AuditKind.SCAN]),
        ("Jenkinsfile", "sh 'safety check -r requirements.txt'", [AuditKind.SCAN]),
        (".github/workflows/ci.yml", "- run: pytest tests/test_safety.py\n- name: Safety first\n", []),
    ],
)
def test_what_looks_after_dependencies(path: str, text: str, kinds: list[AuditKind]) -> None:
    assert [a.kind for a in audits.read(path, text.encode()).audits] == kinds
