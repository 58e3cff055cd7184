"""What every command that scans a tree takes from its user, and what is scanned then, by what."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from assay.scanner.cli import wiring

if TYPE_CHECKING:
    from assay.scanner.assess import Scope
    from assay.scanner.profiling import Profile

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Request:
    """The tree and how to scan it, as the command line said."""

    path: Path
    analyzers: bool
    own_rules: tuple[Path, ...]
    models: tuple[Path, ...]
    jobs: int | None
    cache_dir: Path | None
    no_cache: bool
    config_file: Path | None
    isolated: bool
    evidence: tuple[Path, ...]

    def chosen(self, files: tuple[Path, ...], *, is_fast: bool, root: Path | None) -> tuple[Request, tuple[Path, ...]]:
        """For a command that takes `--fast`: the request and the files that it names, none where a tree is meant.

        Raises a usage error for more than one tree.
        """
        if is_fast and self.evidence:
            raise click.UsageError("--evidence speaks of the whole tree, and --fast judges some files")
        if is_fast:
            return replace(self, path=root or Path()), (self.path, *files)
        if root is not None:
            raise click.UsageError("--root goes with --fast, which names files; else the folder itself is named")
        if files:
            raise click.UsageError(f"{files[0]} is one too many: name one folder to scan, or files with --fast")
        return self, ()

    def scope(self, profile: Profile | None = None) -> Scope:
        """What is scanned, and by what. Raises the user's errors."""
        from msgspec import structs

        from assay.scanner.assess import Scope
        from assay.scanner.evidence.given import given_evidence

        recall = wiring.recall_of(self.cache_dir, self.no_cache)
        rulebook = wiring.rulebook(self.own_rules, recall=recall)
        options = wiring.options(
            self.path,
            rulebook,
            self.jobs,
            self.analyzers,
            recall,
            profile,
            config_file=self.config_file,
            isolated=self.isolated,
        )
        measured = structs.replace(options.measured, files=given_evidence(self.path, self.evidence))
        options = replace(options, libraries=wiring.libraries(self.models), measured=measured)
        return Scope(self.path, rulebook, wiring.checks(), options, datetime.now(UTC).date())


_OPTIONS = (
    wiring.PATH,
    wiring.RULES,
    click.option("--analyzers/--no-analyzers", default=True, help="Run bandit and radon too."),
    click.option(
        "--libraries",
        "models",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        multiple=True,
        help="A YAML file that says what libraries of your own do with data; may be repeated.",
    ),
    click.option(
        "--evidence",
        type=click.Path(path_type=Path),
        multiple=True,
        help="A file of measurements, such as coverage.xml or a load test's results; may be repeated.",
    ),
    wiring.JOBS,
    wiring.CACHE_DIR,
    wiring.NO_CACHE,
    wiring.CONFIG_FILE,
    wiring.ISOLATED,
)


def takes_request(command: Callable[Concatenate[Request, _P], _R]) -> Callable[..., _R]:
    """Give a command the options of a scan; its first parameter is the request that they make."""

    @functools.wraps(command)
    def called(*args: object, **given: object) -> _R:
        own = {field.name: given.pop(field.name) for field in fields(Request)}
        return command(Request(**own), *args, **given)  # type: ignore[arg-type]

    for option in reversed(_OPTIONS):
        called = option(called)
    return called
