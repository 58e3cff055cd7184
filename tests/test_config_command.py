"""`assay config`, and the options that choose what configures a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.scanner.config import schema
from tests.repositories import Repository
from tests.running import backend, run_assay

OWN = "there is no such rule; rules of your own are read with --rules"
OWN_RULES = '''\
"""ACME1: services have names."""

from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, passed


@rule("ACME101", severity=Severity.HIGH)
def acme_rule(subject: Service) -> Verdict:
    """A service has no name.

    Why: nobody could talk about it.
    Fix: give it one.
    """
    return passed("it has one")
'''


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = Repository.new(tmp_path_factory.mktemp("config"))
    repository.write("assay.toml", "[gate]\nmode = 'warn'\n")
    repository.write(
        "services/orders/assay.toml", "[files]\nexclude = [\n  'gen/',\n]\n\n[rules.API402]\nmaximum = 50\n"
    )
    return repository.root


def test_every_value_is_shown_with_its_origin(repository: Path) -> None:
    ended = run_assay("config", "show", "services/orders", cwd=repository)
    assert (ended.code, ended.err) == (0, "")
    rows = {key: rest for line in ended.out.splitlines() if "  # " in line for key, rest in [line.split(" = ", 1)]}
    told = {key: tuple(part.strip() for part in rest.rsplit("  # ", 1)) for key, rest in rows.items()}
    assert told["gate.mode"] == ('"warn"', "../../assay.toml:2")
    assert told["files.exclude"] == ('["gen/"]', "assay.toml:3")
    assert told["rules.API402.maximum"] == ("50", "assay.toml:7")
    assert told["files.max-size"] == ("1000000", "default")
    assert told["edition"] == ('"2026.1"', "default")
    assert told["gate.new.critical"] == ("0", "default")
    assert ended.out.startswith("Configured by assay.toml, ../../assay.toml\n")


def test_the_same_for_programs(repository: Path) -> None:
    ended = run_assay("config", "show", "services/orders", "--format", "json", cwd=repository)
    answer = json.loads(ended.out)
    assert answer["files"] == ["assay.toml", "../../assay.toml"]
    rows = {row["key"]: (row["value"], row["origins"]) for row in answer["settings"]}
    assert rows["gate.mode"] == ("warn", ["../../assay.toml:2"])
    assert rows["waivers.max-days"] == (180, [])


def test_check_finds_mistakes_without_a_scan(repository: Path, tmp_path: Path) -> None:
    ended = run_assay("config", "check", "services/orders", cwd=repository)
    assert (ended.code, ended.out) == (0, "Configured by assay.toml, ../../assay.toml: no mistakes found\n")
    (tmp_path / "assay.toml").write_text("[gates]\n", encoding="utf-8")
    ended = run_assay("config", "check", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "assay: assay.toml:1: gates: there is no such key in the top level; did you mean 'gate'?\n"


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    ended = run_assay("config", "check", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "Configured by no file, so the defaults hold: no mistakes found\n")


def test_the_schema_is_printed(tmp_path: Path) -> None:
    assert json.loads(run_assay("config", "schema", cwd=tmp_path).out) == schema()


def test_rules_of_ones_own_may_be_configured(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN_RULES, encoding="utf-8")
    text = "[rules.ACME101]\nseverity = 'low'\n[gate.rules.ACME101]\nfrom = 2030-01-01\n[gate.sections.ACME]\nmin = 1\n"
    (tmp_path / "assay.toml").write_text(text, encoding="utf-8")
    assert run_assay("config", "check", "--rules", "own.py", cwd=tmp_path).code == 0
    without = run_assay("config", "check", cwd=tmp_path)
    assert (without.code, without.err) == (2, f"assay: assay.toml:1: rules.ACME101: {OWN}\n")


@pytest.mark.parametrize("command", ["scan", "inventory", "gate", "config show", "config check"])
def test_a_file_may_be_named_and_none(command: str, tmp_path: Path) -> None:
    root = backend(tmp_path / "tree")
    (root / "assay.toml").write_text("[broken\n", encoding="utf-8")
    words = command.split()
    assert run_assay(*words, cwd=root).code == 2
    assert run_assay(*words, "--isolated", cwd=root).code in (0, 2 if command == "gate" else 0)
    (tmp_path / "ci.toml").write_text("[files]\nexlude = []\n", encoding="utf-8")
    named = run_assay(*words, "--config", "../ci.toml", cwd=root)
    assert (named.code, named.out) == (2, "")
    assert named.err.startswith("assay: ../ci.toml:2: files.exlude: there is no such key in [files]; did you mean")
    both = run_assay(*words, "--config", "../ci.toml", "--isolated", cwd=root)
    assert both.code == 2
    assert "--config names a file, and --isolated takes none" in both.err


def test_keys_of_a_stranger_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "assay.toml").write_text('[files.roles]\n"\\u001b2J\\u202e*.py" = "test"\n', encoding="utf-8")
    shown = run_assay("config", "show", cwd=tmp_path)
    assert shown.code == 0
    (tmp_path / "assay.toml").write_text('"\\u001b[2J\\u202e" = 1\n', encoding="utf-8")
    wrong = run_assay("config", "show", cwd=tmp_path)
    assert wrong.code == 2
    assert not any(character in shown.out + wrong.err for character in "\x1b\u202e")
