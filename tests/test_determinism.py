"""The same tree gives the same bytes in every format: whatever the workers, the cache, and the order of the files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from assay.reports.formats import FORMATS
from tests.repositories import Repository
from tests.running import run_assay

BACKEND = Path(__file__).parents[1] / "fixtures" / "backends" / "flask_unsound"
UNLIMITED = """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/numbers/{name}")
def numbers(name: str):
    query = f"SELECT * FROM numbers WHERE name = '{name}'"
    return app.db.execute(query).fetchall()
"""
FIXED_DATES = {f"GIT_{who}_DATE": "2026-01-31T12:00:00Z" for who in ("AUTHOR", "COMMITTER")}


def _files() -> list[Path]:
    return sorted(path.relative_to(BACKEND) for path in BACKEND.rglob("*") if path.is_file())


def _tree(folder: Path, files: Iterable[Path]) -> Repository:
    """The backend with a commit, and a change that isn't committed; files are created in the order given."""
    repository = Repository.new(folder / "shop")
    for path in files:
        repository.write(path.as_posix(), (BACKEND / path).read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FIXED_DATES.items():
            patch.setenv(name, value)
        repository.commit()
    repository.write("numbers/api.py", UNLIMITED)
    return repository


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _tree(tmp_path_factory.mktemp("tree"), _files()).root


def _reports(root: Path, folder: Path, *arguments: str | Path) -> dict[str, bytes]:
    """What the gate writes, by format: all that a scan does, and what became of findings since the commit."""
    folder.mkdir()
    reports = [part for form in FORMATS for part in ("-o", f"{form}={folder}/{form}")]
    ended = run_assay("gate", root, *reports, *arguments, cwd=root)
    assert ended.code == 1, ended.err + ended.out
    return {form: (folder / form).read_bytes() for form in FORMATS}


@pytest.fixture(scope="module")
def reports(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _reports(tree, tmp_path_factory.mktemp("alone") / "reports", "--jobs", "1", "--no-cache")


def test_workers_and_caches_change_no_byte(tree: Path, reports: dict[str, bytes], tmp_path: Path) -> None:
    options = ("--jobs", "2", "--cache-dir", tmp_path / "cache")
    cold = _reports(tree, tmp_path / "cold", *options)
    warm = _reports(tree, tmp_path / "warm", *options)
    assert cold == reports
    assert warm == reports


def test_the_order_in_which_files_were_made_changes_no_byte(reports: dict[str, bytes], tmp_path: Path) -> None:
    tree = _tree(tmp_path, reversed(_files())).root
    assert _reports(tree, tmp_path / "reports", "--no-cache") == reports
