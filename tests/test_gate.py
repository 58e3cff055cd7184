"""`assay gate` as CI runs it: real git, real changes, and what a person is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.repositories import Repository
from tests.running import Ended, run_assay

FINE, NOT_MET, UNTRUSTED = 0, 1, 2

APP = """\
import sqlite3

from fastapi import FastAPI, Request
from slowapi import Limiter
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address

app = FastAPI()
app.state.limiter = Limiter(key_func=get_remote_address, default_limits=["100/minute"], storage_uri="redis://redis")
app.add_middleware(SlowAPIMiddleware)
db = sqlite3.connect("shop.db")


@app.get("/users/{name}")
def user(name: str):
    return db.execute(f"SELECT * FROM users WHERE name = '{name}'").fetchone()


@app.get("/colours/{name}")
def colour(name: str):
    return db.execute("SELECT * FROM colours WHERE name = ?", (name,)).fetchall()


@app.post("/login")
def login(request: Request):
    return {"token": request.headers["Authorization"]}
"""
"""One statement of a client's making, limits for all, a log-in, and endpoints that keep the rules."""
INJECTION = """\
@app.get("/users/{name}")
def user(name: str):
    return db.execute(f"SELECT * FROM users WHERE name = '{name}'").fetchone()
"""
COPY = INJECTION.replace("/users/", "/people/").replace("def user(", "def person(")
TESTS = """\
from app import app
from fastapi.testclient import TestClient

client = TestClient(app)


def test_people():
    assert client.get("/people/ann").status_code == 200
"""
"""What a change with the copy is due besides: nothing but the statement is to be said of it."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: most of them scan the same base."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Committed on main; a branch is checked out for the change."""
    made = Repository.new(tmp_path / "shop")
    made.write("app.py", APP)
    made.write("tests/test_app.py", TESTS)
    made.commit()
    made.git("checkout", "--quiet", "-b", "feature")
    return made


@pytest.fixture
def gate(repository: Repository, cache: Path) -> Callable[..., Ended]:
    def run(*arguments: str | Path, cwd: Path = repository.root, **environment: str) -> Ended:
        shared = ("--no-analyzers", "--jobs", "1", "--cache-dir", cache)
        return run_assay("gate", *shared, *arguments, cwd=cwd, environment=environment)

    return run


def findings(ended: Ended) -> dict[tuple[str, str], str | None]:
    """States of the fails of a run with `--format json`, by rule and subject."""
    verdicts: list[dict[str, Any]] = json.loads(ended.out)["verdicts"]
    return {(v["rule"], v["subject"]["id"]): v["state"] for v in verdicts if v["kind"] == "fail"}


# --- what is new ------------------------------------------------------------------------------------------------------


def test_an_unchanged_tree_passes_in_one_line(gate: Callable[..., Ended]) -> None:
    ended = gate()
    assert (ended.code, ended.err) == (FINE, "")
    assert ended.out.startswith("✓ Gate passed: 4 of 4 conditions; score ")
    assert "0 new, 0 fixed since " in ended.out


