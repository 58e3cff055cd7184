"""`assay doctor`: what is read and what isn't and why, services, base, cache and configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.reports import doctor
from tests.repositories import Repository
from tests.running import APP, Ended, run_assay

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = """\
[files]
exclude = ["vendored/"]

[gate.new]
medium = 3
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A backend with all that a doctor could find."""
    repository = Repository.new(tmp_path_factory.mktemp("doctor") / "shop")
    repository.write("app.py", APP)
    repository.write("old.py", "print 'Python 2'\n")
    repository.write("tests/test_app.py", "def test_it():\n    assert True\n")
    repository.write("vendored/copy.py", "x = 1\n")
    repository.write("kept.py", "x = 1\n")
    repository.write("assay.toml", CONFIGURATION)
    repository.commit()
    repository.write(".gitignore", "kept.py\n")
    repository.commit()
    return repository


@pytest.fixture(scope="module")
def told(shop: Repository, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run_assay("doctor", "--cache-dir", tmp_path_factory.mktemp("cache") / "one", cwd=shop.root)


@pytest.fixture(scope="module")
def data(shop: Repository, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    ended = run_assay("doctor", "-f", "json", "--cache-dir", tmp_path_factory.mktemp("cache") / "two", cwd=shop.root)
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_it_exits_0_where_a_scan_is_possible(told: Ended) -> None:
    assert (told.code, told.err) == (0, "")


def test_a_file_that_was_not_read_has_its_place_its_reason_and_a_remedy(told: Ended) -> None:
    lines = told.out.splitlines()
    (place,) = [number for number, line in enumerate(lines) if "old.py:1" in line]
    assert "syntax error" in " ".join(lines[place : place + 2])
    assert "mend the file, or exclude it" in " ".join(lines[place : place + 3])
    assert "1 file could not be read" in lines[-1]


def test_files_are_counted_by_kind(data: dict[str, Any]) -> None:
    python = next(row for row in data["files"]["kinds"] if row["kind"] == "python")
    assert python == {"kind": "python", "found": 3, "read": 2, "unread": 1}


def test_what_is_left_out_is_told_with_its_reason(data: dict[str, Any]) -> None:
    left = {row["why"]: row["first"] for row in data["files"]["left_out"]}
    assert left == {
        "[files] exclude names them": ["vendored/copy.py"],
        "an ignore file names them though git has them, or such folders are never scanned": ["kept.py"],
    }


def test_services_and_frameworks_are_named(data: dict[str, Any]) -> None:
    assert data["frameworks"] == ["FastAPI"]
    assert [(s["name"], s["root"], s["endpoints"]) for s in data["services"]] == [("shop", ".", 1)]


def test_settings_are_told_with_file_and_line(data: dict[str, Any]) -> None:
    settings = {row["setting"]: row["origins"] for row in data["configuration"]["settings"]}
    assert settings["gate.new.medium = 3"] == ["assay.toml:5"]
    assert data["configuration"]["files"] == ["assay.toml"]


def test_the_base_is_named_with_its_commit(shop: Repository, data: dict[str, Any]) -> None:
    assert data["base"]["commit"] == shop.git("rev-parse", "HEAD~1")
    assert data["base"]["problem"] is None


def test_versions_are_those_of_what_does_the_work(data: dict[str, Any]) -> None:
    assert {"libcst", "bandit", "radon"} <= set(data["versions"]["libraries"])
    assert data["repository"]["is_shallow"] is False
    assert data["repository"]["git"]


def test_the_cache_is_told_with_its_size(data: dict[str, Any]) -> None:
    assert data["cache"]["entries"] > 0
    assert data["cache"]["size"] > 0


def test_a_shallow_clone_is_told_with_the_line_to_add(shop: Repository, tmp_path: Path) -> None:
    Repository(tmp_path).git("clone", "--quiet", "--depth=1", f"file://{shop.root}", tmp_path / "shallow")
    environment = {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_BASE_REF": "release"}
    ended = run_assay("doctor", "--no-cache", cwd=tmp_path / "shallow", environment=environment)
    assert ended.code == 0
    words = " ".join(ended.out.split())
    assert "a shallow clone" in words
    assert "fetch-depth: 0" in words
    assert "it is turned off" in words


def test_outside_a_repository_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    ended = run_assay("doctor", "--no-cache", cwd=tmp_path)
    assert ended.code == 0
    words = " ".join(ended.out.split())
    assert "in no repository" in words
    assert "assay baseline create" in words


def test_a_tree_without_a_backend_is_shown_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("print(1)\n", encoding="utf-8")
    ended = run_assay("doctor", "--no-cache", cwd=tmp_path)
    assert ended.code == 2
    assert "A scan is not possible" in ended.out
    assert "python" in ended.out


@pytest.mark.parametrize("arguments", [["nowhere"], ["--config", "none.toml"]])
def test_what_cant_even_be_begun_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    ended = run_assay("doctor", *arguments, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "\x1b[31mred.py").write_text("def (:\n", encoding="utf-8")
    ended = run_assay("doctor", "--no-cache", cwd=tmp_path)
    assert ended.code == 0
    assert "\x1b" not in ended.out


def test_two_runs_are_equal_byte_for_byte(shop: Repository) -> None:
    first, second = (run_assay("doctor", "-f", "json", "--no-cache", cwd=shop.root).out for _ in range(2))
    assert first == second


def test_the_published_schema_is_the_structs() -> None:
    assert (ROOT / "reports" / "schemas" / "doctor.schema.json").read_text(encoding="utf-8") == doctor.schema()
