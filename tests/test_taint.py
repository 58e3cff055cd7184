"""How data is followed: the stated rules about what isn't known, the bound on work, and models of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import assay.rules
from assay.scanner.cli import cli
from assay.scanner.config import Config, ServiceConfig
from assay.scanner.diagnostics import Reason
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.libraries import Library, load_library
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Kind

STANDARD = load_rulebook(assay.rules)
OPTIONS = Options(
    Config(services={"app": ServiceConfig(".")}), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor()
)
HEAD = "import os\nfrom flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
ACME = """
library: Acme
packages: [acme]
types: {gives: {acme.connect: acme.Client}}
sources: [{of: [acme.Client], names: [received]}]
sinks: [{kind: command, names: [acme.shell]}]
sanitizers: [{names: [acme.quoted], cleans: [command]}]
guards: [{names: [acme.is_ours], cleans: [command]}]
propagators: [{names: [acme.trimmed]}]
"""


def scanned(root: Path, code: str, rule: str = "SEC102", libraries: tuple[Library, ...] = ()) -> ScanResult:
    (root / "app.py").write_text(HEAD + code, encoding="utf-8")
    rulebook = replace(STANDARD, rules=tuple(r for r in STANDARD.rules if r.code == rule))
    return scan(root, rulebook, {}, replace(OPTIONS, libraries=libraries))


def kinds(root: Path, body: str, imports: str = "", libraries: tuple[Library, ...] = ()) -> list[Kind]:
    """The verdicts on the commands of one view, in order."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    view = f'{imports}\n@app.get("/")\ndef view():\n    q = request.args["q"]\n{lines}    return ""\n'
    result = scanned(root, view, libraries=libraries)
    assert [d for d in result.diagnostics if d.reason.is_internal_error] == []
    return [v.kind for v in result.verdicts]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("os.system(stranger(q))", Kind.REVIEW),
        ("os.system(acme.made_of(q))", Kind.REVIEW),
        ("os.system(acme.Client().fetch(q))", Kind.PASS),
        ("os.system(acme.made_of('fixed'))", Kind.PASS),
        ("os.system(Order(q).name)", Kind.FAIL),
        ("os.system(Order(name='x', number=q).number)", Kind.PASS),
        ("os.system(Order(**request.args).name)", Kind.FAIL),
        ("os.system(Order(**request.args).number)", Kind.PASS),
    ],
)
def test_the_stated_rules_about_calls_that_nobody_knows(tmp_path: Path, body: str, kind: Kind) -> None:
    imports = (
        "import acme\nfrom acme import stranger\nfrom pydantic import BaseModel\n\n\n"
        "class Order(BaseModel):\n    name: str = ''\n    number: int = 0\n\n"
    )
    assert kinds(tmp_path, body, imports) == [kind]


def test_a_model_of_ones_own_is_taken_into_account(tmp_path: Path) -> None:
    body = """
acme.shell(q)
os.system(acme.quoted(q))
os.system(acme.trimmed(q))
os.system(acme.connect().received)
if acme.is_ours(q):
    os.system(q)
"""
    wanted = [Kind.FAIL, Kind.PASS, Kind.FAIL, Kind.FAIL, Kind.PASS]
    assert kinds(tmp_path, body, "import acme\n", (load_library(ACME, "acme.yaml"),)) == wanted


def test_a_model_is_named_on_the_command_line(tmp_path: Path) -> None:
    tree, model = tmp_path / "tree", tmp_path / "acme.yaml"
    tree.mkdir()
    (tree / "app.py").write_text(
        HEAD + "import acme\n\n\n@app.get('/')\ndef view():\n    acme.shell(request.args['q'])\n"
    )
    model.write_text(ACME, encoding="utf-8")
    plain = CliRunner().invoke(cli, ["scan", str(tree), "--no-analyzers", "--no-cache"])
    told = CliRunner().invoke(cli, ["scan", str(tree), "--no-analyzers", "--no-cache", "--libraries", str(model)])
    assert (plain.exit_code, told.exit_code) == (0, 0)
    assert "SEC102" not in plain.output.split("Sections")[0]
    assert "a client sends" in told.output or "comes from a client" in told.output


def test_a_cached_result_is_not_that_of_other_models(tmp_path: Path) -> None:
    tree, model = tmp_path / "tree", tmp_path / "acme.yaml"
    tree.mkdir()
    (tree / "app.py").write_text(
        HEAD + "import acme\n\n\n@app.get('/')\ndef view():\n    acme.shell(request.args['q'])\n"
    )
    model.write_text(ACME, encoding="utf-8")
    asked = ["scan", str(tree), "--no-analyzers", "--cache-dir", str(tmp_path / "cache"), "--format", "json"]
    outputs = [CliRunner().invoke(cli, [*asked, *more]).output for more in ([], ["--libraries", str(model)], [])]
    assert [output.count('"rule": "SEC102"') for output in outputs] == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("library: [", "acme.yaml, line 2: it is no YAML"),
        ("library: Acme\npackages: [acme]\nsinks: [{kind: shell, names: [a.b]}]", "Invalid enum value 'shell'"),
        ("library: Acme\npackages: [acme]\nsink: []", "unknown field `sink`"),
    ],
)
def test_a_bad_model_is_one_clear_message(tmp_path: Path, text: str, said: str) -> None:
    model = tmp_path / "acme.yaml"
    model.write_text(text, encoding="utf-8")
    (tmp_path / "app.py").write_text(HEAD)
    result = CliRunner().invoke(cli, ["scan", str(tmp_path), "--libraries", str(model)])
    assert result.exit_code == 2
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_function_beyond_the_bound_is_a_diagnostic_and_not_a_hang(tmp_path: Path) -> None:
    loops = "".join(f"{'    ' * depth}for i{depth} in range(n):\n" for depth in range(1, 15))
    deep = f"def deep(n, q):\n{loops}{'    ' * 15}q += str(i1)\n    return q\n\n\n"
    view = '@app.get("/")\ndef view():\n    os.system(deep(9, request.args["q"]))\n    os.system(request.args["q"])\n'
    result = scanned(tmp_path, deep + view)
    told = [d for d in result.diagnostics if d.reason is Reason.UNRESOLVED]
    assert ["`deep`" in d.message and d.path == "app.py" for d in told] == [True]
    assert [v.kind for v in result.verdicts][-1] is Kind.FAIL


def test_a_long_chain_of_branches_costs_no_more_than_its_length(tmp_path: Path) -> None:
    branches = "".join(f"    if request.args['k{n}']:\n        q += 'x{n}'\n" for n in range(300))
    assert kinds(tmp_path, branches.strip().replace("\n    ", "\n") + "\nos.system(q)") == [Kind.FAIL]


def test_a_finding_shows_where_the_value_goes(tmp_path: Path) -> None:
    code = (
        "def command(name):\n    text = 'ls ' + name\n    return text\n\n\n"
        '@app.get("/")\ndef view():\n    q = request.args["q"]\n    os.system(command(q))\n'
    )
    (verdict,) = scanned(tmp_path, code).verdicts
    (flow,) = verdict.flows
    assert [step.location.line for step in flow] == [14, 15, 8, 9, 15]
    assert flow[0].text == "`flask.request.args` comes from a client"
    assert flow[-1].location == verdict.location