def test_a_copy_of_an_old_violation_is_red(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("app.py", APP + "\n\n" + COPY)
    repository.commit()
    ended = gate()
    said = " ".join(ended.out.split())
    assert ended.code == NOT_MET
    assert "app.py:31 SEC101 critical new" in said, "where"
    assert "who: Ada, in " in said
    assert "why: app.py:3" in said
    assert "fix: " in said
    assert "assay explain SEC101" in said
    assert "not now: assay waive " in said
    assert ended.out.splitlines()[-1].startswith("✗ Gate failed: ") or "Gate failed: new critical findings: 1" in said


def test_a_copy_is_red_with_a_baseline_too(repository: Repository, gate: Callable[..., Ended], cache: Path) -> None:
    assert run_assay("baseline", "create", "--no-analyzers", "--cache-dir", cache, cwd=repository.root).code == FINE
    assert gate("--since", "baseline").code == FINE
    repository.write("app.py", APP + "\n\n" + COPY)
    ended = gate("--since", "baseline")
    assert ended.code == NOT_MET
    assert "compared with the baseline .assay/baseline.jsonl" in " ".join(ended.out.split())


@pytest.mark.parametrize("how", ["moved", "file renamed", "reformatted"])
def test_what_only_moved_is_green(how: str, repository: Repository, gate: Callable[..., Ended]) -> None:
    match how:
        case "moved":
            repository.write("app.py", APP.replace(INJECTION + "\n\n", "") + "\n\n" + INJECTION)
        case "file renamed":
            repository.git("mv", "app.py", "main.py")
        case _:
            repository.write("app.py", APP.replace("def user(name: str):", "def user(\n    name: str,\n):"))
    repository.commit()
    ended = gate("--format", "json")
    assert ended.code == FINE, ended.out
    assert "new" not in findings(ended).values()


def test_an_edited_line_that_is_still_wrong_is_green_and_marked(
    repository: Repository, gate: Callable[..., Ended]
) -> None:
    repository.write("app.py", APP.replace("SELECT * FROM users WHERE", "SELECT id, name FROM users WHERE"))
    ended = gate("--format", "json")
    assert ended.code == FINE
    assert findings(ended)["SEC101", "app:user#sql1"] == "edited"


def test_without_the_rate_limiter_untouched_endpoints_are_red(
    repository: Repository, gate: Callable[..., Ended]
) -> None:
    repository.write("app.py", APP.replace("app.add_middleware(SlowAPIMiddleware)\n", ""))
    ended = gate()
    assert ended.code == NOT_MET
    assert "SEC401" in ended.out


def test_deleting_what_kept_the_rules_is_green(repository: Repository, gate: Callable[..., Ended]) -> None:
    kept = "\n\n".join(
        f'@app.get("/sizes/{n}/{{name}}")\ndef size{n}(name: str):\n'
        f'    return db.execute("SELECT * FROM sizes WHERE name = ?", (name,)).fetchall()\n'
        for n in range(3)
    )
    repository.git("checkout", "--quiet", "main")
    repository.write("app.py", APP + "\n\n" + kept)
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "smaller")
    repository.write("app.py", APP)
    repository.write("assay.toml", "[gate.overall]\nmax-drop = 0\n[gate.sections]\nSEC = { max-drop = 0 }\n")
    ended = gate()
    assert ended.code == FINE, ended.out


