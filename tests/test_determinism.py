"""The same tree gives the same bytes in every format: whatever the workers, the cache, and the order of the files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
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


Written = dict[str, bytes]
Run = Callable[..., Written]


@pytest.fixture(scope="module", params=["scan", "gate"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What a command writes, by format."""

    def written(root: Path, *arguments: str | Path) -> Written:
        folder = tmp_path_factory.mktemp("reports")
        reports = [part for form in FORMATS for part in ("-o", f"{form}={folder}/{form}")]
        ended = run_assay(request.param, root, *reports, *arguments, cwd=root)
        assert ended.code == (1 if request.param == "gate" else 0), ended.err + ended.out
        return {form: (folder / form).read_bytes() for form in FORMATS}

    return written


@pytest.fixture(scope="module")
def reports(run: Run, tree: Path) -> Written:
    return run(tree, "--jobs", "1", "--no-cache")


def test_two_workers_write_what_one_writes(run: Run, tree: Path, reports: Written) -> None:
    assert run(tree, "--jobs", "2", "--no-cache") == reports


def test_a_warm_cache_writes_what_a_cold_one_writes(run: Run, tree: Path, reports: Written, tmp_path: Path) -> None:
    cold = run(tree, "--jobs", "2", "--cache-dir", tmp_path / "cache")
    warm = run(tree, "--jobs", "2", "--cache-dir", tmp_path / "cache")
    assert cold == reports
    assert warm == reports


def test_the_order_in_which_files_were_made_is_nothing_to_it(run: Run, reports: Written, tmp_path: Path) -> None:
    assert run(_tree(tmp_path, reversed(_files())).root, "--no-cache") == reports


def test_a_copy_gives_the_same(run: Run, tree: Path, reports: Written, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "copy" / tree.name)
    assert run(tmp_path / "copy" / tree.name, "--no-cache") == reports
