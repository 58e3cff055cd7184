"""How much work a scan does, counted in calls and not in seconds: it grows with the code, and no faster."""

from __future__ import annotations

import cProfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ParamSpec

import libcst
import pytest

import assay.rules
import assay.scanner
from assay.scanner import judging
from assay.scanner.cache import Cache
from assay.scanner.config import Config
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.profiling import Profile
from assay.scanner.readers.python import form, native, reader
from assay.scanner.recall import Recall
from assay.scanner.rulebook import load_rulebook
from benchmarks.generator.backend import Plan, generate
from benchmarks.generator.services import FRAMEWORKS

RULEBOOK = load_rulebook(assay.rules)
SMALL, LARGE = 4_000, 16_000

MOST_GROWTH = 1.15
"""Calls a line in the large service, against the small one."""

# When one of these is passed, something goes through the code more often than before. The failed test names the
# functions that are called most; `assay scan --profile` on a backend that `benchmarks/generate.py` makes tells which
# part or rule of the scan they belong to. Raise a ceiling only for work that is worth it.
MOST_CALLS_TO_JUDGE = {"fastapi": 125, "django": 88, "flask": 88}
"""Calls a line to link and judge the large service."""
MOST_CALLS_TO_READ = 168
"""Calls a line to parse, locate and lower: LibCST makes a node with one, and a visit is one or two."""

_COUNTED = tuple(str(Path(str(package.__file__)).parent) for package in (assay.scanner, assay.rules, libcst))
_WRITTEN_BY_DATACLASSES = "<string>"
_INLINED_SINCE_PYTHON_3_12 = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})

Calls = Counter[str]
_P = ParamSpec("_P")


def calls_of(work: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> Calls:
    """How often each function was called; only what is the same for every version of Python is counted."""
    profiler = cProfile.Profile(builtins=False)
    profiler.runcall(work, *args, **kwargs)
    calls: Calls = Counter()
    for entry in profiler.getstats():
        if isinstance(entry.code, str) or entry.code.co_name in _INLINED_SINCE_PYTHON_3_12:
            continue
        path = entry.code.co_filename
        if path == _WRITTEN_BY_DATACLASSES or path.startswith(_COUNTED):
            calls[f"{entry.code.co_qualname} ({Path(path).name})"] += entry.callcount
    return calls


def lines_of(tree: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in tree.rglob("*.py"))


def a_line(calls: Calls, lines: int) -> dict[str, float]:
    return {function: count / lines for function, count in calls.items()}


def most(figures: Mapping[str, float]) -> str:
    """The functions to look at first, for the message of a test that fails."""
    first = sorted(figures.items(), key=lambda item: -item[1])[:10]
    return "\n".join(f"{figure:8.2f} a line: {function}" for function, figure in first)


def scanned(tree: Path, cache: Path | None = None) -> Profile:
    profile = Profile()
    recall = None if cache is None else Recall(Cache.open(cache))
    scan(tree, RULEBOOK, {}, Options(Config(), 1, False, lambda _: InlineExecutor(), recall, profile))
    return profile


# --- linking and judging ----------------------------------------------------------------------------------------------


def judged_calls(tree: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Calls a line that linking and judging the tree took."""
    judge_sources = judging.judge_sources
    counted: list[Calls] = []

    def counting(*args: object) -> object:
        answers: list[object] = []
        counted.append(calls_of(lambda: answers.append(judge_sources(*args))))  # type: ignore[arg-type]
        return answers[0]

    with monkeypatch.context() as patch:
        patch.setattr(judging, "judge_sources", counting)
        scanned(tree)
    (calls,) = counted
    return a_line(calls, lines_of(tree))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_linking_and_judging_take_work_in_proportion_to_the_code(
    framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, plan in {
        "other": Plan(SMALL, seed=1, frameworks=(framework,)),
        "small": Plan(SMALL, frameworks=(framework,)),
        "large": Plan(LARGE, frameworks=(framework,)),
    }.items():
        generate(tmp_path / name, plan)
    scanned(tmp_path / "other")  # what is done once in a process is no part of a line's work

    small = judged_calls(tmp_path / "small", monkeypatch)
    large = judged_calls(tmp_path / "large", monkeypatch)

    growth = {function: figure - small.get(function, 0) for function, figure in large.items()}
    for_small, for_large = sum(small.values()), sum(large.values())
    assert for_large <= MOST_GROWTH * for_small, f"these grow fastest:\n{most(growth)}"
    assert for_large <= MOST_CALLS_TO_JUDGE[framework], f"these are called most:\n{most(large)}"


# --- reading ----------------------------------------------------------------------------------------------------------


def test_reading_visits_each_node_a_fixed_number_of_times(tmp_path: Path) -> None:
    generate(tmp_path, Plan(SMALL))
    module = max(tmp_path.rglob("*.py"), key=lambda path: path.stat().st_size).read_bytes()
    reader.read(module)  # LibCST looks up its fields once in a process

    once = a_line(calls_of(reader.read, module), module.count(b"\n"))
    eightfold = a_line(calls_of(reader.read, 8 * module), 8 * module.count(b"\n"))

    for_one, for_eight = sum(once.values()), sum(eightfold.values())
    assert for_eight <= 1.01 * for_one
    assert for_one <= MOST_CALLS_TO_READ, f"these are called most:\n{most(once)}"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The texts that were parsed to the last detail, as often as they were."""
    texts: Counter[str] = Counter()
    facts_of = native.facts_of

    def counting(text: str) -> form.ModuleFacts | None:
        texts[text] += 1
        return facts_of(text)

    monkeypatch.setattr(native, "facts_of", counting)
    return texts


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """A backend of three services, with tests."""
    tree = tmp_path / "backend"
    generate(tree, Plan(9_000, service_lines=3_000))
    for service in (tree / "services").iterdir():
        (service / "tests").mkdir(exist_ok=True)
        (service / "tests" / "test_limits.py").write_text(f"def test_limit_of_{len(service.name)}() -> None: ...\n")
    return tree


def code_of(tree: Path) -> Counter[str]:
    return Counter(path.read_text() for path in tree.rglob("*.py") if "tests" not in path.parts)


def test_a_cold_scan_parses_each_file_once_and_no_tests(services: Path, parsed: Counter[str]) -> None:
    scanned(services)

    assert parsed == code_of(services)


def test_nothing_is_parsed_where_nothing_changed(services: Path, tmp_path: Path, parsed: Counter[str]) -> None:
    scanned(services, tmp_path / "cache")
    parsed.clear()

    profile = scanned(services, tmp_path / "cache")

    assert profile.result_recalled
    assert not parsed
    assert not profile.files


def test_one_change_parses_one_file_and_judges_one_service(
    services: Path, tmp_path: Path, parsed: Counter[str]
) -> None:
    first = scanned(services, tmp_path / "cache")
    parsed.clear()
    changed = max((services / "services" / "ledger").rglob("*.py"), key=lambda path: path.stat().st_size)
    changed.write_text(changed.read_text() + "\n\n_LONGEST_NOTE = 400\n")

    profile = scanned(services, tmp_path / "cache")

    assert parsed == Counter([changed.read_text()])
    assert set(profile.files) == {changed.relative_to(services).as_posix()}
    assert profile.recalled == len(first.files) - 1
    assert not any(first.units.values())
    assert len(profile.units) == 3
    assert [root for root, known in profile.units.items() if not known] == ["services/ledger"]
