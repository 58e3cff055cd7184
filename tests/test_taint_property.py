"""The taint engine against programs that are run: what a client reaches is found, what it can't reach doesn't fail.

A few programs, always the same ones; `pytest --full-corpus` tries thousands, half of them others each time.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

import assay.rules
from assay.scanner.config import Config, ServiceConfig
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Kind
from tests.programs import HEADER, Program, program_of, programs, reached

DRAWN_ONES, SEEDS, MANY = 60, 200, 5000
DRAWN = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

STANDARD = load_rulebook(assay.rules)
RULEBOOK = replace(STANDARD, rules=tuple(rule for rule in STANDARD.rules if rule.code == "SEC102"))
OPTIONS = Options(
    Config(services={"app": ServiceConfig(".")}), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor()
)


def kinds(program: Program) -> dict[int, Kind]:
    """What the rule says of each command, by its line."""
    limit = sys.getrecursionlimit()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "app.py").write_text(program.text, encoding="utf-8")
        result = scan(Path(folder), RULEBOOK, {}, OPTIONS)
    sys.setrecursionlimit(limit)  # Hypothesis minds that reading deep code has raised it
    assert [str(d) for d in result.diagnostics if d.reason.is_internal_error] == []
    return {verdict.location.line: verdict.kind for verdict in result.verdicts}


def check(program: Program) -> None:
    found, true = kinds(program), reached(program)
    missed = {line for line in true if found.get(line) not in (Kind.FAIL, Kind.REVIEW)}
    wrong = {line for line, kind in found.items() if kind is Kind.FAIL and line not in true}
    assert missed == set(), program.text
    assert wrong == set() or not program.is_decided, program.text


@given(programs())
@settings(DRAWN, max_examples=DRAWN_ONES, derandomize=True)
def test_what_a_client_reaches_is_found_and_what_it_cannot_reach_does_not_fail(program: Program) -> None:
    check(program)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_same_of_programs_that_have_less_in_common(seed: int) -> None:
    check(program_of(seed))


def test_the_same_of_many_programs(pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("--full-corpus"):
        pytest.skip("takes minutes: --full-corpus")
    for seed in range(SEEDS, MANY):
        check(program_of(seed))
    settings(DRAWN, max_examples=MANY)(given(programs())(check))()


# --- the programs themselves ------------------------------------------------------------------------------------------

CONSTRUCTS = (
    "def f", "return ", "lambda", "nonlocal", "yield", "*rest", "**named", "class ", "@dataclass", "super()", "setattr",
    "if ", "elif", "else:", "match ", "for ", "while ", "break", "continue", "try:", "except", "finally:", "flip()",
    "+=", "|=", ".append(", ".insert(", ".pop(", ".extend(", ".update(", "del ", " = [", "[1:]", "[::-1]", "[*", "{**",
    " for v in ", 'f"', "%s", ".format(", ".join(", ".replace(", ".encode(", "b64decode", ".isalnum()", ".both()",
)  # fmt: skip


def test_programs_end_and_are_of_all_sorts() -> None:
    commands, reaching, texts = Counter[bool](), Counter[bool](), []
    for seed in range(500):
        program = program_of(seed)
        true = reached(program)
        assert true <= program.commands
        commands[program.is_decided] += len(program.commands)
        reaching[program.is_decided] += len(true)
        texts.append(program.text.removeprefix(HEADER))
    for is_decided in (True, False):
        assert 0.25 < reaching[is_decided] / commands[is_decided] < 0.7
    assert {construct for construct in CONSTRUCTS if sum(construct in text for text in texts) < 5} == set()


@given(programs())
@settings(DRAWN)
def test_programs_that_are_drawn_end(program: Program) -> None:
    assert reached(program) <= program.commands


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("os.system('k')", []),
        ("os.system(request.args['q'])", [1]),
        ("os.system(str(len(request.args['q'])))", []),
        ("os.system(request.args['q'][::-1].upper()[3:9])", [1]),
        ("if flip():\n    os.system(request.args['q'])", [2]),
        ("if flip() and not flip() and flip():\n    os.system(request.args['q'])\nos.system('k')", [2]),
        ("if request.args['q'].isalnum():\n    os.system(request.args['q'])", []),
        ("return\nos.system(request.args['q'])", []),
        ("while flip():\n    os.system(request.args['q'])", [2]),
    ],
)
def test_what_is_reached_is_seen_by_running(body: str, lines: list[int]) -> None:
    head = f'{HEADER}\n\n@app.route("/")\ndef view():\n'
    text = head + "".join(f"    {line}\n" for line in body.splitlines())
    first = head.count("\n")
    assert reached(Program(text, is_decided=False)) == {first + line for line in lines}