def test_what_happened_on_main_meanwhile_is_not_ours(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("notes.py", "'''Nothing.'''\n")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("app.py", APP + "\n\n" + COPY)
    repository.commit()
    repository.git("checkout", "--quiet", "feature")
    assert gate().code == FINE


def test_fixing_is_praised(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("app.py", APP.replace("f\"SELECT * FROM users WHERE name = '{name}'\"", '"SELECT 1"'))
    ended = gate()
    assert ended.code == FINE
    assert "1 fixed (SEC101)" in " ".join(ended.out.split())


# --- not to be trusted ------------------------------------------------------------------------------------------------


def test_a_syntax_error_is_no_pass(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("legacy.py", "print 'two'\n")
    ended = gate()
    said = " ".join(ended.out.split())
    assert ended.code == UNTRUSTED
    assert "legacy.py:1 syntax error" in said
    assert said.endswith("Not a pass: 1 file could not be read")


def test_who_mends_an_unread_file_answers_for_the_lines_that_they_change(
    repository: Repository, gate: Callable[..., Ended]
) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.write("old.py", APP + "\n\nprint 'here'\n")
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "mended")
    repository.write("old.py", APP + "\n\nprint('here')\n")
    ended = gate("--format", "json")
    assert ended.code == FINE, "for all that anybody knows, all of it was there"
    repository.write("old.py", APP + "\n\nprint('here')\n\n\n" + COPY)
    ended = gate("--format", "json")
    assert ended.code == NOT_MET
    states = findings(ended)
    assert (states["SEC101", "old:user#sql1"], states["SEC101", "old:person#sql1"]) == ("known", "new")


def test_findings_and_an_unread_file_are_told_together(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("app.py", APP + "\n\n" + COPY)
    repository.write("legacy.py", "print 'two'\n")
    ended = gate("--exit-zero")
    said = " ".join(ended.out.split())
    assert ended.code == UNTRUSTED, "nothing turns this into 0"
    assert "Not a pass: 1 file could not be read; new critical findings: 1" in said
    assert "app.py:31 SEC101" in said


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    ended = run_assay("gate", tmp_path / "nowhere", cwd=tmp_path)
    assert (ended.code, ended.out) == (UNTRUSTED, "")
    assert ended.err == f"assay: there is no {tmp_path / 'nowhere'}\n"


def test_nothing_to_scan_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Nothing", encoding="utf-8")
    assert run_assay("gate", cwd=tmp_path).code == UNTRUSTED


def test_without_git_and_without_a_baseline_nobody_can_tell(tmp_path: Path, gate: Callable[..., Ended]) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "app.py").write_text(APP, encoding="utf-8")
    ended = gate(cwd=tmp_path / "alone")
    assert ended.code == UNTRUSTED
    assert "assay baseline create" in ended.err + ended.out


def test_a_baseline_does_without_git(tmp_path: Path, gate: Callable[..., Ended], cache: Path) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "app.py").write_text(APP, encoding="utf-8")
    run_assay("baseline", ".", "--no-analyzers", "--cache-dir", cache, cwd=tmp_path / "alone")
    assert gate(cwd=tmp_path / "alone").code == FINE


# --- modes ------------------------------------------------------------------------------------------------------------


def test_it_may_only_warn(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("app.py", APP + "\n\n" + COPY)
    assert gate("--exit-zero").code == FINE
    warned = gate("--warn-only")
    assert warned.code == FINE
    assert "Gate would fail (it only warns)" in warned.out


def test_only_what_is_new_may_be_asked(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("assay.toml", "[gate.overall]\nmin = 100\n")
    assert gate().code == NOT_MET
    assert gate("--new-only").code == FINE


def test_an_earlier_result_can_be_judged(repository: Repository, gate: Callable[..., Ended], tmp_path: Path) -> None:
    def scanned(name: str) -> Path:
        file = tmp_path / f"{name}.json"
        assert run_assay("scan", "--no-analyzers", "-o", f"json={file}", cwd=repository.root).code == FINE
        return file

    before = scanned("main")
    assert gate("--from", before, "--base", before).code == FINE
    repository.write("app.py", APP + "\n\n" + COPY)
    ended = gate("--from", scanned("head"), "--base", before)
    assert ended.code == NOT_MET
    assert "SEC101" in ended.out


# --- accepted ---------------------------------------------------------------------------------------------------------


def waived(rule: str, subject: str, expires: datetime) -> str:
    return (
        f'[[waiver]]\nid = "W-014"\nrule = "{rule}"\nsubject = "{subject}"\nreason = "replaced in spring"\n'
        f'owner = "@acme/payments"\ncreated = 2026-06-01\nexpires = {expires.date().isoformat()}\n'
    )


def test_a_waiver_one_day_past_is_red_and_names_its_owner(repository: Repository, gate: Callable[..., Ended]) -> None:
    settings = "[waivers]\nmax-days = 3650\n"
    repository.write("assay.toml", settings)
    tomorrow, yesterday = (datetime.now(UTC) + timedelta(days=n) for n in (1, -1))
    repository.write("app.py", APP + "\n\n" + COPY)
    repository.write(".assay/waivers.toml", waived("SEC101", "app:person#sql1", tomorrow))
    in_time = gate()
    assert in_time.code == FINE, in_time.out
    assert "1 accepted" in in_time.out

    repository.write(".assay/waivers.toml", waived("SEC101", "app:person#sql1", yesterday))
    ended = gate()
    said = " ".join(ended.out.split())
    assert ended.code == NOT_MET
    assert "W-014 (SEC101, @acme/payments, expired 1 day ago)" in said


def test_nobody_exempts_their_own_change_where_that_is_configured(
    repository: Repository, gate: Callable[..., Ended]
) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.write("assay.toml", '[waivers]\nfrom = "base"\nmax-days = 3650\n')
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "smart")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    repository.write("app.py", APP + "\n\n" + COPY)
    repository.write(".assay/waivers.toml", waived("SEC101", "app:person#sql1", tomorrow))
    repository.commit()
    assert gate().code == NOT_MET
    repository.write(
        "app.py", APP + "\n\n" + COPY.replace("fetchone()", "fetchone()  # assay: ignore[SEC101] I say so")
    )
    assert gate().code == NOT_MET


# --- the same bytes ---------------------------------------------------------------------------------------------------


def test_two_runs_are_equal_byte_for_byte(repository: Repository, tmp_path: Path) -> None:
    repository.write("app.py", APP + "\n\n" + COPY)
    written: list[dict[str, bytes]] = []
    for jobs, cache in (("1", ("--no-cache",)), ("2", ("--cache-dir", tmp_path / "own")), ("2", ("--no-cache",))):
        target = tmp_path / f"out{len(written)}"
        target.mkdir()
        forms = ("json", "sarif", "html", "csv", "junit", "gitlab", "markdown")
        reports = [word for form in forms for word in ("-o", f"{form}={target / form}")]
        run_assay("gate", "--jobs", jobs, *cache, *reports, cwd=repository.root)
        written.append({file.name: file.read_bytes() for file in sorted(target.iterdir())})
        shutil.rmtree(target)
    assert len(written[0]) == 7
    assert written[0] == written[1] == written[2]


# --- what a change says of itself -------------------------------------------------------------------------------------


def test_a_change_that_loosens_the_configuration_is_told(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("app.py", APP + "\n\n" + COPY)
    repository.write("assay.toml", '[rules]\ndisable = ["SEC101"]\n[gate]\nnew-since = "HEAD"\n')
    repository.commit()
    ended = gate()
    said = " ".join(ended.out.split())
    assert ended.code == FINE
    assert "! this change alters what it is judged by: gate.new-since: merge-base → HEAD" in said
    assert "! this change alters what it is judged by: rules.disable: + SEC101" in said
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "feature")
    repository.git("checkout", "--quiet", "-b", "next")
    repository.write("README.md", "# Shop\n")
    repository.commit()
    assert "alters" not in gate().out, "what is merged is nobody's change any more"


@pytest.mark.parametrize(
    "loosened",
    [
        '[waivers]\nfrom = "head"\n[rules]\ndisable = ["SEC101"]\n',
        '[waivers]\nfrom = "base"\n[files]\nexclude = ["app.py"]\n',
        '[waivers]\nfrom = "base"\n[files.roles]\n"*.py" = "test"\n',
        '[waivers]\nfrom = "base"\n[gate]\nmode = "warn"\n',
        '[gate]\nnew-since = "HEAD"\n',
        "",
    ],
)
def test_nobody_configures_their_own_change_where_that_is_configured(
    loosened: str, repository: Repository, gate: Callable[..., Ended]
) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.write("shared.toml", '[waivers]\nfrom = "base"\n')
    repository.write("assay.toml", 'extends = ["shared.toml"]\n[services.shop]\nroot = "."\n')
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "smart")
    repository.write("app.py", APP + "\n\n" + COPY)
    repository.write("assay.toml", loosened)
    repository.commit()
    ended = gate()
    said = " ".join(ended.out.split())
    assert ended.code == NOT_MET
    assert "SEC101 critical new" in said
    assert "it counts once it is merged" in said


def test_a_configuration_that_the_base_has_wrong_is_told(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.write("assay.toml", "[gait]\n")
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "mended")
    repository.write("assay.toml", "[gate]\n")
    repository.commit()
    ended = gate()
    assert ended.code == FINE
    assert "can't be told: assay.toml:1: gait" in " ".join(ended.out.split())


def test_a_baseline_that_grows_in_the_change_is_told(
    repository: Repository, gate: Callable[..., Ended], cache: Path
) -> None:
    repository.git("checkout", "--quiet", "main")
    shared = ("--no-analyzers", "--cache-dir", cache)
    run_assay("baseline", "create", *shared, cwd=repository.root)
    repository.write("assay.toml", '[gate]\nnew-since = "baseline"\n')
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "import")
    repository.write("app.py", APP + "\n\n" + COPY)
    assert gate().code == NOT_MET
    run_assay("baseline", "accept", "--reason", "bought", *shared, cwd=repository.root)
    ended = gate()
    assert ended.code == FINE
    assert "adds 1 to the findings that the baseline holds (SEC101)" in " ".join(ended.out.split())


