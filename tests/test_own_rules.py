"""Rules of one's own: files in Python and YAML, installed plugins, and what they must not do to the rest."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assay.reports.formats import FORMATS
from assay.scanner.results import JudgedVerdict
from assay.scanner.verdicts import Kind
from tests.own_rules import DATA, EXAMPLE, FILES, PYTHON, ROOT, loaded, problem_of, rule_with, scanned, written
from tests.repositories import Repository
from tests.running import Ended, backend, run_assay

MISTAKES = {
    "no Python": ("def (", "mine.py:1: SyntaxError: "),
    "a missing import": (f"{PYTHON}\nimport no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
    "an error as it runs": (f"{PYTHON}\n1 / 0\n", "mine.py:19: ZeroDivisionError: division by zero"),
    "an exit": (f"{PYTHON}\nraise SystemExit(3)\n", "mine.py:19: SystemExit: 3"),
    "no rule": ('"""ACME1: nothing."""\n', "mine.py: there is no rule in it"),
    "no Why": (PYTHON.replace("Why:", "Because:"), "ACME101: the docstring of long_path needs a first sentence"),
    "an empty Fix": (PYTHON.replace("Fix: shorten it.", "Fix:"), "ACME101: the docstring of long_path leaves"),
    "a bad code": (PYTHON.replace('"ACME101"', '"acme-1"'), "'acme-1' is no rule code"),
    "an unknown subject": (
        PYTHON.replace("endpoint: Endpoint", "endpoint: str"),
        "mine.py:10: ACME101 judges str, and a service has no such parts",
    ),
    "a subject that isn't imported": (
        PYTHON.replace("endpoint: Endpoint", "endpoint: Endpont"),
        "mine.py:10: NameError: name 'Endpont' is not defined",
    ),
    "a section of the standard": (
        PYTHON.replace("ACME", "API"),
        "mine.py:10: API101: API is a section of the standard; give your rules letters of their own, as in ACME101",
    ),
    "a principle beside the standard's": (PYTHON.replace("ACME", "SEC"), "SEC is a section of the standard"),
    "letters of bandit's": (PYTHON.replace("ACME1", "B1"), "B is what bandit's checks are called"),
    "no principle": (
        PYTHON.replace("ACME1: endpoints", "Endpoints"),
        "mine.py:10: ACME101 belongs to ACME1, and nothing says what that is; "
        'write it where the file begins: "ACME1: billing endpoints are signed."',
    ),
    "no edition": (PYTHON.replace("Severity.LOW", 'Severity.LOW, since="2031.1"'), "there is no edition '2031.1'"),
    "calls of no function call": (
        PYTHON.replace("Severity.LOW", 'Severity.LOW, calls=("os.system",)'),
        "ACME101: `calls` names the functions whose calls a rule about FunctionCall judges",
    ),
    "a weight of nothing": (
        f'{PYTHON}\nWEIGHTS = {{"ACNE": 10}}\n',
        "no rule is in a section ACNE; did you mean 'ACME'?",
    ),
    "a weight that is none": (f'{PYTHON}\nWEIGHTS = {{"ACME": "much"}}\n', "ACME weighs 'much'"),
    "weights of another shape": (f"{PYTHON}\nWEIGHTS = 10\n", "WEIGHTS holds shares of the score by section"),
}


def own_verdicts(ended: Ended) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for verdict in json.loads(ended.out)["verdicts"]:
        if verdict["rule"].startswith("ACME"):
            found.setdefault(verdict["rule"], []).append(verdict)
    return found


@pytest.fixture(scope="module")
def with_rules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    rules = [argument for file in FILES for argument in ("--rules", file)]
    ended = run_assay(
        "scan", EXAMPLE / "service", *rules, "--no-cache", "-f", "json", cwd=tmp_path_factory.mktemp("with")
    )
    assert ended.code == 0, ended.err
    report: dict[str, Any] = json.loads(ended.out)
    return report


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    ended = run_assay("scan", EXAMPLE / "service", "--no-cache", "-f", "json", cwd=tmp_path_factory.mktemp("without"))
    report: dict[str, Any] = json.loads(ended.out)
    return report


class TestTheWorkedExample:
    """`fixtures/own_rules`, which `docs/own-rules.md` teaches with."""

    def test_its_cases_pass(self, tmp_path: Path) -> None:
        ended = run_assay("rule", "test", EXAMPLE, cwd=tmp_path)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out == "13 cases of 4 rules: all as they are marked\n"

    def test_a_folder_stands_for_the_files_in_it(self, tmp_path: Path) -> None:
        assert [r.code for r in loaded(EXAMPLE).rules if r.place] == ["ACME101", "ACME201", "ACME301", "ACME302"]
        assert problem_of(tmp_path) == f"{tmp_path}: there are no files of rules in it (.py or .yaml)"

    def test_each_rule_finds_its_fault(self, with_rules: dict[str, Any]) -> None:
        fails = {v["rule"]: v["message"] for v in with_rules["verdicts"] if v["kind"] == "fail"}
        assert {code: text for code, text in fails.items() if code.startswith("ACME")} == {
            "ACME101": "table invoices counts money in binary fractions",
            "ACME201": "requests.post waits for ever in app:refund",
            "ACME301": "POST /api/refunds: An endpoint of the API answers anybody",
            "ACME302": "POST /api/refunds: An endpoint changes something off the record",
        }

    def test_scores_by_the_standard_stay_comparable(self, with_rules: dict[str, Any], without: dict[str, Any]) -> None:
        (mine,), (theirs,) = with_rules["services"], without["services"]
        assert (mine["score"], mine["grade"], mine["coverage"]) == (
            theirs["score"], theirs["grade"], theirs["coverage"],
        )  # fmt: skip
        own = mine["sections"].pop()
        assert (own["id"], own["title"], own["weight"], own["score"]) == (
            "ACME", "House rules of the payments team", 0, 0.0,
        )  # fmt: skip
        assert mine["sections"] == theirs["sections"]

    def test_another_set_of_rules_is_another_configuration(
        self, with_rules: dict[str, Any], without: dict[str, Any]
    ) -> None:
        assert with_rules["configuration"] != without["configuration"]

    def test_explain_and_rules_show_them(self, tmp_path: Path) -> None:
        rules = ("--rules", FILES[0])
        explained = run_assay("explain", "ACME101", *rules, cwd=tmp_path).out
        assert "binary-float-money" in explained
        assert "ACME1 Exact money" in explained
        listed = run_assay("rules", *rules, cwd=tmp_path).out
        assert "Rules of your own: 1 section, 1 principle, 1 rule" in listed
        assert "10 sections, 40 principles" in listed

    def test_the_document_shows_these_very_files(self) -> None:
        text = (ROOT / "docs" / "own-rules.md").read_text(encoding="utf-8")
        shown = re.findall(r"```(?:python|yaml)\n(.*?)```", text, re.DOTALL)
        for file in (*FILES, EXAMPLE / "cases" / "ACME201" / "fail.py"):
            assert file.read_text(encoding="utf-8") in shown, file

    def test_every_format_shows_them(self) -> None:
        result = scanned(EXAMPLE / "service", *FILES)
        for name, form in FORMATS.items():
            text = form.render(result)
            assert text, name
            if name in ("json", "sarif", "html", "jsonl", "csv"):
                assert "ACME302" in text, name


class TestPythonRules:
    @pytest.mark.parametrize("mistake", MISTAKES)
    def test_a_mistake_is_told_with_file_and_line(self, mistake: str, tmp_path: Path) -> None:
        text, expected = MISTAKES[mistake]
        problem = problem_of(written(tmp_path / "mine.py", text))
        assert expected in problem
        assert problem.startswith(str(tmp_path / "mine.py"))

    def test_two_files_with_one_code(self, tmp_path: Path) -> None:
        one, two = written(tmp_path / "one.py", PYTHON), written(tmp_path / "two.py", f"{PYTHON}\n")
        assert problem_of(one, two) == f"{two}:10: ACME101 is defined twice: here and in {one}:10"

    def test_two_files_that_say_different_things_of_a_principle(self, tmp_path: Path) -> None:
        one = written(tmp_path / "one.py", PYTHON)
        two = written(tmp_path / "two.py", PYTHON.replace("ACME101", "ACME102").replace("are short", "are long"))
        assert problem_of(one, two).startswith(f"{two}: ACME1 is 'endpoints are long.' here and 'endpoints are short.'")

    def test_one_file_twice_is_one(self, tmp_path: Path) -> None:
        one = written(tmp_path / "one.py", PYTHON)
        assert [r.code for r in loaded(one, one).rules if r.place] == ["ACME101"]

    def test_a_mistake_ends_a_scan_with_2_and_one_line(self, tmp_path: Path) -> None:
        rules = written(tmp_path / "rules" / "mine.py", "def (")
        ended = run_assay("scan", backend(tmp_path / "app"), "--rules", rules, "--no-cache", cwd=tmp_path)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err == f"assay: {rules}:1: SyntaxError: invalid syntax\n"

    def test_another_kind_of_file_is_refused(self, tmp_path: Path) -> None:
        assert problem_of(written(tmp_path / "rules.toml", "")).endswith(
            "rules are a Python file (.py) or a data file (.yaml)"
        )

    def test_a_weight_makes_the_section_count(self, tmp_path: Path) -> None:
        rules = written(tmp_path / "mine.py", f'{PYTHON}\nWEIGHTS = {{"ACME": 10}}\n')
        (service,) = scanned(backend(tmp_path / "app"), rules).services
        assert service.score == 100.0

    def test_without_a_weight_there_is_no_overall_score(self, tmp_path: Path) -> None:
        (service,) = scanned(backend(tmp_path / "app"), written(tmp_path / "mine.py", PYTHON)).services
        assert (service.score, service.sections[-1].score) == (None, 100.0)

    def test_a_preview_is_shown_and_counts_nowhere(self, tmp_path: Path) -> None:
        text = PYTHON.replace("Severity.LOW", "Severity.LOW, preview=True").replace("> 20", "> 3")
        result = scanned(backend(tmp_path / "app"), written(tmp_path / "mine.py", text))
        assert [v.kind for v in result.verdicts] == [Kind.FAIL]
        assert [(rule.is_preview, rule.counts) for rule in result.rules] == [(True, False)]
        assert result.services[0].sections[-1].score is None
        data = scanned(tmp_path / "app", written(tmp_path / "mine.yaml", rule_with(preview="true")))
        assert [rule.counts for rule in data.rules] == [False]

    @pytest.mark.parametrize("body", ["1 / 0", "None"])
    def test_a_rule_that_crashes_is_told_with_its_place(self, body: str, tmp_path: Path) -> None:
        text = re.sub(r"return fail.*", f"return {body}", PYTHON)
        rules = written(tmp_path / "mine.py", text)
        result = scanned(backend(tmp_path / "app"), rules)
        (diagnostic,) = result.diagnostics
        assert diagnostic.reason.is_internal_error
        assert f"it stands in {rules}:10" in diagnostic.message
        assert "please report" not in diagnostic.message

    def test_a_docstring_may_hold_several_headings(self, tmp_path: Path) -> None:
        text = PYTHON.replace(
            '"""ACME1: endpoints are short."""',
            '"""ACME: House rules.\n\nACME1: Short paths. Every path can be\nremembered.\nACME2: unused.\n"""',
        )
        section = loaded(written(tmp_path / "mine.py", text)).standard.sections[-1]
        assert (section.title, [p.id for p in section.principles]) == ("House rules", ["ACME1"])
        (principle,) = section.principles
        assert (principle.title, principle.statement) == ("Short paths", "Every path can be remembered.")


class TestPlugins:
    """Real distributions: a folder on the path with a `.dist-info`."""

    @staticmethod
    def installed(folder: Path, value: str, **modules: str) -> dict[str, str]:
        """The environment of a process that has the plugin."""
        info = folder / "acme_rules-1.0.dist-info"
        written(info / "METADATA", "Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n")
        written(info / "entry_points.txt", f"[assay.rules]\nacme = {value}\n")
        for name, text in modules.items():
            written(folder / f"{name.replace('__', '/')}.py", text)
        return {"PYTHONPATH": str(folder)}

    def test_an_installed_module_is_judged_by(self, tmp_path: Path) -> None:
        environment = self.installed(tmp_path / "site", "acme_rules", acme_rules=PYTHON)
        app = backend(tmp_path / "app")
        ended = run_assay("scan", app, "--no-cache", "-f", "json", cwd=tmp_path, environment=environment)
        assert [v["kind"] for v in own_verdicts(ended)["ACME101"]] == ["pass"]

    def test_an_installed_package_is_walked(self, tmp_path: Path) -> None:
        environment = self.installed(tmp_path / "site", "acme_rules", acme_rules__init="", acme_rules__paths=PYTHON)
        (tmp_path / "site" / "acme_rules" / "init.py").rename(tmp_path / "site" / "acme_rules" / "__init__.py")
        ended = run_assay("explain", "ACME101", cwd=tmp_path, environment=environment)
        assert "long-path" in ended.out

    @pytest.mark.parametrize(
        ("value", "text", "expected"),
        [
            ("acme_rules:rules", PYTHON, "'acme_rules:rules' is more than the name of a module"),
            ("acme_rulez", PYTHON, "the plugin 'acme' of acme-rules: there is no module acme_rulez"),
            ("acme_rules", "def (", "acme_rules.py:1: the plugin acme_rules can't be loaded: SyntaxError"),
            (
                "acme_rules",
                f"{PYTHON}1 / 0\n",
                "acme_rules.py:18: the plugin acme_rules can't be loaded: ZeroDivisionError",
            ),
            (
                "acme_rules",
                PYTHON.replace("Why", "Who"),
                "acme_rules.py:10: the plugin acme_rules can't be loaded: ACME101",
            ),
            ("acme_rules", "", "the plugin acme_rules: there is no rule in it"),
        ],
    )
    def test_a_plugin_that_fails_to_load_is_one_line_and_2(
        self, value: str, text: str, expected: str, tmp_path: Path
    ) -> None:
        environment = self.installed(tmp_path / "site", value, acme_rules=text)
        ended = run_assay("rules", cwd=tmp_path, environment=environment)
        assert (ended.code, ended.out) == (2, "")
        assert expected in ended.err
        assert ended.err.count("\n") == 1

    def test_nothing_in_the_scanned_tree_is_ever_run(self, tmp_path: Path) -> None:
        """Not as a plugin either, where the current folder is on the path, as `python -m` has it."""
        app = backend(tmp_path / "app")
        trap = f'from pathlib import Path\nPath("{tmp_path / "run"}").touch()\n{PYTHON}'
        self.installed(app, "acme_rules", acme_rules=trap)
        written(app / "rules" / "acme.py", trap)
        ended = run_assay("scan", ".", "--no-cache", "-f", "json", cwd=app)
        assert ended.code == 0
        assert own_verdicts(ended) == {}
        assert not (tmp_path / "run").exists()


class TestWorkersAndCache:
    @pytest.fixture
    def services(self, tmp_path: Path) -> Path:
        """Three services that have nothing to do with one another: three units."""
        for name in ("orders", "users", "stock"):
            folder = backend(tmp_path / "tree" / name)
            written(folder / "pyproject.toml", f'[project]\nname = "{name}"\n')
            written(
                folder / "more.py", "import requests\n\n\ndef ask():\n    return requests.get('https://x.example')\n"
            )
        return tmp_path / "tree"

    def test_workers_know_files_of_both_kinds_and_plugins(self, services: Path, tmp_path: Path) -> None:
        environment = TestPlugins.installed(
            tmp_path / "site", "acme_rules", acme_rules=PYTHON.replace("ACME1", "ACME4")
        )
        files = ("--rules", written(tmp_path / "one.py", PYTHON), "--rules", FILES[1])
        outs = []
        for jobs in ("1", "2"):
            command = ("scan", services, *files, "--no-cache", "-j", jobs, "-f", "json")
            ended = run_assay(*command, cwd=tmp_path, environment=environment)
            assert ended.code == 0, ended.err
            found = own_verdicts(ended)
            assert {code: len(verdicts) for code, verdicts in found.items()} == {
                "ACME101": 3, "ACME201": 3, "ACME301": 3, "ACME302": 3, "ACME401": 3,
            }  # fmt: skip
            outs.append(re.sub(r'"seconds": [\d.]+', "", ended.out))
        assert outs[0] == outs[1]

    def test_what_is_recalled_is_what_the_rules_say_now(self, services: Path, tmp_path: Path) -> None:
        rules = written(tmp_path / "mine.py", PYTHON)

        def kinds(*files: Path) -> list[str]:
            arguments = [argument for file in files for argument in ("--rules", file)]
            command = ("scan", services, *arguments, "--cache-dir", tmp_path / "cache", "-j", "2", "-f", "json")
            return [v["kind"] for v in own_verdicts(run_assay(*command, cwd=tmp_path)).get("ACME101", [])]

        assert kinds(rules) == ["pass"] * 3
        assert kinds(rules) == ["pass"] * 3
        assert kinds() == []
        written(rules, PYTHON.replace("> 20", "> 3"))
        assert kinds(rules) == ["fail"] * 3
        other = written(tmp_path / "other.yaml", DATA.replace("ACME2", "ACME1"))
        assert kinds(other) == ["fail"] * 3
        written(rules, PYTHON)
        assert kinds(rules) == ["pass"] * 3


def test_the_gate_counts_them_as_it_is_configured(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "tree")
    repository.write("app.py", (EXAMPLE / "cases" / "ACME301" / "pass.py").read_text(encoding="utf-8"))
    repository.write("assay.toml", '[rules.ACME301]\nseverity = "high"\n')
    base = repository.commit()
    more = (EXAMPLE / "cases" / "ACME301" / "fail.py").read_text(encoding="utf-8").replace("/invoices/", "/open/")
    repository.write("more.py", more)
    repository.commit()
    command = ("gate", "tree", "--no-cache", "--since", base)
    ended = run_assay(*command, "--rules", FILES[1], cwd=tmp_path)
    assert ended.code == 1
    assert "new high findings: 1 (ACME301)" in ended.out
    ended = run_assay(*command, cwd=tmp_path)
    assert ended.code == 2
    assert "rules of your own are read with --rules" in ended.err


def test_a_verdict_of_ones_own_is_like_any_other() -> None:
    verdict = next(v for v in scanned(EXAMPLE / "service", *FILES).verdicts if v.rule == "ACME201")
    assert isinstance(verdict, JudgedVerdict)
    assert verdict.subject.kind == "FunctionCall"
    assert verdict.fingerprint
