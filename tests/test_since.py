"""`assay scan --since`: findings in changed lines, by real git in real repositories, some of which mean harm."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from assay.scanner.changes import Changes
from assay.scanner.model.place import Location
from tests.repositories import Repository
from tests.running import APP, Ended, run_assay

ROOT = Path(__file__).parent.parent
UNSOUND = ROOT / "fixtures" / "backends" / "fastapi_unsound"
SCHEMA = ROOT / "reports" / "schemas" / "report.schema.json"

WEAK = """\
import hashlib


def first(data):
    return hashlib.md5(data).hexdigest()


def second(data):
    return hashlib.md5(data).hexdigest()
"""
"""Findings in lines 5 and 9."""
FIRST, SECOND = 5, 9


def edited(text: str, line: int) -> str:
    """The finding in the line stays what it is, and the line changes."""
    lines = text.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace("hashlib.md5(data)", "hashlib.md5(data + data)")
    return "".join(lines)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A committed backend with two findings in weak.py, and a branch checked out for more."""
    made = Repository.new(tmp_path / "shop")
    made.write("app.py", APP)
    made.write("weak.py", WEAK)
    made.commit()
    made.git("checkout", "--quiet", "-b", "feature")
    return made


def scanned(root: Path, revision: str = "main", **environment: str) -> dict[str, Any]:
    ended = run_assay("scan", "--since", revision, "--format", "json", "--jobs", "1", cwd=root, environment=environment)
    assert (ended.code, ended.err) == (0, "")
    loaded: dict[str, Any] = json.loads(ended.out)
    return loaded


def shown(root: Path, revision: str = "main", **environment: str) -> set[tuple[str, int]]:
    """The places of bandit's findings of weak hashes, which are as many as there are lines with one."""
    verdicts = scanned(root, revision, **environment)["verdicts"]
    return {(v["location"]["path"], v["location"]["line"]) for v in verdicts if v["rule"] == "SEC304"}


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_every_format_says_what_it_leaves_out(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "orders")
    shutil.copytree(UNSOUND, repository.root, dirs_exist_ok=True)
    commit = repository.commit()
    everything = json.loads(run_assay("scan", "--format", "json", cwd=repository.root).out)
    findings = sum(v["kind"] in ("fail", "review") for v in everything["verdicts"])

    targets = [word for form in ("html", "json", "sarif") for word in ("-o", f"../changed.{form}")]
    ended = run_assay("scan", "--since", "main", *targets, cwd=repository.root)
    assert (ended.code, ended.err) == (0, "")
    said = f"findings in lines changed since main ({commit[:7]}); {findings} others not shown"
    assert ended.out.splitlines()[1] == said
    assert "No findings in changed lines." in ended.out

    report = json.loads((tmp_path / "changed.json").read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(report)
    since = {"revision": "main", "base": commit, "hidden": findings}
    assert report["scanned"]["since"] == since
    assert report["services"] == everything["services"]
    assert report["verdicts"] == [v for v in everything["verdicts"] if v["kind"] in ("pass", "notApplicable")]

    (run,) = json.loads((tmp_path / "changed.sarif").read_text(encoding="utf-8"))["runs"]
    assert run["properties"]["since"] == since
    assert {r["kind"] for r in run["results"]} == {"pass", "notApplicable"}

    assert said in (tmp_path / "changed.html").read_text(encoding="utf-8")


def test_a_whole_scan_says_nothing_of_changes(repository: Repository) -> None:
    ended = run_assay("scan", "--format", "json", cwd=repository.root)
    assert json.loads(ended.out)["scanned"]["since"] is None
    assert "changed" not in run_assay("scan", cwd=repository.root).out


@pytest.mark.parametrize("how", ["working tree", "staged", "committed", "staged, and moved since"])
def test_only_the_changed_line_counts_however_far_the_change_came(how: str, repository: Repository) -> None:
    repository.write("weak.py", edited(WEAK, SECOND))
    if how != "working tree":
        repository.git("add", "weak.py")
    if how == "committed":
        repository.commit()
    moved = how.endswith("moved since")
    if moved:
        repository.write("weak.py", "# Hashes.\n" + edited(WEAK, SECOND))
    assert shown(repository.root) == {("weak.py", SECOND + moved)}


def test_what_happened_on_the_other_branch_is_not_our_change(repository: Repository) -> None:
    repository.write("weak.py", edited(WEAK, SECOND))
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("weak.py", edited(WEAK, FIRST))
    repository.commit()
    repository.git("checkout", "--quiet", "feature")
    assert shown(repository.root) == {("weak.py", SECOND)}


@pytest.mark.parametrize("is_born", [True, False], ids=["a commit", "no commit yet"])
def test_without_a_common_past_the_revision_itself_is_compared(is_born: bool, repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "fresh")
    repository.write("weak.py", edited(WEAK, SECOND))
    if is_born:
        repository.commit()
    assert shown(repository.root) == {("weak.py", SECOND)}


def test_a_new_file_is_new_as_a_whole(repository: Repository) -> None:
    repository.write("untracked.py", WEAK)
    assert shown(repository.root) == {("untracked.py", FIRST), ("untracked.py", SECOND)}
    repository.commit()
    assert shown(repository.root) == {("untracked.py", FIRST), ("untracked.py", SECOND)}


def test_so_is_all_of_an_untracked_repository_inside(repository: Repository) -> None:
    inner = Repository.new(repository.root / "vendor" / "hashes")
    inner.write("weak.py", WEAK)
    inner.commit()
    assert shown(repository.root) == {("vendor/hashes/weak.py", FIRST), ("vendor/hashes/weak.py", SECOND)}


def test_of_a_moved_file_only_edited_lines_count(repository: Repository) -> None:
    repository.write("weak.py", WEAK + "\n\n" + "".join(f"LIMIT_{n} = {n}\n" for n in range(40)))
    repository.commit()
    (repository.root / "hashes").mkdir()
    repository.git("mv", "weak.py", "hashes/weak.py")
    file = repository.root / "hashes" / "weak.py"
    file.write_text(edited(file.read_text(encoding="utf-8"), SECOND), encoding="utf-8")
    assert shown(repository.root, "HEAD") == {("hashes/weak.py", SECOND)}


@pytest.mark.parametrize(
    "name", ["two words", 'a "quoted" one', "größe", "line\nfeed", "back\\slash", "ta\tb", "b/b", " b", "ünï\n\\001 x"]
)
def test_any_name_will_do(name: str, repository: Repository) -> None:
    repository.write(f"{name}/weak.py", WEAK)
    repository.git("checkout", "--quiet", "main")
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "other")
    repository.write(f"{name}/weak.py", edited(WEAK, SECOND))
    assert shown(repository.root) == {(f"{name}/weak.py", SECOND)}


