"""What all tests share: golden files, rewritten with `pytest --update-goldens`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

import assay.rules
from assay.scanner.framework import frameworks
from assay.scanner.rulebook import load_rulebook

GOLDENS = Path(__file__).parent / "goldens"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption("--full-corpus", action="store_true", help="compare positions in all Python on this machine")


def pytest_configure() -> None:
    """Load what a scan loads late. Hypothesis draws from the constants of all loaded modules, which it gathers when
    tests are collected; those of modules that come later are on the time of whichever test draws next: more than a
    second, in a clean clone.
    """
    load_rulebook(assay.rules)
    frameworks()
    for part in ("readers.python.reader", "finders", "side_by_side"):
        import_module(f"assay.scanner.{part}")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests don't touch the cache of the person who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ASSAY_CACHE_DIR", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache-home"))
        yield


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name, byte for byte."""

    def check(name: str, text: str) -> None:
        path = GOLDENS / name
        if request.config.getoption("--update-goldens"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        assert path.exists(), f"no golden file {name}; run pytest --update-goldens and read what it wrote"
        assert text == path.read_bytes().decode(), f"{name} differs; if that is meant, run pytest --update-goldens"

    return check
