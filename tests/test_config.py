"""Configuration: what is accepted, and that each mistake is one message that names file, line and key."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from assay.scanner.config import (
    AttestationConfig,
    Config,
    ConfigError,
    RuleConfig,
    WaiversConfig,
    WaiversFrom,
    load_config,
    schema,
)
from assay.scanner.config.gate import (
    GateConfig,
    Mode,
    NewLimits,
    PathGate,
    RatchetConfig,
    RatchetScope,
    ReviewsMode,
    RuleGate,
    ScoreLimit,
    ServiceGate,
    SeverityLimits,
)
from assay.scanner.discovery import DiscoveryOptions
from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.roles import RoleOverride
from assay.scanner.rulebook import Principle, Rule, Rulebook, Section, Standard, rule
from assay.scanner.verdicts import Severity, Verdict, passed

SCHEMA_FILE = Path(__file__).parents[1] / "reports" / "schemas" / "config.schema.json"

FULL = """\
edition = "2026.1"

[services.orders]
root = "services/orders"

[services."the shop"]
root = "."

[files]
exclude = ["vendored/", "*.gen.py"]
max-size = 2_000_000
roles = { "labs/**" = "example", "ci/*.py" = "tool" }

[rules]
disable = ["API401", "B101", "RADON-CC"]

[rules.API402]
severity = "low"
maximum = 500

[coverage]
minimum = 0.8

[gate]
mode = "warn"
new-since = "origin/main"
on-incomplete = "enforce"
min-coverage = 95
overall = { min = 70, max-drop = 0.5 }
sections.API = { min = 60.5 }
principles.API4 = { max-drop = 0 }
severities = { critical = 0 }
new = { high = 1, low = "any", review = "fail" }
ratchet.scope = "section"
rules.API401.from = 2027-03-01

[[gate.paths]]
path = "legacy/**"
new = { medium = 20 }
severities = { high = 3 }

[services.orders.gate]
overall.min = 80
principles.API4.min = 90

[waivers]
max-days = 90
from = "base"

