"""`--fast`: a few files judged by what they and their imports tell, never harder than the whole scan judges them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import assay.rules
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.fast.judging import FastScan
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Kind
from tests.repositories import Repository
from tests.running import Ended, backend, run_assay

BACKENDS = Path(__file__).parent.parent / "fixtures" / "backends"
RULEBOOK = load_rulebook(assay.rules)
MAIN = """\
from fastapi import FastAPI

from shop import orders

app = FastAPI()
app.include_router(orders.router, prefix="/orders")
"""
ORDERS = """\
import logging
import subprocess

from fastapi import APIRouter

from shop.names import checked

router = APIRouter()
log = logging.getLogger(__name__)


@router.get("/")
def listing(name: str):
    log.info(f"listing {len(name)}")
    return []


@router.get("/safe")
def safe(name: str):
    subprocess.run("ls " + checked(name), shell=True)
    return {}
"""
BAD = """

@router.get("/bad")
def bad(name: str):
    subprocess.run(f"ls {name}", shell=True)
    return {}
"""
NAMES = """\
from shop.rules import allowed


def checked(name: str) -> str:
    return allowed(name)
"""
RULES = """\
import shlex


def allowed(name: str) -> str:
    return shlex.quote(name)
"""


def shop(root: Path) -> Repository:
    repository = Repository.new(root)
    repository.write("shop/__init__.py", "")
    repository.write("shop/main.py", MAIN)
    repository.write("shop/orders.py", ORDERS)
    repository.write("shop/names.py", NAMES)
    repository.write("shop/rules.py", RULES)
    repository.commit()
    return repository


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fast") / "cache"


def fast(repository: Repository, cache: Path, *arguments: str) -> Ended:
    return run_assay("gate", "--fast", *arguments, "--cache-dir", cache, cwd=repository.root)


def findings(ended: Ended) -> list[tuple[str, str, int, str]]:
    report: dict[str, Any] = json.loads(ended.out)
    return [
        (v["rule"], v["location"]["path"], v["location"]["line"], v["fingerprint"])
        for v in report["verdicts"]
        if v["kind"] == "fail"
    ]


def test_what_was_there_before_is_green(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", "# a comment\n" + ORDERS)
    ended = fast(repository, cache, "shop/orders.py")
    assert ended.code == 0, ended.out + ended.err
    assert "0 new" in ended.out


def test_a_new_finding_is_red_with_its_place_and_the_next_step(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", ORDERS + BAD)
    ended = fast(repository, cache, "shop/orders.py")
    assert ended.code == 1
    assert "shop/orders.py:26  SEC102 critical  new" in ended.out
    assert "assay waive" in ended.out
    assert "OBS101" not in ended.out


def test_a_second_copy_of_a_known_finding_is_new(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", ORDERS + BAD)
    repository.commit()
    repository.write("shop/orders.py", ORDERS + BAD + BAD.replace("bad", "worse"))
    ended = fast(repository, cache, "shop/orders.py")
    assert ended.code == 1
    assert "new critical findings               1" in ended.out


def test_only_the_named_files_are_judged(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", ORDERS + BAD)
    assert fast(repository, cache, "shop/names.py").code == 0
    assert fast(repository, cache, "shop").code == 1


def test_a_renamed_file_keeps_its_findings(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", ORDERS + BAD)
    repository.commit()
    repository.git("mv", "shop/orders.py", "shop/purchases.py")
    repository.write("shop/main.py", MAIN.replace("orders", "purchases"))
    repository.git("add", "--all")
    ended = fast(repository, cache, "shop/purchases.py", "shop/main.py")
    assert ended.code == 0, ended.out + ended.err


def test_code_that_moved_to_another_file_keeps_its_findings(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    hashing = "\n\ndef digest(password: str) -> str:\n    return hashlib.md5(password.encode()).hexdigest()\n"
    repository.write("shop/names.py", "import hashlib\n" + NAMES + hashing)
    repository.commit()
    repository.write("shop/names.py", NAMES)
    repository.write("shop/rules.py", "import hashlib\n" + RULES + hashing)
    ended = fast(repository, cache, "shop/names.py", "shop/rules.py")
    assert ended.code == 0, ended.out + ended.err


def test_before_the_first_commit_all_is_new(tmp_path: Path, cache: Path) -> None:
    repository = Repository.new(tmp_path / "shop")
    repository.write("main.py", MAIN.replace("from shop import", "import"))
    repository.write("orders.py", (ORDERS + BAD).replace("from shop.names import checked", "checked = str"))
    ended = fast(repository, cache, "orders.py")
    assert ended.code == 1, ended.out + ended.err


def test_of_the_first_backend_of_a_repository_all_is_new(tmp_path: Path, cache: Path) -> None:
    repository = Repository.new(tmp_path / "shop")
    repository.write("README.md", "A shop.")
    repository.commit()
    repository.write("main.py", MAIN.replace("from shop import", "import"))
    repository.write("orders.py", (ORDERS + BAD).replace("from shop.names import checked", "checked = str"))
    ended = fast(repository, cache, "main.py", "orders.py")
    assert ended.code == 1, ended.out + ended.err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_number_of_workers_makes_no_difference(tmp_path: Path, cache: Path, jobs: str) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", "# a comment\n" + ORDERS + BAD)
    ended = fast(repository, cache, "shop/orders.py", "--jobs", jobs, "-f", "concise")
    assert ended.code == 1
    (new,) = [line for line in ended.out.splitlines() if " new " in line]
    assert new.startswith("shop/orders.py:27:")


def test_a_waiver_counts(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", ORDERS + BAD)
    words = ("--reason", "a tool of ours", "--owner", "@ops")
    waived = run_assay(
        *("waive", "SEC102", "--path", "shop/orders.py", *words, "--expires", "30d", "--cache-dir", cache),
        cwd=repository.root,
    )
    assert waived.code == 0, waived.err
    ended = fast(repository, cache, "shop/orders.py")
    assert ended.code == 0, ended.out + ended.err
    assert "1 accepted" in ended.out


def test_a_file_that_cant_be_read_is_no_pass(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/broken.py", "def (:\n")
    ended = fast(repository, cache, "shop/broken.py")
    assert ended.code == 2
    assert "shop/broken.py:1" in ended.out


def test_what_a_scan_leaves_out_is_left_out_here_too(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("tests/test_it.py", ORDERS + BAD)
    repository.write("legacy/old.py", ORDERS + BAD)
    repository.write("assay.toml", '[files]\nexclude = ["legacy/"]\n')
    assert fast(repository, cache, "tests/test_it.py", "legacy/old.py", "assay.toml").code == 0


def test_a_fast_fail_is_one_of_the_whole_scan(tmp_path: Path, cache: Path) -> None:
    """Of a call through two modules only one is linked, and it may do whatever it likes: that is no fail."""
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", ORDERS + BAD)
    quick = run_assay("scan", "--fast", "shop/orders.py", "-f", "json", "--cache-dir", cache, cwd=repository.root)
    whole = run_assay("scan", "-f", "json", "--no-analyzers", "--cache-dir", cache, cwd=repository.root)
    found = findings(quick)
    assert {rule for rule, *_ in found} == {"SEC102", "OBS101"}
    assert set(found) <= set(findings(whole))


@pytest.mark.parametrize("name", ["fastapi_unsound", "flask_unsound", "django_unsound"])
def test_what_a_file_of_a_sample_shows_alone_is_wrong_for_the_whole_scan_too(name: str) -> None:
    """Though not always by the same rule: where SQL is built from text, the whole scan knows that it is a client's.

    What only comes from another file that imports this one is left to the whole scan.
    """
    folder = BACKENDS / name
    options = Options(jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor())
    sites = FastScan.of(folder, [folder], RULEBOOK, options, lambda *_: None)
    asked = {rule.code for rule in sites.rulebook.rules}
    wrong = {
        (v.location, v.subject.id)
        for v in scan(folder, RULEBOOK, {}, options).verdicts
        if v.kind is Kind.FAIL and v.rule in asked
    }
    found = {
        (v.location, v.subject.id)
        for path in sites.asked
        for v in replace(sites, asked=frozenset([path])).head().verdicts
        if v.kind is Kind.FAIL
    }
    assert found <= wrong
    assert len(found) >= 0.65 * len(wrong)


def test_a_folder_above_is_named_by_root(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "repository" / "services" / "orders")
    repository.write("shop/orders.py", ORDERS + BAD)
    above = tmp_path / "repository"
    ended = run_assay(
        *("gate", "--fast", "--root", "services/orders", "services/orders/shop/orders.py", "--cache-dir", cache),
        cwd=above,
    )
    assert ended.code == 1
    assert "shop/orders.py:26" in ended.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gate", "--fast", "nowhere.py"), "there is no nowhere.py"),
        (("gate", "--fast", "../outside.py"), "is not in"),
        (("gate", "--fast", "shop/orders.py", "--since", "nowhere"), "no revision 'nowhere'"),
        (("gate", "--fast", "--root", "../elsewhere", "../elsewhere/app.py"), "in no git repository"),
        (("gate", "--fast", "shop/orders.py", "--from", "report.json"), "--fast judges files as they are"),
        (("scan", "--fast", "shop/orders.py", "--since", "HEAD"), "--since needs the whole tree"),
        (("scan", "shop", "shop/orders.py"), "is one too many"),
        (("gate", "--root", "shop"), "--root goes with --fast"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, cache: Path, arguments: tuple[str, ...], words: str) -> None:
    repository = shop(tmp_path / "shop")
    (tmp_path / "outside.py").write_text("", encoding="utf-8")
    backend(tmp_path / "elsewhere")
    repository.write("report.json", "{}")
    ended = run_assay(*arguments, "--cache-dir", cache, cwd=repository.root)
    assert ended.code == 2
    assert words in " ".join(ended.err.split())


def test_two_runs_are_equal_byte_for_byte_warm_or_cold(tmp_path: Path, cache: Path) -> None:
    repository = shop(tmp_path / "shop")
    repository.write("shop/orders.py", ORDERS + BAD)
    arguments = ("gate", "--fast", "shop/orders.py", "shop/names.py", "-f", "json")
    cold = run_assay(*arguments, "--no-cache", cwd=repository.root)
    warm = run_assay(*reversed_files(arguments), "--cache-dir", cache, cwd=repository.root)
    assert cold.out == warm.out


def reversed_files(arguments: tuple[str, ...]) -> tuple[str, ...]:
    first, second = arguments[2:4]
    return (*arguments[:2], second, first, *arguments[4:])