@pytest.mark.parametrize("text", ["\n++ b/weak.py\n@@ -1 +1,99 @@\n", "x\n+++ b/weak.py", "\\ No\n++ b/weak.py"])
def test_what_looks_like_a_patch_is_text(text: str, repository: Repository) -> None:
    """Without a line feed at its end, before and after, git puts a line of its own between the two texts."""
    repository.write("notes.md", f"-- a/notes.md\n{text[::-1]}")
    repository.git("checkout", "--quiet", "main")
    repository.commit()
    repository.write("notes.md", text)
    repository.write("weak.py", edited(WEAK, SECOND))
    assert shown(repository.root) == {("weak.py", SECOND)}


def test_a_folder_of_the_repository_can_be_scanned(repository: Repository) -> None:
    repository.write("weak.py", edited(WEAK, FIRST))
    repository.write("services/orders/app.py", APP)
    repository.write("services/orders/weak.py", WEAK)
    repository.commit()
    repository.write("services/orders/weak.py", edited(WEAK, SECOND))
    repository.git("mv", "weak.py", "services/orders/moved.py")
    repository.write("services/orders/untracked.py", WEAK)
    assert shown(repository.root / "services" / "orders", "HEAD") == {
        ("weak.py", SECOND),
        ("untracked.py", FIRST),
        ("untracked.py", SECOND),
    }


def test_what_was_deleted_touches_the_lines_beside_it_and_no_others(repository: Repository) -> None:
    guarded = WEAK.replace("def first(data):\n", "def first(data):\n    check(data)\n") + "    # the end\n"
    repository.write("weak.py", guarded)
    repository.commit()
    repository.write("weak.py", WEAK)
    assert shown(repository.root, "HEAD") == {("weak.py", FIRST), ("weak.py", SECOND)}
    repository.write("weak.py", guarded.replace("    check(data)\n", ""))
    assert shown(repository.root, "HEAD") == {("weak.py", FIRST)}


