"""What earlier scans found out: the same answers in less work, and never a wrong one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import assay.rules
from assay.scanner.cache import Cache, CacheError
from assay.scanner.config import Config
from assay.scanner.engine import Options, scan, understand
from assay.scanner.executors import InlineExecutor
from assay.scanner.profiling import Profile
from assay.scanner.recall import Recall
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import load_rulebook, rulebook_of, texts_of
from tests.repositories import Repository
from tests.running import APP, Ended, run_assay

RULEBOOK = load_rulebook(assay.rules)
USERS = """\
from app import app
from db import session, User


@app.get("/users")
def users():
    return session.query(User).all()
"""
PRINTING = USERS.replace("    return", "    print('asked for all of them')\n    return")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "service"
    root.mkdir()
    (root / "app.py").write_text(APP)
    (root / "users.py").write_text(USERS)
    (root / "Dockerfile").write_text("FROM python:3.12\nCMD uvicorn app:app\n")
    return root


def scanned(tree: Path, folder: Path | None, config: Config | None = None) -> tuple[ScanResult, Profile]:
    profile = Profile()
    recall = None if folder is None else Recall(Cache.open(folder))
    options = Options(config or Config(), 1, False, lambda _: InlineExecutor(), recall, profile)
    return scan(tree, RULEBOOK, {}, options), profile


def verdicts(result: ScanResult) -> bytes:
    """All that a result says but for when it was made."""
    data: dict[str, Any] = msgspec.to_builtins(result)
    data["scanned"] |= {"seconds": 0}
    return msgspec.json.encode(data)


def entries(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("??/*") if p.is_file())


def test_nothing_is_read_where_nothing_has_changed(tree: Path, tmp_path: Path) -> None:
    first, _ = scanned(tree, tmp_path / "cache")
    again, profile = scanned(tree, tmp_path / "cache")
    assert profile.result_recalled
    assert not profile.files
    assert verdicts(again) == verdicts(first)


def test_an_unchanged_tree_needs_neither_rules_nor_readers(tree: Path, tmp_path: Path) -> None:
    arguments = ["scan", str(tree), "--no-analyzers", "--cache-dir", str(tmp_path / "cache")]
    script = (
        "import sys\n"
        "from assay.scanner.cli import cli\n"
        f"cli({arguments!r}, standalone_mode=False)\n"
        "print([name for name in ('model.service', 'reading', 'link') if f'assay.scanner.{name}' in sys.modules])\n"
    )
    said = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in "ab"]
    first, again = (done.stdout.splitlines() for done in said)
    assert again[-1] == "[]"
    assert first[1:-1] == again[1:-1]  # but for the seconds


def test_the_rules_that_are_recalled_are_those_of_the_code(tmp_path: Path) -> None:
    recall = Recall(Cache.open(tmp_path))
    assert recall.rules("assay.rules") is None
    recall.keep_rules("assay.rules", texts_of(RULEBOOK))
    known = recall.rules("assay.rules")
    assert known is not None
    book = rulebook_of(assay.rules, known)
    assert (book.standard, book.packages) == (RULEBOOK.standard, RULEBOOK.packages)
    assert [rule.load() for rule in book.rules] == [rule.load() for rule in RULEBOOK.rules]
    assert texts_of(book) == texts_of(RULEBOOK)


def test_only_the_changed_file_is_read_and_the_result_is_that_of_a_cold_scan(tree: Path, tmp_path: Path) -> None:
    before, _ = scanned(tree, tmp_path / "cache")
    (tree / "users.py").write_text(PRINTING)
    after, profile = scanned(tree, tmp_path / "cache")
    assert set(profile.files) == {"users.py"}
    assert profile.recalled == 2
    assert verdicts(after) == verdicts(scanned(tree, None)[0]) != verdicts(before)


def test_an_earlier_state_is_known_again(tree: Path, tmp_path: Path) -> None:
    """As when one goes from branch to branch."""
    first, _ = scanned(tree, tmp_path / "cache")
    (tree / "users.py").write_text(PRINTING)
    scanned(tree, tmp_path / "cache")
    (tree / "users.py").write_text(USERS)
    again, profile = scanned(tree, tmp_path / "cache")
    assert profile.result_recalled
    assert verdicts(again) == verdicts(first)


def test_a_file_that_moves_is_not_read_again(tree: Path, tmp_path: Path) -> None:
    scanned(tree, tmp_path / "cache")
    (tree / "users.py").rename(tree / "people.py")
    after, profile = scanned(tree, tmp_path / "cache")
    assert not profile.files
    assert {v.location.path for v in after.verdicts if v.rule == "API401"} == {"app.py", "people.py"}


@pytest.mark.parametrize("change", ["configuration", "added file", "removed file", "folder's name"])
def test_what_a_result_hangs_on_makes_it_another_one(tree: Path, tmp_path: Path, change: str) -> None:
    config = Config()
    before, _ = scanned(tree, tmp_path / "cache", config)
    match change:
        case "configuration":
            config = msgspec.convert({"rules": {"disable": ["API401"]}}, Config)
        case "added file":
            (tree / "more.py").write_text(USERS.replace("/users", "/more"))
        case "removed file":
            (tree / "users.py").unlink()
        case _:
            tree = tree.rename(tree.with_name("another"))
    after, profile = scanned(tree, tmp_path / "cache", config)
    assert not profile.result_recalled
    assert verdicts(after) == verdicts(scanned(tree, None, config)[0]) != verdicts(before)


@pytest.mark.parametrize("damage", ["cut short", "one bit", "emptied", "another entry", "no file"])
def test_a_damaged_entry_is_read_anew(tree: Path, tmp_path: Path, damage: str) -> None:
    first, _ = scanned(tree, tmp_path / "cache")
    stored = entries(tmp_path / "cache")
    contents = [path.read_bytes() for path in stored]
    for path, content, other in zip(stored, contents, contents[1:] + contents[:1], strict=True):
        match damage:
            case "cut short":
                path.write_bytes(content[:-1])
            case "one bit":
                path.write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])
            case "emptied":
                path.write_bytes(b"")
            case "another entry":
                path.write_bytes(other)
            case _:
                path.unlink()
                path.mkdir()
    again, profile = scanned(tree, tmp_path / "cache")
    assert set(profile.files) == {"app.py", "users.py", "Dockerfile"}
    assert verdicts(again) == verdicts(first)


def test_an_entry_that_only_looks_like_one_is_read_anew(tree: Path, tmp_path: Path) -> None:
    """Its checksum is right, and what it holds is no answer."""
    first, _ = scanned(tree, tmp_path / "cache")
    for path in entries(tmp_path / "cache"):
        key = bytes.fromhex(path.parent.name + path.name)
        for content in (b"\xc1", msgspec.msgpack.encode(["users.py", "python", 1, b"", 0.0, b"\xc1", None, None])):
            path.write_bytes(blake2b(content, key=key, digest_size=16).digest() + content)
    again, _ = scanned(tree, tmp_path / "cache")
    assert verdicts(again) == verdicts(first)
    options = Options(Config(), 1, False, lambda _: InlineExecutor(), Recall(Cache.open(tmp_path / "cache")))
    assert [e.label for e in understand(tree, options).linked.services[0].endpoints] == ["GET /health", "GET /users"]


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_what_was_put_is_what_one_gets(tmp_path_factory: pytest.TempPathFactory, key: bytes, content: bytes) -> None:
    cache = Cache.open(tmp_path_factory.getbasetemp() / "some-cache")
    cache.put(key, content)
    assert cache.get(key) == content
    assert cache.get(blake2b(key, digest_size=32).digest()) is None


def test_a_cache_is_kept_below_its_limit_by_what_was_used_last(tmp_path: Path) -> None:
    cache = Cache.open(tmp_path / "cache", limit=10_000)
    keys = [bytes([n]) * 32 for n in range(20)]
    for age, key in enumerate(reversed(keys)):
        cache.put(key, b"x" * 1_000)
        path = tmp_path / "cache" / key.hex()[:2] / key.hex()[2:]
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    assert cache.get(keys[0]) is not None  # its turn comes last now
    cache.make_room()
    assert sum(p.stat().st_size for p in entries(tmp_path / "cache")) <= 10_000
    assert cache.get(keys[0]) is not None
    assert cache.get(keys[1]) is None
    assert cache.get(keys[19]) is not None


def test_scans_that_share_a_cache_agree(tree: Path, tmp_path: Path) -> None:
    ended: list[Ended] = []

    def run() -> None:
        ended.append(run_assay("scan", tree, "--format", "json", "--cache-dir", tmp_path / "cache", cwd=tmp_path))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e.code for e in ended] == [0] * 4
    assert len({json.dumps(json.loads(e.out)["verdicts"]) for e in ended}) == 1


def test_git_and_discovery_pass_a_cache_by(tree: Path) -> None:
    """It may well lie in the scanned tree."""
    folder = tree / ".assay" / "cache"
    scanned(tree, folder)
    assert (folder / ".gitignore").read_text() == "*\n"
    _, profile = scanned(tree, folder)
    assert profile.result_recalled


def test_cleaning_removes_the_entries(tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    run_assay("scan", tree, "--cache-dir", folder, cwd=tmp_path)
    count = len(entries(folder))
    assert count
    ended = run_assay("cache", "clean", "--cache-dir", folder, cwd=tmp_path)
    assert ended.code == 0
    assert f"Removed {count} entries" in ended.out
    assert entries(folder) == []


def test_a_folder_of_something_else_is_no_cache(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    for command in (("scan", tree), ("cache", "clean")):
        ended = run_assay(*command, "--cache-dir", tmp_path / "photos", cwd=tmp_path)
        assert ended.code == 2
        assert "no cache of Assay" in ended.err
    assert [p.name for p in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


def test_a_cache_that_came_with_the_repository_is_refused(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "shop")
    repository.write("app.py", APP)
    command = ("scan", "--no-analyzers", "--cache-dir", ".assay-cache")
    assert run_assay(*command, cwd=repository.root).code == 0
    repository.commit()
    assert run_assay(*command, cwd=repository.root).code == 0, "git ignores it"
    repository.git("add", "--force", ".assay-cache")
    ended = run_assay(*command, cwd=repository.root)
    assert ended.code == 2
    assert ".assay-cache can't be a cache: git tracks " in ended.err


def test_a_named_cache_that_cant_be_made_is_an_error(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run_assay("scan", tree, "--cache-dir", tmp_path / "file", cwd=tmp_path)
    assert ended.code == 2
    assert "can't be a cache" in ended.err


def test_without_a_home_a_scan_still_works(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run_assay("scan", tree, cwd=tmp_path, environment={"XDG_CACHE_HOME": str(tmp_path / "file")})
    assert ended.code == 0


def test_no_cache_leaves_nothing_behind(tree: Path, tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path / "home")}
    assert run_assay("scan", tree, "--no-cache", cwd=tmp_path, environment=environment).code == 0
    assert not (tmp_path / "home" / "assay").exists()


def test_an_unreadable_folder_is_a_cache_error(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    Cache.open(folder)
    shutil.rmtree(folder)
    folder.write_text("")
    with pytest.raises(CacheError, match="can't be a cache"):
        Cache.open(folder)


def test_cleaning_stays_in_the_cache(tmp_path: Path) -> None:
    """A link in it, and a file that no scan made, are somebody else's."""
    folder, photos = tmp_path / "cache", tmp_path / "photos"
    cache = Cache.open(folder, limit=1)
    cache.put(b"k" * 32, b"content")
    photos.mkdir()
    (photos / ("0" * 62)).write_bytes(b"cat")
    (folder / "aa").symlink_to(photos)
    (folder / "bb").mkdir()
    (folder / "bb" / "cat.jpg").write_bytes(b"cat")
    cache.make_room()
    assert entries(folder) == [folder / "aa" / ("0" * 62), folder / "bb" / "cat.jpg"]
    assert Cache.clean(folder) == (0, 0)
    assert (photos / ("0" * 62)).read_bytes() == b"cat"


def test_scans_may_open_a_new_cache_at_once(tmp_path: Path) -> None:
    """One of them has written the first of its files."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / ".gitignore").write_text("*\n")
    cache = Cache.open(folder)
    cache.put(b"k" * 32, b"content")
    assert Cache.open(folder).get(b"k" * 32) == b"content"