[attestations.API4]
statement = "Lists are short."
by = "@ada"
expires = 2027-06-30
link = "https://example.org/adr/7"
"""


@dataclass(frozen=True)
class Limits:
    maximum: int = 100
    names: tuple[str, ...] = ("limit",)


@rule("API402", severity=Severity.HIGH)
def uncapped_page_size(subject: Service, service: Service, limits: Limits) -> Verdict:
    """A page size has no cap.

    Why: because.
    Fix: cap it.
    """
    return passed("it has")


@rule("API401", severity=Severity.HIGH)
def unpaginated_list(subject: Service) -> Verdict:
    """A list has no pages.

    Why: because.
    Fix: add them.
    """
    return passed("it has")


PRINCIPLE = Principle("API4", "Lists", "Lists are paginated.")
STANDARD = Standard(("2026.1",), (Section("API", "API design", 1.0, (PRINCIPLE,)),))
RULES: tuple[Rule, ...] = (unpaginated_list, uncapped_page_size)
RULEBOOK = Rulebook(STANDARD, RULES)


def load(root: Path, text: str, file: str = "assay.toml", rulebook: Rulebook | None = RULEBOOK) -> Config:
    (root / "services" / "orders").mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text, encoding="utf-8")
    return load_config(root, rulebook)


def error(root: Path, text: str, file: str = "assay.toml") -> str:
    with pytest.raises(ConfigError) as caught:
        load(root, text, file)
    return str(caught.value)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    config = load_config(tmp_path, RULEBOOK)
    assert config == Config()
    assert (config.files.max_size, config.coverage.minimum, config.sources) == (1_000_000, 0.95, ())


def test_everything_at_once(tmp_path: Path) -> None:
    config = load(tmp_path, FULL)
    assert config.edition == "2026.1"
    assert {name: service.root for name, service in config.services.items()} == {
        "orders": "services/orders",
        "the shop": ".",
    }
    assert config.files.exclude == ("vendored/", "*.gen.py")
    assert config.files.max_size == 2_000_000
    assert config.files.roles == {"labs/**": Role.EXAMPLE, "ci/*.py": Role.TOOL}
    assert config.rules.disable == {"API401", "B101", "RADON-CC"}
    assert config.rules.rules == {"API402": RuleConfig(Severity.LOW, {"maximum": 500})}
    assert config.coverage.minimum == 0.8
    assert config.gate == GateConfig(
        mode=Mode.WARN,
        new_since="origin/main",
        min_coverage=95,
        overall=ScoreLimit(70, 0.5),
        sections={"API": ScoreLimit(60.5)},
        principles={"API4": ScoreLimit(max_drop=0)},
        severities=SeverityLimits(critical=0),
        new=NewLimits(high=1, low="any", review=ReviewsMode.FAIL),
        ratchet=RatchetConfig(RatchetScope.SECTION),
        rules={"API401": RuleGate(date(2027, 3, 1))},
        paths=(PathGate("legacy/**", SeverityLimits(medium=20), SeverityLimits(high=3)),),
    )
    assert config.services["orders"].gate == ServiceGate(ScoreLimit(80), principles={"API4": ScoreLimit(90)})
    assert config.waivers == WaiversConfig(90, WaiversFrom.BASE)
    assert config.attestations == {
        "API4": AttestationConfig("Lists are short.", "@ada", date(2027, 6, 30), "https://example.org/adr/7")
    }
    assert config.sources == ("assay.toml",)


def test_discovery_is_handed_the_files_table(tmp_path: Path) -> None:
    roles = (RoleOverride("labs/**", Role.EXAMPLE), RoleOverride("ci/*.py", Role.TOOL))
    assert load(tmp_path, FULL).discovery == DiscoveryOptions(("vendored/", "*.gen.py"), 2_000_000, roles)
    assert Config().discovery == DiscoveryOptions()


def test_pyproject_takes_the_same_tables(tmp_path: Path) -> None:
    table = re.sub(r"^(\[\[?)", r"\1tool.assay.", FULL, flags=re.MULTILINE)
    config = load(tmp_path, "[tool.assay]\n" + table, "pyproject.toml")
    assert config.sources == ("pyproject.toml",)
    assert config.files == load(tmp_path / "other", FULL).files


def test_a_services_folder_is_written_as_paths_are(tmp_path: Path) -> None:
    assert load(tmp_path, "services.x.root = './services//orders/'").services["x"].root == "services/orders"


def test_options_and_severities_of_rules(tmp_path: Path) -> None:
    rules = load(tmp_path, FULL).rules
    assert rules.options(uncapped_page_size) == Limits(maximum=500)
    assert rules.severity(uncapped_page_size) is Severity.LOW
    assert (rules.options(unpaginated_list), rules.severity(unpaginated_list)) == (None, Severity.HIGH)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = = 1", "assay.toml:1: it is not valid TOML: Invalid value"),
        ('[files]\nexclude = ["x"]\n[files', "assay.toml:3: it is not valid TOML:"),
        ("[fles]\nmax-size = 1", "assay.toml:1: fles: there is no such key in the top level; did you mean 'files'?"),
        (
            '# one\n[files]\nexlude = ["x"]',
            "assay.toml:3: files.exlude: there is no such key in [files]; did you mean 'exclude'?",
        ),
        (
            "[files]\nmax_size = 1",
            "assay.toml:2: files.max_size: there is no such key in [files]; did you mean 'max-size'?",
        ),
        ("[files]\nzzz = 1", "assay.toml:2: files.zzz: there is no such key in [files]"),
        ('[files]\nmax-size = "1"', "assay.toml:2: files.max-size: expected a whole number, got text"),
        ("[files]\nmax-size = 0", "assay.toml:2: files.max-size: expected a whole number >= 1"),
        ("files.max-size = true", "assay.toml:1: files.max-size: expected a whole number, got true or false"),
        ("[files]\nexclude = 'x'", "assay.toml:2: files.exclude: expected a list, got text"),
        ("[files]\nexclude = ['/']", "assay.toml:2: files.exclude: '/' is no pattern that could match a file"),
        (
            '[files.roles]\n"a" = "test"\n"b/*.py" = "tets"',
            "assay.toml:3: files.roles.\"b/*.py\": 'tets' is none of prod, dev, test, example, tool; "
            "did you mean 'test'?",
        ),
        (
            'edition = "2026.1"\n[files]\nroles = { a = "test", b = "tets" }',
            "assay.toml:3: files.roles.b: 'tets' is none of prod, dev, test, example, tool; did you mean 'test'?",
        ),
        ("[services.orders]", "assay.toml:1: services.orders: the key 'root' is missing"),
        (
            '[services.x]\nroot = "."\n[services.orders]\nrot = "a"',
            "assay.toml:4: services.orders.rot: there is no such key in [services.orders]; did you mean 'root'?",
        ),
        ('[services.x]\nroot = "gone"', "assay.toml:2: services.x.root: there is no folder 'gone'"),
        (
            '[services.x]\nroot = "../x"',
            "assay.toml:2: services.x.root: expected a folder inside the file's own, relative to it and with '/', "
            "such as 'services/orders'",
        ),
        (
            "[services.a]\nroot = 'services/'\n[services.b]\nroot = './services'",
            "assay.toml:4: services.b.root: the service 'a' has this folder already",
        ),
        ("[coverage]\nminimum = 95", "assay.toml:2: coverage.minimum: expected a number <= 1.0"),
        (
            "[rules]\ndisbale = []",
            "assay.toml:2: rules.disbale: there is no such key in [rules]; did you mean 'disable'",
        ),
        ('[rules]\ndisable = ["API404"]', "assay.toml:2: rules.disable: there is no rule API404; did you mean 'API40"),
        ("[rules.api402]\nmaximum = 1", "assay.toml:1: rules.api402: that is no rule code; one looks like API402"),
        ("[rules.API403]\nmaximum = 1", "assay.toml:1: rules.API403: there is no such rule; did you mean 'API40"),
        (
            "[rules.API402]\nmaximun = 1",
            "assay.toml:2: rules.API402.maximun: API402 has no such option; did you mean 'maximum'?",
        ),
        ('[rules.API402]\nmaximum = "1"', "assay.toml:2: rules.API402.maximum: expected a whole number, got text"),
        (
            '[rules.API402]\nseverity = "hgih"',
            "assay.toml:2: rules.API402.severity: 'hgih' is none of critical, high, medium, low; did you mean 'high'?",
        ),
        ("[rules.API401]\nmaximum = 1", "assay.toml:2: rules.API401.maximum: API401 has no such option"),
        ('edition = "2020"', "assay.toml:1: edition: this version of Assay holds edition '2026.1', not '2020'"),
        ("edition = 2026-01-31", "assay.toml:1: edition: expected text, got a date"),
        ("services = 3", "assay.toml:1: services: expected a table, got a whole number"),
        ('[gate]\nmode = "wran"', "assay.toml:2: gate.mode: 'wran' is none of enforce, warn; did you mean 'warn'?"),
        ('[gate]\nnew-since = ""', "assay.toml:2: gate.new-since: it is empty"),
        ("[gate]\nmin-coverage = 101", "assay.toml:2: gate.min-coverage: expected a number <= 100.0"),
        ("[gate]\nmin-coverage = nan", "assay.toml:2: gate.min-coverage: expected a number >= 0.0"),
        ("[gate.new]\nhigh = -1", "assay.toml:2: gate.new.high: expected a whole number >= 0"),
        ("[gate.new]\nhigh = 'ayn'", "assay.toml:2: gate.new.high: 'ayn' is neither a whole number nor 'any'; did you"),
        ("[gate.new]\nhigh = 1.5", "assay.toml:2: gate.new.high: expected a whole number or 'any', got a number"),
        (
            "[gate.new]\nhgih = 1",
            "assay.toml:2: gate.new.hgih: there is no such key in [gate.new]; did you mean 'high'",
        ),
        ("[gate.ratchet]\nscope = 'rules'", "assay.toml:2: gate.ratchet.scope: 'rules' is none of off, overall, "),
        (
            "[gate.sections]\nAPL = { min = 1 }",
            "assay.toml:2: gate.sections.APL: the standard has no such section; did ",
        ),
        (
            "[gate.sections]\nX = {}",
            "assay.toml:2: gate.sections.X: the standard has no such section; the sections are",
        ),
        (
            "[gate.sections]\nAPI4 = {}",
            "assay.toml:2: gate.sections.API4: API4 is a principle, and this takes a section",
        ),
        (
            "[gate.principles]\nAPI = {}",
            "assay.toml:2: gate.principles.API: API is a section, and this takes a princip",
        ),
        ("[gate.principles]\nAPI402 = {}", "assay.toml:2: gate.principles.API402: API402 is a rule, and this takes a "),
        (
            "[gate.principles]\nAPI5 = {}",
            "assay.toml:2: gate.principles.API5: the standard has no such principle; did y",
        ),
        ("[gate.rules]\nAPI409 = { from = 2027-01-01 }", "assay.toml:2: gate.rules.API409: there is no such rule; did"),
        (
            "[gate.rules]\nAPI401 = { from = '1 May' }",
            "assay.toml:2: gate.rules.API401.from: expected a date such as 2027",
        ),
        (
            "[gate.rules]\nAPI401 = { from = 1 }",
            "assay.toml:2: gate.rules.API401.from: expected a date, got a whole num",
        ),
        ("[gate.rules]\nAPI401 = {}", "assay.toml:2: gate.rules.API401: the key 'from' is missing"),
        ("[gate.rules]\nAPI401 = 2027-01-01", "assay.toml:2: gate.rules.API401: expected a table, got a date"),
        (
            "[[gate.paths]]\npath = 'a'\n\n[[gate.paths]]\npath = 'b'\n[gate.paths.new]\nmedum = 1",
            "assay.toml:7: gate.paths[1].new.medum: there is no such key in [gate.paths[1].new]; did you mean 'medium'",
        ),
        ("[[gate.paths]]\npath = 'a'\n[[gate.paths]]\n", "assay.toml:3: gate.paths: the key 'path' is missing"),
        (
            "[[gate.paths]]\npath = 'a'\n[[gate.paths]]\npath = '/'",
            "assay.toml:4: gate.paths[1].path: '/' is no pattern",
        ),
        (
            "[[gate.paths]]\npath = '../x'",
            "assay.toml:2: gate.paths[0].path: '../x' leads out of the file's own folder",
        ),
        ("[[gate.paths]]\npath = ''", "assay.toml:2: gate.paths[0].path: it is empty"),
        (
            "[services.a]\nroot = '.'\n[services.b]\nroot = 'services'\n[services.b.gate.principles]\nAPI7.min = 1",
            "assay.toml:6: services.b.gate.principles.API7: the standard has no such principle; did you mean 'API4'?",
        ),
        (
            "[services.a]\nroot = '.'\n[services.b]\nroot = 'services'\ngate.sections = { API = {}, DB = { mni = 1 } }",
            "assay.toml:5: services.b.gate.sections.DB.mni: there is no such key in [services.b.gate.sections.DB]; did",
        ),
        ("[waivers]\nmax-days = 0", "assay.toml:2: waivers.max-days: expected a whole number >= 1"),
        ("[waivers]\nfrom = 'haed'", "assay.toml:2: waivers.from: 'haed' is none of head, base; did you mean 'head'?"),
        ("[attestations.API5]\nby='x'\nstatement='x'\nexpires=2027-01-01", "assay.toml:1: attestations.API5: the st"),
        ("[attestations.API4]\nby='x'\nstatement='x'", "assay.toml:1: attestations.API4: the key 'expires' is missing"),
        ("[attestations.API4]\nby=''", "assay.toml:2: attestations.API4.by: it is empty"),
        ("[rules]\ndisable = [\n'API401',\n'API499']", "assay.toml:4: rules.disable: there is no rule API499; did you"),
        ("[rules]\nextend-disable = ['B1']", "assay.toml:2: rules.extend-disable: there is no rule B1"),
        ("root = 1", "assay.toml:1: root: expected true or false, got a whole number"),
        ('"\\u001b[2J" = 1', 'assay.toml:1: "\\u001b[2J": there is no such key in the top level'),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    found = error(tmp_path, text)
    assert found.startswith(message)
    assert "\n" not in found


def test_a_key_in_a_multi_line_string_is_no_key(tmp_path: Path) -> None:
    text = 'edition = """\n[files]\nexlude = 1\n"""\n[files]\nexlude = 1\n'
    assert error(tmp_path, text).startswith("assay.toml:6: files.exlude:")


def test_a_mistake_in_pyproject_is_named_by_its_whole_key(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n\n[tool.assay.files]\nexlude = 1\n'
    assert error(tmp_path, text, "pyproject.toml").startswith("pyproject.toml:5: tool.assay.files.exlude: there is no")


def test_only_one_of_the_two_files_may_configure(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.assay.coverage]\nminimum = 0.5\n", encoding="utf-8")
    assert error(tmp_path, "[coverage]\nminimum = 0.6\n") == (
        "assay.toml: pyproject.toml has a [tool.assay] too; keep one of the two"
    )
    assert load(tmp_path, "# nothing\n").coverage.minimum == 0.5, "a file without content configures nothing"


def test_a_broken_pyproject_matters_only_if_it_configures_assay(tmp_path: Path) -> None:
    assert load(tmp_path, "[project]\nname = {{ name }}\n", "pyproject.toml") == Config()
    text = "[project]\nname = {{ name }}\n[tool.assay]\n"
    assert error(tmp_path, text, "pyproject.toml").startswith("pyproject.toml:2: it is not valid TOML")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "assay.toml").write_bytes(b"edition = '\xff'")
    with pytest.raises(ConfigError, match=r"assay\.toml: it is not UTF-8: invalid start byte at byte 11"):
        load_config(tmp_path)
    (tmp_path / "assay.toml").unlink()
    (tmp_path / "assay.toml").mkdir()
    with pytest.raises(ConfigError, match=r"assay\.toml: it can't be read: Is a directory"):
        load_config(tmp_path)


AGREED = [
    (FULL, True),
    ("", True),
    ("[coverage]\nminimum = 1", True),
    ("[rules.API402]\nmaximum = 1\nnames = ['a']", True),
    ("[fles]", False),
    ("[files]\nexlude = []", False),
    ("[files]\nmax-size = '1'", False),
    ("[files]\nmax-size = 0", False),
    ("[files]\nroles = { a = 'tets' }", False),
    ("[services.x]", False),
    ("[services.x]\nroot = '../x'", False),
    ("[services.x]\nroot = '/x'", False),
    ("[coverage]\nminimum = 1.5", False),
    ("[rules]\ndisable = 'API401'", False),
    ("[rules]\nenable = []", False),
    ("[rules.api402]\nx = 1", False),
    ("[rules.API402]\nseverity = 'worst'", False),
    ("[rules.API402.x]\ny = 1", False),
    ("edition = ''", False),
    ("extends = 'a.toml'", False),
    ("root = true", True),
    ("root = 'yes'", False),
    ("[files]\nextend-exclude = ['a']", True),
    ("[files]\nextend-exclude = 'a'", False),
    ("[rules]\nextend-disable = 'API401'", False),
    ("[gate]\nmode = 'off'", False),
    ("[gate]\nnew-since = ''", False),
    ("[gate.new]\nhigh = 'any'", True),
    ("[gate.new]\nhigh = 'none'", False),
    ("[gate.new]\nhigh = -1", False),
    ("[gate.overall]\nmin = 101", False),
    ("[gate.rules.API401]\nfrom = 2027-01-01", True),
    ("[gate.rules.API401]\nfrom = 1", False),
    ("[gate.rules.API401]", False),
    ("[[gate.paths]]\nnew = {}", False),
    ("[[gate.paths]]\npath = ''", False),
    ("[waivers]\nmax-days = 0", False),
    ("[waivers]\nfrom = 'tail'", False),
    ("[attestations.DB3]\nby = 'x'", False),
]


@pytest.mark.parametrize(("text", "valid"), AGREED)
def test_schema_and_loader_agree(tmp_path: Path, text: str, valid: bool) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    # Editors hand a date to the schema as the text that it is.
    written = json.loads(json.dumps(tomllib.loads(text), default=str))
    assert validator.is_valid(written) is valid
    if valid:
        load(tmp_path, text, rulebook=None)
    else:
        error(tmp_path, text)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_published_schema_is_current() -> None:
    """Written by `assay config schema > reports/schemas/config.schema.json`."""
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == schema()
    shipped = resources.files("assay.reports").joinpath("schemas/config.schema.json")
    assert shipped.read_text(encoding="utf-8") == SCHEMA_FILE.read_text(encoding="utf-8")


def keys_of(node: Any) -> Iterator[str]:
    """The names of all keys that the schema knows."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for inner in node.values():
            yield from keys_of(inner)


def test_the_documentation_shows_every_key_and_its_examples_are_right() -> None:
    text = (SCHEMA_FILE.parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    validator = jsonschema.Draft202012Validator(schema())
    for example in examples:
        validator.validate(json.loads(json.dumps(tomllib.loads(example), default=str)))
    shown = set(re.findall(r"[\w-]+", "\n".join(examples)))
    assert set(keys_of(schema())) - shown == set()


def test_what_the_gate_demands_is_not_what_is_judged_by(tmp_path: Path) -> None:
    """A limit that is raised changes no score, so no scan has to be done anew."""
    plain = load(tmp_path / "plain", 'edition = "2026.1"\n[services.orders]\nroot = "services/orders"')
    gated = load(
        tmp_path / "gated",
        'edition = "2026.1"\n[gate]\nmode = "warn"\n[services.orders]\nroot = "services/orders"\ngate.overall.min = 1',
    )
    assert (plain.digest, plain.judged_by) == (gated.digest, gated.judged_by)
    assert plain.digest != load(tmp_path / "other", 'edition = "2026.1"').digest