def test_changed_evidence_is_enough(repository: Repository) -> None:
    search = (
        "import sqlite3\n\nfrom app import app\n\n\n@app.get('/search')\ndef search(name: str):\n"
        "    query = f\"SELECT id FROM items WHERE name = '{name}'\"\n"
        "    connection = sqlite3.connect('shop.db')\n"
        "    return connection.execute(query).fetchone()\n"
    )
    repository.write("search.py", search)
    repository.commit()
    repository.write("search.py", search.replace("SELECT id", "SELECT item_id"))
    fails = [v for v in scanned(repository.root, "HEAD")["verdicts"] if v["rule"] == "SEC101" and v["kind"] == "fail"]
    assert [v["location"]["line"] for v in fails] == [10]
    assert 8 in {e["location"]["line"] for e in fails[0]["evidence"]}


def test_deleted_files_binary_files_and_submodules_are_no_trouble(repository: Repository, tmp_path: Path) -> None:
    other = Repository.new(tmp_path / "other")
    other.write("weak.py", WEAK)
    other.commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.root, "library")
    repository.write("logo.png", bytes(range(256)) * 20)
    repository.write("old.py", WEAK)
    repository.commit()
    (repository.root / "old.py").unlink()
    repository.write("logo.png", bytes(reversed(range(256))) * 20)
    repository.write("library/weak.py", edited(WEAK, FIRST))
    repository.write("weak.py", edited(WEAK, SECOND))
    assert shown(repository.root, "HEAD") == {("weak.py", SECOND)}


def test_code_that_claims_to_be_binary_still_has_lines(repository: Repository) -> None:
    repository.write(".gitattributes", "*.py binary\n")
    repository.write("weak.py", edited(WEAK, SECOND))
    assert shown(repository.root) == {("weak.py", SECOND)}


def test_where_git_and_python_count_lines_differently_the_file_counts_as_a_whole(repository: Repository) -> None:
    text = WEAK.replace("import hashlib\n\n\n", "import hashlib\r\r\r")
    repository.write("weak.py", text)
    repository.commit()
    repository.write("weak.py", edited(text, SECOND))
    assert shown(repository.root, "HEAD") == {("weak.py", FIRST), ("weak.py", SECOND)}


def test_the_end_of_a_place_is_no_part_of_it_and_a_whole_file_is_all_of_it() -> None:
    changes = Changes("main", "1a2b3c4", {"app.py": (range(8, 9),)})
    assert not changes.touch(Location("app.py", 3, 1, 8, 1))
    assert changes.touch(Location("app.py", 3, 1, 8, 2))
    assert not changes.touch(Location("app.py", 9, 1, 9, 5))
    assert changes.touch(Location.whole_file("app.py"))
    assert not changes.touch(Location.whole_file("other.py"))


def test_the_environment_of_a_hook_is_not_taken_for_the_scanned_repository(
    repository: Repository, tmp_path: Path
) -> None:
    other = Repository.new(tmp_path / "other")
    other.write("app.py", APP)
    other.commit()
    repository.write("weak.py", edited(WEAK, SECOND))
    hook = {"GIT_DIR": str(other.root / ".git"), "GIT_INDEX_FILE": ".git/index", "GIT_DIFF_OPTS": "--unified=9"}
    assert shown(repository.root, **hook) == {("weak.py", SECOND)}


# --- hostile repositories ---------------------------------------------------------------------------------------------


