"""Reading survives every file: facts or one clear problem, in a worker and through the pool, never a traceback."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from assay.scanner.diagnostics import Reason
from assay.scanner.discovery import SourceFile
from assay.scanner.executors import read_all
from assay.scanner.filekinds import UNREAD, FileKind
from assay.scanner.model.role import Role
from assay.scanner.outcomes import FileOutcome
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.python import form
from assay.scanner.readers.python.reader import read
from assay.scanner.reading import _READERS, read_file

KILLER = b"x = " + b"(" * 3_000 + b")" * 3_000 + b"\n"
DEEP = {
    "else-ifs": b"if a: pass\n" + b"elif b: pass\n" * 5_000,
    "nots": b"x = " + b"not " * 2_700 + b"a\n",
}
SLOW = {  # LibCST takes a minute or more before it gives up or dies
    "attributes": b"x = a" + b".b" * 5_000 + b"\n",
    "sum": b"x = " + b"+".join([b"a"] * 20_000) + b"\n",
}


def test_every_kind_is_read_or_known_not_to_be() -> None:
    assert {*_READERS, FileKind.PYTHON} == {*FileKind} - UNREAD


def outcome_of(folder: Path, data: bytes, analyze: bool = False) -> FileOutcome:
    (folder / "file.py").write_bytes(data)
    return read_file(folder, "file.py", FileKind.PYTHON, analyze)


@pytest.mark.parametrize(
    ("data", "reason", "line", "words"),
    [
        (b"a = 1\nb = (\n", Reason.SYNTAX_ERROR, 2, "never closed"),
        (b"a = 1\n\nprint 'x'\n", Reason.SYNTAX_ERROR, 3, "print"),
        (b"def f():\nreturn 1\n", Reason.SYNTAX_ERROR, 2, "indented block"),
        (b"if a:\n    b\n   c\n", Reason.SYNTAX_ERROR, 3, "indent"),
        (b"a = 1\nb = '\\x4'\n", Reason.SYNTAX_ERROR, 2, "escape"),
        (b"a = 1\nb = f'\\x4{c}'\n", Reason.SYNTAX_ERROR, 2, "escape"),
        (b"a = 0777\n", Reason.SYNTAX_ERROR, 1, "0o"),
        ("\u00e4 = 1\n(a): int = 1\n".encode(), Reason.SYNTAX_ERROR, 2, "LibCST"),
        (b"a = 1\nb = '\0'\n", Reason.SYNTAX_ERROR, 2, "NUL"),
        (b"a = 1\nb = '\xff'\n", Reason.UNDECODABLE, 2, "encoding"),
        (b"# coding: ascii\nb = '\xe4'\n", Reason.UNDECODABLE, 2, "encoding"),
        (b"# coding: no-such-code\n", Reason.UNDECODABLE, None, "no-such-code"),
        (b"# coding: rot13\nk = 1\n", Reason.UNDECODABLE, None, "rot13"),
        (b"# coding: undefined\nk = 1\n", Reason.UNDECODABLE, None, "encoding"),
        (b"# coding: unicode_escape\nk = '\\\\ud800'\n".replace(b"\\\\", b"\\"), Reason.UNDECODABLE, None, "encoding"),
        (b"\xef\xbb\xbf# coding: latin-1\n", Reason.UNDECODABLE, None, "encoding"),
    ],
)
def test_a_file_that_is_no_python_is_one_clear_problem(
    tmp_path: Path, data: bytes, reason: Reason, line: int | None, words: str
) -> None:
    outcome = outcome_of(tmp_path, data)
    assert outcome.facts is None
    assert outcome.problem is not None
    assert outcome.problem[0] is reason
    assert outcome.problem[2] == line
    assert words in outcome.problem[1]
    assert "\n" not in outcome.problem[1]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"# only a comment", b"\n\n# two\r\n# comments\r\n", b"\xef\xbb\xbf", b"\x0c\n", b"pass",
     b"x = 1 # no end"],
)  # fmt: skip
def test_a_file_of_next_to_nothing_is_read(tmp_path: Path, data: bytes) -> None:
    facts = outcome_of(tmp_path, data).decoded()
    assert isinstance(facts, form.ModuleFacts)
    assert len(facts.comments) == data.count(b"#")


def test_a_huge_line_is_read(tmp_path: Path) -> None:
    facts = outcome_of(tmp_path, b"x = [" + b"1, " * 10_000 + b"f()]  # end\n").decoded()
    assert isinstance(facts, form.ModuleFacts)
    (call,) = (n for n in form.walk_body(facts.body) if isinstance(n, form.Call))
    assert facts.position(call.start) == (1, 30_006)


@pytest.mark.parametrize("data", DEEP.values(), ids=DEEP.keys())
def test_code_nested_too_deeply_is_one_clear_problem(tmp_path: Path, data: bytes) -> None:
    problem = outcome_of(tmp_path, data, analyze=True).problem
    assert problem is not None
    assert problem[0] is Reason.READER_CRASHED
    assert "nested" in problem[1]


@pytest.mark.parametrize(
    "data",
    [b"x = " + b" + ".join([b"a"] * 800) + b"\n", b"if a: pass\n" + b"elif b: pass\n" * 800, b"x = a" + b".b()" * 300],
    ids=["sum", "else-ifs", "chain"],
)
def test_long_ladders_sums_and_chains_are_read_and_decoded(tmp_path: Path, data: bytes) -> None:
    assert isinstance(outcome_of(tmp_path, data, analyze=True).decoded(), form.ModuleFacts)


def test_a_file_that_cannot_be_opened_is_one_clear_problem(tmp_path: Path) -> None:
    outcome = read_file(tmp_path, "gone.py", FileKind.PYTHON, analyze=True)
    assert outcome.problem == (Reason.UNREADABLE, "No such file or directory", None)


TOKENS = st.sampled_from(
    [*"f()[]{}:\n\t\x0c'\"\\=*,.0#@éª\ufeff\x00;`$?", "\r\n", "\n    ", "'''", "f'", "t'", "rb'", "u'", "\\N{", ":=",
     "**", "->", "...", "07", "1_", "1e9", "9j", "<>", "!r", "\U0001d4cd", "def ", "class ", "async ", "await ",
     "match ", "case ", "type ", "lambda", "if ", "else", "except", "try", "import ", "from ", "not ", "in ", "is ",
     "None", "print ", "exec "]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=200), st.lists(TOKENS, max_size=40).map(lambda t: "".join(t).encode())))
@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_give_facts_or_a_problem(data: bytes) -> None:
    try:
        outcome: form.ModuleFacts | ReadProblem = read(data)
    except ReadProblem as problem:
        outcome = problem
    if isinstance(outcome, ReadProblem):
        assert outcome.reason in (Reason.SYNTAX_ERROR, Reason.UNDECODABLE)
        assert outcome.message


# --- through the pool -------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"good{number}.py").write_text(f"def f{number}():\n    return g({number})\n", encoding="utf-8")
    (tmp_path / "wrong.py").write_text("def\n", encoding="utf-8")
    return tmp_path


def sources(root: Path) -> list[SourceFile]:
    return [SourceFile(p.name, FileKind.PYTHON, Role.PROD, p.stat().st_size) for p in sorted(root.glob("*.py"))]


def ignore(_files: int) -> None:
    """Progress that nobody watches."""


def outcomes(root: Path, jobs: int, done: list[int] | None = None) -> dict[str, FileOutcome]:
    found = list(read_all(root, sources(root), False, jobs, (done if done is not None else []).append))
    assert len({o.path for o in found}) == len(found)
    return {o.path: o for o in found}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_kills_its_reader_costs_itself_alone(tree: Path, jobs: int) -> None:
    for name in ("a", "z"):
        (tree / f"killer_{name}.py").write_bytes(KILLER)
    done: list[int] = []
    found = outcomes(tree, jobs, done)
    crashed = {path for path, o in found.items() if o.problem is not None and o.problem[0] is Reason.READER_CRASHED}
    assert crashed == {"killer_a.py", "killer_z.py"}
    assert {path for path, o in found.items() if o.facts is not None} == {f"good{n}.py" for n in range(12)}
    assert sum(done) == len(found) == 15


@pytest.mark.parametrize("data", SLOW.values(), ids=SLOW.keys())
def test_what_takes_the_parser_for_ever_costs_itself_alone(
    tree: Path, data: bytes, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--full-corpus"):
        pytest.skip("takes minutes: --full-corpus")
    (tree / "slow.py").write_bytes(data)
    found = outcomes(tree, 2)
    problem = found["slow.py"].problem
    assert problem is not None
    assert problem[0] is Reason.READER_CRASHED
    assert {path for path, o in found.items() if o.facts is not None} == {f"good{n}.py" for n in range(12)}


def test_one_job_and_two_jobs_read_the_same(tree: Path) -> None:
    def but_for_time(found: dict[str, FileOutcome]) -> dict[str, FileOutcome]:
        return {path: structs.replace(outcome, seconds=0.0) for path, outcome in found.items()}

    (tree / "large.py").write_text("x = f(1)\n#" + "-" * 150_000, encoding="utf-8")  # a batch of its own
    assert but_for_time(outcomes(tree, 1)) == but_for_time(outcomes(tree, 2))


def test_nothing_to_read_starts_no_process(tmp_path: Path) -> None:
    def no_pool(jobs: int) -> Executor:
        raise AssertionError("a pool was made")

    assert list(read_all(tmp_path, [], False, 2, ignore, no_pool)) == []


def test_an_unreadable_file_is_reported_by_the_pool(tree: Path) -> None:
    files = [*sources(tree), SourceFile("gone.py", FileKind.PYTHON, Role.PROD, 5)]
    found = {o.path: o for o in read_all(tree, files, False, os.cpu_count() or 1, ignore)}
    assert found["gone.py"].problem is not None
    assert found["gone.py"].problem[0] is Reason.UNREADABLE
