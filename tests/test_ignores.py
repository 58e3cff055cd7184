"""Comments that ignore a finding: where they speak, where they don't, and what is said of those that are wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import scanner
from assay.scanner.acceptance.accepting import AtBase
from assay.scanner.acceptance.comments import comments_of
from assay.scanner.acceptance.spoken import lines_of
from assay.scanner.assess import Scope, assessed
from assay.scanner.cache import Cache
from assay.scanner.cli import wiring
from assay.scanner.config import Config, WaiversConfig, WaiversFrom, load_config
from assay.scanner.filekinds import FileKind, by_path
from assay.scanner.options import Options
from assay.scanner.outcomes import FileOutcome
from assay.scanner.readers.python.reader import read
from assay.scanner.reading import read_file
from assay.scanner.recall import Recall
from assay.scanner.results import AcceptedBy, JudgedVerdict, ScanResult
from tests.running import run_assay

HEAD = """\
import logging

from fastapi import Depends, FastAPI

app = FastAPI()
logger = logging.getLogger(__name__)

"""
IGNORED = """
def trailing(x):
    logger.info(f"a {x}")  # assay: ignore[OBS101] goes to a person


def without_spaces(x):
    logger.info(f"a {x}")  #assay:ignore[OBS101]goes to a person


def above(x):
    # assay: ignore[OBS101] goes to a person
    logger.info(f"a {x}")


def above_among_other_comments(x):
    # assay: ignore[OBS101] goes to a person
    # and so it has been for years
    logger.info(f"a {x}")


def behind_a_wrapped_call(x):
    logger.info(
        f"a {x}",
    )  # assay: ignore[OBS101] goes to a person


def inside_a_wrapped_call(x):
    logger.info(
        f"a {x}",  # assay: ignore[OBS101] goes to a person
    )


def where_a_wrapped_call_begins(x):
    logger.info(  # assay: ignore[OBS101] goes to a person
        f"a {x}",
    )


def above_a_wrapped_call(x):
    # assay: ignore[OBS101] goes to a person
    logger.info(
        f"a {x}",
    )


def with_other_rules(x):
    logger.info(f"a {x}")  # assay: ignore[SEC115, OBS101] goes to a person


def before_another_pragma(x):
    logger.info(f"a {x}")  # assay: ignore[OBS101] goes to a person  # noqa: G004


def in_one_line(x): logger.info(f"a {x}")  # assay: ignore[OBS101] goes to a person


def of_two_elements(x):
    return [
        logger.info(f"a {x}"),  # assay: ignore[OBS101] goes to a person
        len(x),
    ]
"""
NOT_IGNORED = '''
def in_prose(x):
    logger.info(f"a {x}")  # one writes "# assay: ignore[OBS101] reason" to silence it


def in_a_string(x):
    logger.info(f"# assay: ignore[OBS101] goes to a person {x}")


def in_a_docstring(x):
    """# assay: ignore[OBS101] goes to a person"""
    logger.info(f"a {x}")


def another_rule(x):
    logger.info(f"a {x}")  # assay: ignore[SEC115] goes to a person


def without_reason(x):
    logger.info(f"a {x}")  # assay: ignore[OBS101]


def with_punctuation_for_a_reason(x):
    logger.info(f"a {x}")  # assay: ignore[OBS101] --


def without_rule(x):
    logger.info(f"a {x}")  # assay: ignore goes to a person


def without_a_rule_in_the_bracket(x):
    logger.info(f"a {x}")  # assay: ignore[] goes to a person


def whole_file(x):
    logger.info(f"a {x}")  # assay: ignore-file[OBS101] goes to a person


def one_rule_unknown(x):
    logger.info(f"a {x}")  # assay: ignore[OBS101, OBS999] goes to a person


def in_lower_case(x):
    logger.info(f"a {x}")  # assay: ignore[obs101] goes to a person


def above_a_blank_line(x):
    # assay: ignore[OBS101] goes to a person

    logger.info(f"a {x}")