def _alarm(folder: Path) -> tuple[Path, Path]:
    """A program, and the file that is there once the program was run."""
    program, sprung = folder / "program", folder / "sprung"
    program.write_text(f'#!/bin/sh\ntouch "{sprung}"\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    return program, sprung


def _filter(name: str, kind: str) -> Callable[[Repository, Path], None]:
    def lay(repository: Repository, program: Path) -> None:
        repository.git("config", f"filter.{name}.{kind}", program)
        repository.git("config", f"filter.{name}.required", "true")
        repository.write(".git/info/attributes", f"* filter={name}\n")

    return lay


def _driver(kind: str) -> Callable[[Repository, Path], None]:
    def lay(repository: Repository, program: Path) -> None:
        repository.git("config", f"diff.trap.{kind}", program)
        repository.write(".git/info/attributes", "* diff=trap\n")

    return lay


def _setting(name: str) -> Callable[[Repository, Path], None]:
    def lay(repository: Repository, program: Path) -> None:
        repository.git("config", name, program)

    return lay


TRAPS: dict[str, Callable[[Repository, Path], None]] = {
    "fsmonitor": _setting("core.fsmonitor"),
    "external diff": _setting("diff.external"),
    "diff driver": _driver("command"),
    "textconv": _driver("textconv"),
    "clean filter": _filter("trap", "clean"),
    "filter process": _filter("trap", "process"),
    "filter with an equals sign": _filter("a=b.c", "clean"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_no_program_that_the_repository_names_is_run(trap: str, repository: Repository, tmp_path: Path) -> None:
    program, sprung = _alarm(tmp_path)
    repository.write("weak.py", edited(WEAK, SECOND))
    TRAPS[trap](repository, program)
    assert shown(repository.root) == {("weak.py", SECOND)}
    assert not sprung.exists()

    _try_git(repository, "diff")
    assert sprung.exists(), "the trap works where git is asked without care"


def test_nothing_is_fetched_by_a_program_that_the_repository_names(repository: Repository, tmp_path: Path) -> None:
    program, sprung = _alarm(tmp_path)
    blob = repository.git("rev-parse", "main:weak.py")
    (repository.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    for name, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", str(repository.root)),
        ("remote.origin.uploadPack", str(program)),
    ):
        repository.git("config", name, value)
    repository.write("weak.py", edited(WEAK, SECOND))
    assert "this clone is partial" in one_error(run_assay("scan", "--since", "main", cwd=repository.root))
    assert not sprung.exists()

    _try_git(repository, "diff", "main")
    assert sprung.exists(), "the trap works where git is asked without care"


def _try_git(repository: Repository, *arguments: str) -> None:
    subprocess.run(["git", "-C", repository.root, *arguments], capture_output=True, check=False, timeout=60)


# --- mistakes ---------------------------------------------------------------------------------------------------------


def one_error(ended: Ended) -> str:
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("assay: ")
    assert ended.err.count("\n") == 1
    return ended.err


def test_a_folder_without_a_repository(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    ended = run_assay("scan", "--since", "main", cwd=tmp_path, environment={"GIT_CEILING_DIRECTORIES": "/"})
    assert "is in no git repository" in one_error(ended)


def test_a_machine_without_git(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    ended = run_assay("scan", "--since", "main", cwd=repository.root, environment={"PATH": str(tmp_path / "bin")})
    assert "install git" in one_error(ended)


@pytest.mark.parametrize(
    "revision", ["nowhere", "", "main..feature", "main:app.py", "^main", "1234567", "a b\n\x1b[31m"]
)
def test_a_revision_that_is_none(revision: str, repository: Repository) -> None:
    ended = run_assay("scan", "--since", revision, "--report", "json=report.json", cwd=repository.root)
    assert f"git knows no revision {revision!r}\n" in one_error(ended)
    assert not (repository.root / "report.json").exists()


@pytest.mark.parametrize("option", ["--output=stolen", "-h", "--git-dir", "--all"])
def test_a_revision_is_never_an_option(option: str, repository: Repository) -> None:
    ended = run_assay("scan", f"--since={option}", cwd=repository.root)
    assert f"git knows no revision '{option}'" in one_error(ended)
    assert not (repository.root / "stolen").exists()


def test_a_branch_that_only_the_remote_has(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "--quiet", repository.root, tmp_path / "clone")
    ended = run_assay("scan", "--since", "main", cwd=tmp_path / "clone")
    assert "did you mean origin/main?" in one_error(ended)


def _shallow(repository: Repository, folder: Path) -> Repository:
    repository.write("weak.py", edited(WEAK, SECOND))
    repository.commit()
    url = repository.root.as_uri()
    repository.git("clone", "--quiet", "--depth", "1", "--branch", "feature", "--no-single-branch", url, folder)
    return Repository(folder)


def test_a_revision_that_a_shallow_clone_lacks(repository: Repository, tmp_path: Path) -> None:
    repository.write("app.py", APP + "\n# more\n")
    repository.commit()
    clone = _shallow(repository, tmp_path / "clone")
    clone.git("branch", "--remotes", "--delete", "origin/main")
    message = one_error(run_assay("scan", "--since", "main", cwd=clone.root))
    assert "shallow" in message
    assert "git fetch --unshallow" in message
    assert "fetch-depth: 0" in message


def test_a_shallow_clone_that_lacks_the_merge_base(repository: Repository, tmp_path: Path) -> None:
    clone = _shallow(repository, tmp_path / "clone")
    message = one_error(run_assay("scan", "--since", "origin/main", cwd=clone.root))
    assert "it is unknown where 'origin/main' and HEAD parted" in message
    clone.git("fetch", "--quiet", "--unshallow")
    assert shown(clone.root, "origin/main") == {("weak.py", SECOND)}
