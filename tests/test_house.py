"""The house rules: what is packaged, how rules are named and documented, and that the documents are true."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from jsonschema.validators import validator_for
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import assay.rules
from assay.scanner import __version__
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.rulebook import Rule, Rulebook, load_rulebook
from assay.scanner.verdicts import Kind

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("scanner", "rules", "reports")
FOLDERS = {
    "API": "api",
    "DB": "database",
    "SEC": "security",
    "PERF": "performance",
    "TEST": "testing",
    "SVC": "services",
    "MQ": "messaging",
    "OPS": "deployment",
    "OBS": "observability",
    "DOC": "documentation",
}
PRINCIPLES = {"API": 6, "DB": 5, "SEC": 5, "PERF": 4, "TEST": 4, "SVC": 4, "MQ": 3, "OPS": 4, "OBS": 4, "DOC": 1}
ADVICE = ("avoid", "check", "consider", "dont", "ensure", "must", "never", "prefer", "should", "use")
MACHINE_PATH = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:farm|root|work)/[A-Za-z.]")


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(assay.rules)


def project_files() -> list[Path]:
    """What git tracks, and what it would: everything that isn't ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_the_wheel_holds_every_file_of_the_three_layers_and_no_other(tmp_path: Path) -> None:
    for layer in LAYERS:
        shutil.copytree(ROOT / layer, tmp_path / layer, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    on_disk = {
        f"assay/{path.relative_to(tmp_path).as_posix()}"
        for layer in LAYERS
        for path in (tmp_path / layer).rglob("*")
        if path.is_file()
    }

    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    (wheel,) = (tmp_path / "dist").iterdir()
    assert wheel.name == f"assay-{__version__}-py3-none-any.whl"
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == on_disk


def test_every_folder_of_python_files_is_a_package() -> None:
    folders = {path.parent for layer in LAYERS for path in (ROOT / layer).rglob("*.py")}
    assert [str(f.relative_to(ROOT)) for f in sorted(folders) if not (f / "__init__.py").is_file()] == []


def test_every_module_says_what_it_knows() -> None:
    modules = [path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")]
    mute = [path for path in modules if not path.read_text(encoding="utf-8").startswith(('"""', 'r"""'))]
    assert [str(path.relative_to(ROOT)) for path in mute] == []


def test_the_standard_has_ten_sections_and_forty_principles(rulebook: Rulebook) -> None:
    standard = rulebook.standard
    assert standard.edition == "2026.1"
    assert {s.id: len(s.principles) for s in standard.sections} == PRINCIPLES
    assert list(standard.principles) == [f"{s}{n}" for s, count in PRINCIPLES.items() for n in range(1, count + 1)]
    assert sum(PRINCIPLES.values()) == 40


def test_section_weights_are_percentages_and_principle_weights_follow_the_key(rulebook: Rulebook) -> None:
    assert sum(s.weight for s in rulebook.standard.sections) == 100
    assert {p.weight for p in rulebook.standard.principles.values()} <= {1, 2, 3}


def test_every_principle_is_one_sentence_with_a_short_title_of_its_own(rulebook: Rulebook) -> None:
    principles = rulebook.standard.principles.values()
    assert [p.id for p in principles if not re.fullmatch(r"[A-Z][^.!?]*\.", p.statement)] == []
    assert [p.id for p in principles if not 0 < len(p.title) <= 50 or p.title.endswith(".")] == []
    assert len({p.title for p in principles}) == len({p.statement for p in principles}) == len(principles)


def test_rule_names_say_the_bad_thing_in_kebab_case(rulebook: Rulebook) -> None:
    shapeless = [r.name for r in rulebook.rules if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", r.name)]
    advising = [r.name for r in rulebook.rules if r.name.split("-")[0] in ADVICE]
    assert shapeless == []
    assert advising == []


def test_rule_names_are_unique(rulebook: Rulebook) -> None:
    names = [r.name for r in rulebook.rules]
    assert sorted(set(names)) == sorted(names)


def test_every_rule_is_documented_in_sentences(rulebook: Rulebook) -> None:
    """That the three parts are there is the rulebook's demand; that they are sentences is this one."""
    unfinished = [
        f"{r.code}: {text}" for r in rulebook.rules for text in (r.title, r.why, r.fix) if not text.endswith((".", "?"))
    ]
    assert unfinished == []


def test_every_rule_stands_in_the_package_of_its_section(rulebook: Rulebook) -> None:
    assert set(FOLDERS) == {s.id for s in rulebook.standard.sections}
    strays = {
        r.code: r.source_module
        for r in rulebook.rules
        if not r.source_module.startswith(f"assay.rules.{FOLDERS[r.section]}.")
    }
    assert strays == {}


def test_the_rules_of_a_principle_stand_together_in_one_module(rulebook: Rulebook) -> None:
    modules = {p: {r.source_module for r in rulebook.of_principle(p)} for p in rulebook.standard.principles}
    assert {p: sorted(found) for p, found in modules.items() if len(found) > 1} == {}


def test_every_rule_has_cases_and_every_case_folder_has_its_rule(rulebook: Rulebook) -> None:
    folders = {case.parent.name for case in (ROOT / "fixtures" / "rules").glob("*/*")}
    assert folders == set(rulebook.by_code())


def test_published_schemas_are_schemas() -> None:
    for path in (ROOT / "reports").rglob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        validator_for(schema).check_schema(schema)
        assert schema.get("$schema"), f"{path.name} doesn't say which JSON Schema it is written in"


def test_no_file_mentions_a_path_of_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in project_files()
        for number, line in enumerate(path.read_bytes().decode("utf-8", errors="replace").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_the_lock_pins_everything_that_the_project_asks_for_and_nothing_from_elsewhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [Requirement(r) for r in project["dependencies"] + extras["dev"] + extras["samples"]]
    lines = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert [str(pin) for pin in pins if pin.url or not re.fullmatch(r"==[^*,]+", str(pin.specifier))] == []

    versions = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    unlocked = [
        str(r)
        for r in wanted
        if r.name != "setuptools"  # pip-compile leaves it to the environment
        and not r.specifier.contains(versions.get(canonicalize_name(r.name), ""), prereleases=True)
    ]
    assert unlocked == []


def test_ci_runs_the_readmes_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "scripts/test.sh" in readme
    assert "scripts/test.sh" in ci


def test_the_changelog_tells_of_this_version_and_its_verdicts() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in changelog
    assert "### Verdict changes" in changelog


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documents_refer_to_files_that_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    named = re.findall(r"`((?:scripts|scanner|rules|reports|fixtures|tests|docs)/[\w./-]+)`", text)
    assert [target for target in links + named if not (ROOT / target).exists()] == []


def test_the_rule_and_the_cases_shown_in_contributing_work() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Add a rule", 1)[1].split("\n## ", 1)[0]
    rule_source, cases_source = re.findall(r"^```python\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
    namespace: dict[str, object] = {"__name__": "contributing"}
    exec(compile(rule_source, "CONTRIBUTING.md", "exec"), namespace)

    (rule,) = (value for value in namespace.values() if isinstance(value, Rule))
    where = Location.whole_file("app.py")
    page = Endpoint("GET", "/", "app:home", where, "fastapi", EndpointKind.HTML, Role.PROD)
    assert (rule.code, rule.name) == ("API401", "unpaginated-list-endpoint")
    assert rule.judge(page, None).kind is Kind.NOT_APPLICABLE
    assert {node.name for node in ast.parse(cases_source).body if isinstance(node, ast.FunctionDef)} == {
        "list_users",
        "list_orders",
    }
    assert set(re.findall(r"# expect: (\w+)$", cases_source, flags=re.MULTILINE)) == {"fail", "pass"}