@pytest.mark.parametrize("how", ["ignored", "marked as a cache", "linked to", "in a folder of tools"])
def test_python_of_the_change_that_no_scan_reads_is_no_pass(
    how: str, repository: Repository, gate: Callable[..., Ended]
) -> None:
    bad = APP + "\n\n" + COPY
    match how:
        case "ignored":
            path = "bad.py"
            repository.write(path, bad)
            repository.commit()
            repository.write(".gitignore", "bad.py\n")
        case "marked as a cache":
            path = "extra/bad.py"
            repository.write(path, bad)
            repository.write("extra/CACHEDIR.TAG", "")
        case "linked to":
            path = "bad.py"
            repository.write("text/bad.txt", bad)
            (repository.root / path).symlink_to("text/bad.txt")
        case _:
            path = ".cache/bad.py"
            repository.write(path, bad)
    repository.commit()
    ended = gate()
    said = " ".join(ended.out.split())
    assert ended.code == UNTRUSTED
    assert f"{path} passed over: this change brings it, and no scan reads it" in said
    repository.write("assay.toml", f'[files]\nexclude = ["{path}"]\n')
    assert gate().code == FINE, "who says so in the configuration is seen to say so"


def test_production_code_that_is_kept_among_tests_is_told(repository: Repository, gate: Callable[..., Ended]) -> None:
    router = "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n" + COPY.replace("@app", "@router")
    repository.write("tests/people.py", router)
    repository.write("tests/test_app.py", "from tests.people import router\n")
    repository.write("tests/api/helpers.py", "")
    repository.write("tests/helpers.py", "")
    repository.write("api/helpers.py", "import helpers\nfrom .helpers import x\nfrom api.helpers import y\n")
    repository.write("app.py", APP + "\nfrom tests.people import router\n\napp.include_router(router)\n")
    repository.commit()
    said = " ".join(gate().out.split())
    assert "! app.py imports tests.people, and tests/people.py is taken for a test, which nothing judges" in said
    assert said.count(" imports ") == 1


def test_what_is_new_and_accepted_is_shown(repository: Repository, gate: Callable[..., Ended]) -> None:
    repository.write("assay.toml", "[waivers]\nmax-days = 3650\n")
    repository.write("app.py", APP + "\n\n" + COPY)
    later = datetime.now(UTC) + timedelta(days=60)
    repository.write(".assay/waivers.toml", waived("SEC101", "app:person#sql1", later))
    ended = gate()
    assert ended.code == FINE
    assert "~ new and accepted: app.py:31 SEC101 critical W-014 of @acme/payments: replaced in spring" in " ".join(
        ended.out.split()
    )
