"""Where a scanned tree comes from: its repository and branch, as git and the CI tell."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assay.scanner.base.environment import built_of
from assay.scanner.git import Git, GitError
from assay.scanner.history.records import Origin

__all__ = ["origin_of", "repository_name"]

_SCP = re.compile(r"(?:[^@/:]+@)?[^/:]{2,}:(?!//)(?P<path>.+)")
"""`git@github.com:acme/shop.git`, as git takes it from scp."""
_ADDED_BY_HOST = re.compile(r"(?:^|/)(?:_git|scm)(?=/)|^v3(?=/)")
"""What Azure DevOps and Bitbucket Server have in their addresses beside names."""


def origin_of(root: Path, environment: Mapping[str, str] = os.environ) -> Origin:
    """Of the tree in the folder. Where git knows no branch, as in most builds of pull requests, the CI does.

    A CI that builds another repository, and only cloned this one, has no say.
    """
    git, built = Git(root), built_of(environment)
    try:
        top = os.fsdecode(git.answer("rev-parse", "--show-toplevel").removesuffix(b"\n"))
    except GitError:
        return Origin(root.resolve().name)
    remote = _answer(git, "config", "--get", "remote.origin.url")
    name, in_ci = repository_name(remote), repository_name(built.repository)
    branch = _answer(git, "symbolic-ref", "--quiet", "--short", "HEAD")
    default = _answer(git, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/")
    if _is_same(name, in_ci):
        branch = branch or built.branch
        default = default or environment.get("CI_DEFAULT_BRANCH", "")
    return Origin(name or in_ci or Path(top).name, branch, default)


def repository_name(address: str) -> str:
    """`acme/shop` of an address of git's, without host and whatever secret is in it."""
    text = address.strip()
    if "://" in text:
        try:
            parts = urlsplit(text)
        except ValueError:
            return ""
        path = _of_folder(parts.path) if parts.scheme == "file" else unquote(parts.path)
    elif (match := _SCP.fullmatch(text)) is not None:
        path = match["path"]
    else:
        # A folder, unless it is what a CI calls a repository.
        path = _of_folder(text) if Path(text).is_absolute() or text.startswith(".") else text
    return _ADDED_BY_HOST.sub("", path.strip("/").removesuffix(".git")).strip("/")


def _of_folder(path: str) -> str:
    """A mirror is named as what it mirrors; the name of a work tree that was cloned says nothing to anybody else."""
    return Path(path).name if path.endswith(".git") else ""


def _is_same(name: str, in_ci: str) -> bool:
    """Azure leaves out what its own repositories belong to."""
    return not name or not in_ci or f"/{name}".endswith(f"/{in_ci}")


def _answer(git: Git, *arguments: str) -> str:
    """Empty where git knows nothing."""
    done = git.run(*arguments)
    return os.fsdecode(done.stdout.removesuffix(b"\n")) if done.returncode == 0 else ""
