"""Who wrote the lines that findings stand in, as git remembers it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assay.scanner.git import Git, GitError
from assay.scanner.results import JudgedVerdict

__all__ = ["authors"]

_UNCOMMITTED = "0" * 40


def authors(root: Path, findings: Iterable[JudgedVerdict], base: str | None) -> dict[str, str]:
    """`Ada, in 3be91aa (List orders)` by fingerprint; findings in files that git doesn't know are left out.

    A line that was there at the `base` commit is nobody's new one: then the change took something away elsewhere.
    """
    git = Git(root)
    found = {}
    for finding in findings:
        place = finding.location
        try:
            blame = git.answer("blame", "--porcelain", f"-L{place.line},{place.line}", "--", place.path)
        except GitError:
            continue
        found[finding.fingerprint] = _told(blame.decode(errors="replace"), git, base)
    return found


def _told(blame: str, git: Git, base: str | None) -> str:
    """From the porcelain format of git-blame(1): the commit on the first line, then a header field a line."""
    first, *rest = blame.splitlines()
    commit = first.split(" ")[0]
    if base and git.run("merge-base", "--is-ancestor", commit, base).returncode == 0:
        return "this change, which took away elsewhere what kept an older line right"
    if commit == _UNCOMMITTED:
        return "you, not committed yet"
    fields = dict(line.split(" ", 1) for line in rest if " " in line and not line.startswith("\t"))
    return f"{fields.get('author', 'unknown')}, in {commit[:7]} ({fields.get('summary', '')})"