def below(x):
    logger.info(f"a {x}")
    # assay: ignore[OBS101] goes to a person


def of_the_other_element(x):
    return [
        len(x),  # assay: ignore[OBS101] goes to a person
        logger.info(f"a {x}"),
    ]


def of_the_definition(x):  # assay: ignore[OBS101] goes to a person
    logger.info(f"a {x}")


def of_the_block(x):
    # assay: ignore[OBS101] goes to a person
    if x:
        logger.info(f"a {x}")


def inside_and_alone(x):
    return [
        # assay: ignore[OBS101] goes to a person
        len(x),
        logger.info(f"a {x}"),
    ]
'''
WRONG = {
    "another_rule": "META101",
    "without_reason": "META102",
    "with_punctuation_for_a_reason": "META102",
    "without_rule": "META103",
    "without_a_rule_in_the_bracket": "META103",
    "whole_file": "META103",
    "one_rule_unknown": "META103",
    "in_lower_case": "META103",
    "above_a_blank_line": "META101",
    "below": "META101",
    "of_the_other_element": "META101",
    "of_the_definition": "META101",
    "of_the_block": "META101",
    "inside_and_alone": "META101",
}
ENDPOINTS = {
    "above the decorator": '# assay: ignore[API402] few rows\n@app.get("/{n}")\ndef f{n}(limit: int = 10): ...\n',
    "behind the decorator": '@app.get("/{n}")  # assay: ignore[API402] few rows\ndef f{n}(limit: int = 10): ...\n',
    "between the two": '@app.get("/{n}")\n# assay: ignore[API402] few rows\ndef f{n}(limit: int = 10): ...\n',
    "behind the definition": '@app.get("/{n}")\ndef f{n}(limit: int = 10): ...  # assay: ignore[API402] few rows\n',
    "behind a wrapped decorator": (
        '@app.get(\n    "/{n}",\n)  # assay: ignore[API402] few rows\ndef f{n}(limit: int = 10): ...\n'
    ),
    "behind a wrapped header": (
        '@app.get("/{n}")\ndef f{n}(\n    limit: int = 10,\n) -> list:  # assay: ignore[API402] few rows\n    ...\n'
    ),
    "behind another parameter": (
        '@app.get("/{n}")\ndef f{n}(\n    q: str,  # assay: ignore[API402] few rows\n    limit: int = 10,\n): ...\n'
    ),
}


def assess(
    root: Path, *, analyzers: bool = True, recall: Recall | None = None, base: AtBase | None = None
) -> ScanResult:
    rulebook = wiring.rulebook()
    options = Options(load_config(root, rulebook), jobs=1, analyzers=analyzers, recall=recall)
    scope = Scope(root, rulebook, wiring.checks(), options, datetime.now(UTC).date())
    result = assessed(scope, lambda *_: None)
    return result if base is None else scope.accepted(result, (), base)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return root


def functions(findings: Iterable[JudgedVerdict]) -> set[str]:
    """The functions whose log calls are judged."""
    return {f.subject.id.rpartition(":log call")[0].rpartition(":")[2].rpartition(".")[2] for f in findings}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ScanResult:
    root = tmp_path_factory.mktemp("backend")
    endpoints = "\n\n".join(text.replace("{n}", str(n)) for n, text in enumerate(ENDPOINTS.values()))
    write(root, {"app.py": HEAD + endpoints, "ignored.py": HEAD + IGNORED, "counted.py": HEAD + NOT_IGNORED})
    return assess(root)


def log_calls(result: ScanResult, path: str, *, accepted: bool) -> set[str]:
    findings = (f for f in result.findings if f.rule == "OBS101" and f.location.path == path)
    return functions(f for f in findings if (f.acceptance is not None) is accepted)


def test_comments_speak_of_their_own_code(result: ScanResult) -> None:
    names = set(re.findall(r"def (\w+)\(", IGNORED))
    assert log_calls(result, "ignored.py", accepted=True) == names
    assert not log_calls(result, "ignored.py", accepted=False)


def test_an_ignored_finding_says_why(result: ScanResult) -> None:
    ignored = [f for f in result.findings if f.rule == "OBS101" and f.acceptance]
    assert {f.acceptance.reason for f in ignored if f.acceptance} == {"goes to a person"}
    assert {f.acceptance.by for f in ignored if f.acceptance} == {AcceptedBy.IGNORE}
    assert str(ignored[0].acceptance) == "ignored: goes to a person"


def test_acceptance_8_a_comment_that_mentions_the_marker_in_prose_has_no_effect(result: ScanResult) -> None:
    assert "in_prose" in log_calls(result, "counted.py", accepted=False)
    line = 1 + (HEAD + NOT_IGNORED).split("\n").index(
        '    logger.info(f"a {x}")  # one writes "# assay: ignore[OBS101] reason" to silence it'
    )
    assert not [i for i in result.ignores if i.location.path == "counted.py" and i.location.line == line]


def test_what_is_no_comment_or_a_wrong_one_silences_nothing(result: ScanResult) -> None:
    assert log_calls(result, "counted.py", accepted=False) == set(re.findall(r"def (\w+)\(", NOT_IGNORED))
    assert not log_calls(result, "counted.py", accepted=True)


@pytest.mark.parametrize(("function", "rule"), WRONG.items())
def test_a_wrong_or_idle_comment_is_a_finding(result: ScanResult, function: str, rule: str) -> None:
    lines = (HEAD + NOT_IGNORED).split("\n")
    start = next(n for n, line in enumerate(lines, start=1) if line.startswith(f"def {function}("))
    end = next((n for n in range(start, len(lines)) if lines[n].startswith("def ")), len(lines))
    found = [
        f
        for f in result.findings
        if f.rule.startswith("META") and f.location.path == "counted.py" and start <= f.location.line <= end
    ]
    assert [f.rule for f in found] == [rule]
    assert result.line("counted.py", found[0].location.line)[found[0].location.column - 1 :].startswith("# assay")


def test_only_the_idle_part_of_a_comment_is_told(result: ScanResult) -> None:
    idle = [f for f in result.findings if f.rule == "META101" and f.location.path == "ignored.py"]
    assert [f.message for f in idle] == ["SEC115 finds nothing here; remove it"]


def test_rules_on_comments_count_in_no_score(result: ScanResult) -> None:
    meta = [rule for rule in result.rules if rule.principle == "META"]
    assert {rule.code for rule in meta} == {"META101", "META102", "META103"}
    assert not any(rule.counts for rule in meta)
    marks = [v.fingerprint for v in result.verdicts]
    assert len(set(marks)) == len(marks)


def test_the_nearest_rule_is_suggested(result: ScanResult) -> None:
    messages = [f.message for f in result.findings if f.rule == "META103"]
    assert "there is no rule obs101, so the comment silences nothing; did you mean OBS101?" in messages


@pytest.mark.parametrize("number", range(len(ENDPOINTS)), ids=list(ENDPOINTS))
def test_a_definition_counts_with_its_decorators_and_its_header(result: ScanResult, number: int) -> None:
    (finding,) = [f for f in result.findings if f.rule == "API402" and f.subject.id.endswith(f":f{number}:limit")]
    assert finding.acceptance is not None


def test_the_score_before_is_kept(result: ScanResult) -> None:
    (service,) = result.services
    assert service.score_before_waivers is not None
    assert service.score is not None
    assert service.score > service.score_before_waivers


def test_idle_is_only_what_was_asked(tmp_path: Path) -> None:
    """Without the analyzers, nobody knows whether bandit would find something."""
    write(tmp_path, {"app.py": HEAD + "x = 1  # assay: ignore[B101] only in development\n"})
    assert [f.rule for f in assess(tmp_path).findings if f.rule.startswith("META")] == ["META101"]
    assert not [f for f in assess(tmp_path, analyzers=False).findings if f.rule.startswith("META")]


def test_an_analyzers_check_is_ignored_too(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": HEAD + "assert app  # assay: ignore[B101] never runs with -O\n"})
    (finding,) = [f for f in assess(tmp_path).findings if f.rule == "B101"]
    assert finding.acceptance is not None


def test_other_encodings_and_line_ends(tmp_path: Path) -> None:
    text = HEAD + 'def f(x):\n    # assay: ignore[OBS101] größer\n    logger.info(f"a {x}")\n'
    (tmp_path / "app.py").write_bytes(HEAD.encode())
    (tmp_path / "latin.py").write_bytes(f"# coding: latin-1\n{text}".encode("latin-1"))
    (tmp_path / "windows.py").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    findings = [f for f in assess(tmp_path).findings if f.rule == "OBS101"]
    assert {f.location.path: f.acceptance and f.acceptance.reason for f in findings} == {
        "latin.py": "größer",
        "windows.py": "größer",
    }


def test_a_recalled_scan_knows_the_same_comments(tmp_path: Path) -> None:
    root = write(tmp_path / "tree", {"app.py": HEAD + IGNORED})
    recall = Recall(Cache.open(tmp_path / "cache"))
    first, second = assess(root, recall=recall), assess(root, recall=recall)
    assert first.ignores
    assert replace(first, scanned=second.scanned) == second
    write(root, {"app.py": (HEAD + IGNORED).replace("ignore[OBS101]", "ignore[OBS999]", 1)})
    third = assess(root, recall=recall)
    assert len([f for f in third.findings if f.acceptance]) == len([f for f in first.findings if f.acceptance]) - 1


def test_what_the_same_change_adds_does_not_count_yet(tmp_path: Path) -> None:
    (tmp_path / "assay.toml").write_text('[waivers]\nfrom = "base"\n')
    write(tmp_path, {"app.py": HEAD + IGNORED})
    before = assess(tmp_path)
    text = (HEAD + IGNORED).replace(
        "\ndef above(x):", '\nlogger.info(f"{app}")  # assay: ignore[OBS101] new\n\n\ndef above(x):'
    )
    write(tmp_path, {"app.py": text})
    after = assess(tmp_path)
    rulebook = wiring.rulebook()
    options = Options(Config(waivers=WaiversConfig(from_=WaiversFrom.BASE)))
    scope = Scope(tmp_path, rulebook, wiring.checks(), options, datetime.now(UTC).date())
    plain = replace(after, verdicts=tuple(replace(v, acceptance=None) for v in after.verdicts))
    judged = scope.accepted(plain, (), AtBase((), before.ignores))
    assert sum(f.acceptance is not None for f in judged.findings) == sum(
        f.acceptance is not None for f in before.findings
    )
    assert any("the ignore comment in app.py" in notice for notice in judged.notices)
    moved = scope.accepted(plain, (), AtBase((), before.ignores, {"app.py": "old.py"}))
    assert not any(f.acceptance for f in moved.findings)


@pytest.mark.parametrize("name", ["gate.py", "config/lines.py", "cli/gate.py"])
def test_a_comment_speaks_of_its_own_line_at_least(name: str) -> None:
    data = (Path(scanner.__file__).parent / name).read_bytes()
    facts = read(data)
    for line in range(1, data.count(b"\n") + 1):
        for is_alone in (True, False):
            first, last = lines_of(facts, line, is_alone=is_alone)
            assert first <= line <= last


# --- other files than Python ------------------------------------------------------------------------------------------

DOCKERFILE = """\
FROM python:3.13-slim
RUN <<EOF
# assay: ignore[OPS304] no comment, but a line of the script
EOF
{comment}CMD gunicorn app:app
"""
COMPOSE = """\
services:
  web:{comment}
    build: .
    command: gunicorn app:app
"""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> ScanResult:
    root = tmp_path_factory.mktemp("deployed")
    marker = "# assay: ignore[{rule}] restarts are announced"
    return assess(
        write(
            root,
            {
                "app.py": HEAD,
                "Dockerfile": DOCKERFILE.replace("{comment}", marker.format(rule="OPS304") + "\n"),
                "compose.yml": COMPOSE.replace("{comment}", "  " + marker.format(rule="OPS305")),
            },
        )
    )


def test_comments_in_dockerfiles_and_compose_files(deployed: ScanResult) -> None:
    ignored = {(f.rule, f.location.path) for f in deployed.findings if f.acceptance}
    assert {("OPS304", "Dockerfile"), ("OPS305", "compose.yml")} <= ignored
    assert not [f for f in deployed.findings if f.rule.startswith("META")]


def comments(path: str, text: str, tmp_path: Path) -> list[tuple[int, str]]:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    kind = by_path(path) or FileKind.KUBERNETES
    outcome: FileOutcome = read_file(tmp_path, path, kind, analyze=False)
    return [(c.line, c.text) for c in comments_of(path, kind, outcome.decoded(), text)]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("Dockerfile", "FROM a\n# one\nRUN a \\\n  # two\n  b # no\n", [(2, "# one"), (4, "# two")]),
        ("Dockerfile", "FROM a\nRUN <<X\n# no\nX\n# one\n", [(5, "# one")]),
        ("compose.yml", "services: {}  # one\n# two\n", [(1, "# one"), (2, "# two")]),
        ("compose.yml", "a: 'x # no'\nb: \"y # no\"\nc: z#no\nd: w # one\n", [(4, "# one")]),
        ("compose.yml", "a: |  # one\n  # no\n  x # no\n# two\nb: 1\n", [(1, "# one"), (4, "# two")]),
        ("compose.yml", "a: >\n  x\n\n  # no\n\n # one\n\nb: 1 # two\n", [(6, "# one"), (8, "# two")]),
        ("compose.yml", "a: 'x\n  # no\n  y' # one\n", [(3, "# one")]),
        ("compose.yml", "a: [x, # one\n  y] # two\n", [(1, "# one"), (2, "# two")]),
        ("compose.yml", "# no\na: 'not yet YAML\n", []),
        ("pyproject.toml", 'a = "# no"  # one\nb = """\n# no\n"""\n', [(1, "# one")]),
        ("pyproject.toml", "a = '# no'  # one\nb = '''\n# no\n'''  # two\n", [(1, "# one"), (4, "# two")]),
        ("pyproject.toml", 'a = "\\" # no"  # one\nb = [1, # two\n2]\n', [(1, "# one"), (2, "# two")]),
        ("requirements.txt", "a==1  # one\n# two\nb @ git+https://x#egg=b\n", [(1, "# one"), (2, "# two")]),
        ("logging.conf", "[handlers]\n# one\n; two\nx = # no\n", [(2, "# one"), (3, "; two")]),
        ("start.sh", "echo '# no' # no\n  # one\n", [(2, "# one")]),
        ("api.proto", 'syntax = "proto3"; // no\n', []),
    ],
)
def test_real_comments(path: str, text: str, expected: list[tuple[int, str]], tmp_path: Path) -> None:
    assert comments(path, text, tmp_path) == expected


@given(
    st.lists(
        st.sampled_from(["a: 1\n", "b: |\n", "  x\n", " # c\n", "# c\n", "'", '"', "- ", "[", "]", "\n", ": ", "#"])
    )
)
@settings(deadline=None)
def test_any_yaml_is_survived(parts: list[str]) -> None:
    text = "".join(parts)
    for comment in comments_of("x.yaml", FileKind.KUBERNETES, None, text):
        assert text.split("\n")[comment.line - 1][comment.column - 1 :] == comment.text


@given(st.text(st.sampled_from("abc=\"'#\\\n[]")))
@settings(deadline=None)
def test_any_toml_is_survived(text: str) -> None:
    for comment in comments_of("x.toml", FileKind.PACKAGE_METADATA, None, text):
        assert text.split("\n")[comment.line - 1][comment.column - 1 :] == comment.text


def test_the_command_line_explains_the_rules_on_comments(tmp_path: Path) -> None:
    ended = run_assay("explain", "META102", cwd=tmp_path)
    assert ended.code == 0
    assert "ignore-without-reason" in ended.out
