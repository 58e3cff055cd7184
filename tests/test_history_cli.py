"""Keeping scans and looking back, from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.reports import json_report
from assay.scanner.base.environment import VARIABLES
from assay.scanner.history.origin import origin_of, repository_name
from assay.scanner.history.records import Origin
from tests.repositories import Repository
from tests.running import APP, Ended, backend, listing, run_assay
from tests.samples import NASTY, gated_result

UNPAGED = """
from sqlalchemy.orm import Session
from models import Order


@app.get("/orders")
def list_orders(db: Session):
    return db.query(Order).all()
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository whose second commit brings findings and whose third one mends some, each scanned into `history.db`
    beside it.
    """
    repository = Repository.new(tmp_path_factory.mktemp("work") / "shop")
    repository.git("remote", "add", "origin", "https://ada:secret@git.example.org/acme/shop.git")
    for text in (APP, APP + UNPAGED, APP + '\nprint("started")\n'):
        repository.write("app.py", text)
        repository.commit()
        ended = run_assay("scan", "--no-analyzers", "--store", "../history.db", cwd=repository.root)
        assert ended.code == 0, ended.err
    return repository


def asked(shop: Repository, *arguments: str) -> Ended:
    return run_assay(*arguments, "--store", "history.db", cwd=shop.root.parent)


def loaded(shop: Repository, *arguments: str) -> dict[str, object]:
    ended = asked(shop, *arguments, "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    answer = json.loads(ended.out)
    assert answer["schema_version"] == "1.0"
    assert isinstance(answer, dict)
    return answer


# --- keeping ----------------------------------------------------------------------------------------------------------


def test_scan_keeps_its_result_and_says_where(tmp_path: Path) -> None:
    backend(tmp_path / "shop")
    for number in (1, 2):
        ended = run_assay("scan", "shop", "--no-analyzers", "--store", "history.db", cwd=tmp_path)
        assert (ended.code, ended.err) == (0, f"assay: kept as scan {number} in history.db\n")
    assert listing(tmp_path) == {"shop", "shop/app.py", "history.db"}


def test_the_store_may_be_named_by_the_environment(tmp_path: Path) -> None:
    backend(tmp_path / "shop")
    environment = {"ASSAY_STORE": "history.db"}
    assert run_assay("scan", "shop", "--no-analyzers", cwd=tmp_path, environment=environment).code == 0
    ended = run_assay("history", "list", cwd=tmp_path, environment=environment)
    assert "shop" in ended.out
    # What makes no whole scan is not kept, and no reason to fail: the environment speaks to all commands.
    ended = run_assay("scan", "shop/app.py", "--root", "shop", "--fast", cwd=tmp_path, environment=environment)
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("flags", [["--fast"], ["--since", "HEAD"], ["--watch"]])
def test_parts_of_a_scan_are_not_kept(tmp_path: Path, flags: list[str]) -> None:
    backend(tmp_path)
    ended = run_assay("scan", *flags, "app.py" if flags == ["--fast"] else ".", "--store", "h.db", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert f"--store keeps whole scans, and {flags[0]} makes none" in ended.err
    assert listing(tmp_path) == {"app.py"}


def test_a_bad_store_is_told_before_anything_is_scanned(tmp_path: Path) -> None:
    backend(tmp_path)
    (tmp_path / "notes.txt").write_text("no database\n" * 99, encoding="utf-8")
    for command in ("scan", "gate"):
        ended = run_assay(command, "--store", "notes.txt", "--report", "out.json", cwd=tmp_path)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err == "assay: notes.txt: it is no store of Assay: not an SQLite file\n"
    assert listing(tmp_path) == {"app.py", "notes.txt"}


def test_the_gate_s_word_is_kept(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "shop")
    repository.write("app.py", APP)
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "orders")
    repository.write("app.py", APP + UNPAGED)
    repository.commit()
    ended = run_assay("gate", "--no-analyzers", "--since", "main", "--store", "../h.db", cwd=repository.root)
    assert ended.err.endswith("assay: kept as scan 1 in ../h.db\n")
    shown = json.loads(run_assay("history", "show", "1", "--store", "h.db", "--format", "json", cwd=tmp_path).out)
    scan = shown["details"]["scan"]
    assert scan["branch"] == "orders"
    assert scan["gate"]["status"] == ("passed" if ended.code == 0 else "failed")
    assert scan["new"] >= 1


# --- looking back -----------------------------------------------------------------------------------------------------


def test_list_shows_the_services(shop: Repository) -> None:
    ended = asked(shop, "history", "list")
    (row,) = (line for line in ended.out.splitlines() if line.startswith("acme/shop"))
    assert row.split()[:4] == ["acme/shop", "3", "3", shop.git("rev-parse", "HEAD")[:7]]
    services = loaded(shop, "history", "list")["services"]
    assert isinstance(services, list)
    (service,) = services
    assert service["repository"] == "acme/shop"
    assert "secret" not in ended.out + json.dumps(service)


def test_list_shows_a_service_s_scans_newest_first(shop: Repository) -> None:
    rows = asked(shop, "history", "list", "--service", "shop").out.splitlines()
    assert rows[0] == "acme/shop, branch main: 3 scans"
    assert [row.split()[0] for row in rows[2:]] == ["3", "2", "1"]
    scans = loaded(shop, "history", "list", "--service", "acme/shop")["scans"]
    assert isinstance(scans, list)
    assert [scan["since_last"]["new"] > 0 for scan in scans] == [True, True, True]
    assert scans[0]["since_last"]["fixed"] > 0
    rows = asked(shop, "history", "list", "--service", "shop", "--limit", "1").out.splitlines()
    assert rows[-1] == "… 2 more; --limit shows them"
    assert "No scans of acme/shop" in asked(shop, "history", "list", "--service", "shop", "--until", "2020-01-01").out


def test_show_tells_scores_and_what_the_scan_brought(shop: Repository) -> None:
    ended = asked(shop, "history", "show", "2")
    assert ended.out.startswith("Scan 2   acme/shop   branch main\n")
    assert "whole report kept" in ended.out
    assert "✗ new" in ended.out
    assert "GET /orders" in ended.out
    told = loaded(shop, "history", "show", "2")
    assert len(told["since_last"]["new"]) >= 1  # type: ignore[index]
    assert told["findings"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["history", "show", "99"], "there is no scan 99 in the store; `assay history list` shows them"),
        (["history", "list", "--service", "shpo"], "there is no service 'shpo' in the store; did you mean 'shop'?"),
        (["history", "list", "--service", "shop", "--branch", "x"], "there are no scans of a branch 'x'"),
        (["diff", "1", "99"], "there is no scan 99 in the store"),
        (["diff", "1", "@shop~9"], "acme/shop has only 3 scans in the store"),
        (["history", "remove", "99"], "there is no scan 99 in the store"),
    ],
)
def test_what_there_is_not_is_told_in_one_line(shop: Repository, arguments: list[str], message: str) -> None:
    ended = asked(shop, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"assay: {message}")
    assert ended.err.count("\n") == 1


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    for arguments in (["list"], ["show", "1"], ["prune", "--keep", "1"], ["remove", "1"]):
        ended = run_assay("history", *arguments, "--store", "h.db", cwd=tmp_path)
        assert ended.code == 2
        assert ended.err == "assay: there is no store h.db; `assay scan --store h.db` makes one\n"
    assert listing(tmp_path) == set()
    assert "Missing option '--store'" in run_assay("history", "list", cwd=tmp_path).err


def test_diff_between_any_two_scans(shop: Repository) -> None:
    by_number = asked(shop, "diff", "1", "3", "--exit-code")
    assert by_number.code == 1
    assert by_number.out == asked(shop, "diff", "@shop~2", "@shop").out
    newest = shop.root.parent / "newest.json"
    run_assay("scan", "--no-analyzers", "--report", f"json={newest}", cwd=shop.root)
    with_file = asked(shop, "diff", "@shop", "newest.json", "--exit-code")
    assert (with_file.code, with_file.err) == (0, "")
    ended = run_assay("diff", "1", "3", cwd=shop.root.parent)
    assert ended.code == 2
    assert "there is no file 1; for a scan of a store, say which: --store URL" in ended.err


def test_a_store_that_may_only_be_read_can_be_asked(shop: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "history.db").write_bytes((shop.root.parent / "history.db").read_bytes())
    (folder / "history.db").chmod(0o444)
    folder.chmod(0o555)
    try:
        ended = run_assay("history", "list", "--store", "kept/history.db", cwd=tmp_path, without_powers=True)
    finally:
        folder.chmod(0o755)
    assert (ended.code, ended.err) == (0, "")
    assert "acme/shop" in ended.out


# --- adding, removing, pruning ----------------------------------------------------------------------------------------


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "results.json"
    file.write_text(json_report.render(gated_result()), encoding="utf-8")
    return file


def test_a_report_can_be_added(report: Path, tmp_path: Path) -> None:
    options = ("--branch", "main", "--repository", "acme/shop", "--stored-at", "2026-02-01")
    for _ in range(2):
        ended = run_assay("history", "add", report, *options, "--store", "h.db", cwd=tmp_path)
        assert (ended.code, ended.out, ended.err) == (0, "", "assay: kept as scans 1, 2 in h.db\n")
    ended = run_assay("history", "list", "--service", "orders", "--store", "h.db", "--format", "json", cwd=tmp_path)
    told = json.loads(ended.out)
    assert [told["service"]["repository"], told["service"]["branch"]] == ["acme/shop", "main"]
    assert told["scans"][0]["scan"]["stored"] == "2026-02-01T00:00:00Z"


def test_a_report_of_another_folder_is_of_its_tree(report: Path, tmp_path: Path) -> None:
    assert run_assay("history", "add", report, "--store", "h.db", cwd=tmp_path).code == 0
    (first, _) = json.loads(run_assay("history", "list", "--store", "h.db", "-f", "json", cwd=tmp_path).out)["services"]
    assert (first["repository"], first["branch"]) == (gated_result().scanned.root, "")


def test_of_several_reports_all_are_added_or_none(report: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    ended = run_assay("history", "add", report, "bad.json", "--store", "h.db", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("assay: bad.json: it is no JSON report of Assay")
    assert listing(tmp_path) == {"results.json", "bad.json"}


def test_scans_are_removed_and_pruned(report: Path, tmp_path: Path) -> None:
    for branch in ("main", "fix"):
        run_assay("history", "add", report, "--branch", branch, "--store", "h.db", cwd=tmp_path)
    assert run_assay("history", "remove", "1", "--store", "h.db", cwd=tmp_path).out == "1 forgotten\n"
    ended = run_assay(
        "history", "prune", "--keep", "1", "--quiet", "1d", "--reports", "0", "--store", "h.db", cwd=tmp_path
    )
    assert ended.out == "1 scan and 2 whole reports forgotten; 2 scans left\n"
    ended = run_assay("history", "prune", "--store", "h.db", cwd=tmp_path)
    assert ended.code == 2
    assert "say what to forget" in ended.err
    ended = run_assay("diff", "2", "3", "--store", "h.db", cwd=tmp_path)
    assert "the whole report of scan 2 isn't kept any more" in ended.err


def test_hostile_text_reaches_no_terminal(report: Path, tmp_path: Path) -> None:
    name = f"\x1b[31m{NASTY}"
    run_assay("history", "add", report, "--repository", name, "--branch", name, "--store", "h.db", cwd=tmp_path)
    for arguments in (["list"], ["list", "--service", "orders"], ["show", "1"], ["show", "1", "-f", "json"]):
        ended = run_assay("history", *arguments, "--store", "h.db", cwd=tmp_path)
        assert ended.code == 0
        assert not set("\x1b\x07\u202e") & set(ended.out + ended.err)


def test_help_loads_no_database() -> None:
    script = (
        "import sys\n"
        "from assay.scanner.cli import cli\n"
        "for arguments in (['history', 'list', '--help'], ['diff', '--help'], ['gate', '--help']):\n"
        "    cli(arguments, standalone_mode=False)\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'psycopg', 'msgspec') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# --- where a tree comes from ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("https://user:token@gitlab.com/group/sub/shop.git", "group/sub/shop"),
        ("ssh://git@example.org:2222/acme/shop/", "acme/shop"),
        ("https://dev.azure.com/acme/project/_git/shop", "acme/project/shop"),
        ("git@ssh.dev.azure.com:v3/acme/project/shop", "acme/project/shop"),
        ("https://bitbucket.example.org/scm/acme/shop.git", "acme/shop"),
        ("/srv/git/shop.git", "shop"),
        ("file:///srv/git/shop.git", "shop"),
        ("/home/ada/shop", ""),
        ("../shop/.git", ""),
        ("acme/shop", "acme/shop"),
        ("https://[broken/acme", ""),
        ("", ""),
    ],
)
def test_a_repository_is_named_without_host_and_secret(address: str, name: str) -> None:
    assert repository_name(address) == name


def test_git_tells_the_branch_and_the_default_one(shop: Repository) -> None:
    assert origin_of(shop.root, {}) == Origin("acme/shop", "main", "")
    shop.git("update-ref", "refs/remotes/origin/trunk", "HEAD")
    shop.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    try:
        assert origin_of(shop.root, {}).default_branch == "trunk"
    finally:
        shop.git("symbolic-ref", "--delete", "refs/remotes/origin/HEAD")


@pytest.mark.parametrize(
    ("environment", "branch"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_HEAD_REF": "fix", "GITHUB_REF": "refs/pull/7/merge"}, "fix"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/release/2"}, "release/2"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/tags/v1"}, ""),
        ({"GITLAB_CI": "true", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix"}, "fix"),
        ({"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main"}, "main"),
        ({"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_BRANCH": "fix"}, "fix"),
        ({"TF_BUILD": "True", "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/fix"}, "fix"),
        ({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/main", "BUILD_REPOSITORY_NAME": "shop"}, "main"),
        ({"JENKINS_URL": "http://ci", "CHANGE_BRANCH": "fix", "BRANCH_NAME": "PR-7"}, "fix"),
        ({"JENKINS_URL": "http://ci", "BRANCH_NAME": "main"}, "main"),
        ({"BUILDKITE": "true", "BUILDKITE_BRANCH": "fix"}, "fix"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/x", "GITHUB_REPOSITORY": "acme/other"}, ""),
        ({}, ""),
    ],
)
def test_where_git_knows_no_branch_the_ci_does(tmp_path: Path, environment: dict[str, str], branch: str) -> None:
    assert environment.keys() <= VARIABLES
    repository = Repository.new(tmp_path / "shop")
    repository.git("remote", "add", "origin", "git@example.org:acme/shop.git")
    repository.write("app.py", APP)
    commit = repository.commit()
    assert origin_of(repository.root, environment) == Origin("acme/shop", "main", "")
    repository.git("checkout", "--quiet", commit)
    assert origin_of(repository.root, environment) == Origin("acme/shop", branch, "")


def test_a_folder_without_git_is_named_by_itself(tmp_path: Path) -> None:
    assert origin_of(tmp_path, {}) == Origin(tmp_path.name)
