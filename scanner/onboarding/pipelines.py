"""The CI files that a repository begins with, and which CI it has."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from assay.scanner import __version__
from assay.scanner.git import Git, GitError

__all__ = ["PLACEHOLDER", "Ci", "CiFile", "ci_files", "ci_of", "default_branch", "requirement", "top_of"]


class Ci(StrEnum):
    """What runs the gate."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CiFile:
    """A file to write, relative to the repository's top, and what it does."""

    path: str
    text: str
    purpose: str


_GITHUB = """\
# Written by `assay init`. What the gate demands is in {config}.
name: Assay

on:
  pull_request:
  push:
    branches: [{branch}]

permissions:
  contents: read

jobs:
  gate:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          fetch-depth: 0 # the gate compares with the commit that the pull request began at
          persist-credentials: false
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with:
          python-version: "3.13"
      - run: {install}
      - name: Gate
        run: {command}
      - name: Summary
        if: always()
        run: |
          if [ -f assay-annotations.txt ]; then cat assay-annotations.txt; fi
          if [ -f assay-summary.md ]; then cat assay-summary.md >> "$GITHUB_STEP_SUMMARY"; fi
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        if: always()
        with:
          name: assay
          path: assay-report.html
          if-no-files-found: ignore
"""
_GITLAB = """\
# Written by `assay init`. What the gate demands is in {config}.
assay:
  stage: test
  image: python:3.13
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  variables:
    GIT_DEPTH: "0" # the gate compares with the commit that the merge request began at
  before_script:
    - {install}
  script:
    - {command}
  artifacts:
    when: always
    paths:
      - assay-report.html
    reports:
      codequality: gl-code-quality-report.json
      junit: assay-junit.xml
"""
_GITLAB_FILE = ".gitlab/assay.gitlab-ci.yml"
_GITLAB_INCLUDE = f"""\
include:
  - local: {_GITLAB_FILE}
"""
_REPORTS = {
    Ci.GITHUB: (
        "--report html=assay-report.html",
        "--report summary=assay-summary.md",
        "--report github=assay-annotations.txt",
    ),
    Ci.GITLAB: (
        "--report html=assay-report.html",
        "--report gitlab=gl-code-quality-report.json",
        "--report junit=assay-junit.xml",
    ),
}


PLACEHOLDER = f"git+https://git.example.org/your-organisation/assay@v{__version__}"
"""What a CI installs, until somebody says where it gets Assay from."""


def requirement() -> str | None:
    """What pip is told to install this Assay again, as its installer wrote it down (PEP 610).

    None where it came from a folder that only this machine has: an index may know another package by the same name.
    """
    try:
        written = distribution("assay").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    if written is None:
        return f"assay=={__version__}"
    origin = json.loads(written)
    url: str = origin["url"]
    if url.startswith("file:"):
        return None
    if (versioned := origin.get("vcs_info")) is not None:
        return f"{versioned['vcs']}+{url}@{versioned['commit_id']}"
    return url


def top_of(root: Path) -> Path:
    """The folder of the repository around the root, which CI files lie in; without one, the root."""
    real = root.resolve()
    return next((folder for folder in (real, *real.parents) if (folder / ".git").exists()), real)


def ci_of(top: Path) -> Ci:
    """The CI that the repository has files for; else the one of its remote's host."""
    if (top / ".gitlab-ci.yml").exists():
        return Ci.GITLAB
    if (top / ".github").is_dir():
        return Ci.GITHUB
    try:
        remote = Git(top).run("remote", "get-url", "origin").stdout.decode(errors="replace").lower()
    except GitError:
        return Ci.NONE
    host = re.search(r"(?:@|//)(?:[^/@]*@)?([^/:]+)", remote)
    if host is None:
        return Ci.NONE
    return next((ci for ci in (Ci.GITHUB, Ci.GITLAB) if ci in host[1]), Ci.NONE)


def default_branch(top: Path) -> str:
    """The remote's, else `main` or `master`, else the one that is checked out."""
    try:
        git = Git(top)
        known = git.run("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").stdout
        if known:
            return known.decode(errors="replace").strip().removeprefix("origin/")
        held = (name for name in ("main", "master") if git.commit(f"refs/heads/{name}"))
        here = git.run("symbolic-ref", "--quiet", "--short", "HEAD").stdout.decode(errors="replace").strip()
        return next(held, here or "main")
    except GitError:
        return "main"


def ci_files(ci: Ci, top: Path, root: Path) -> Iterator[CiFile]:
    """The files that run the gate on the root; the first is the one that matters."""
    folder = root.resolve().relative_to(top).as_posix()
    if ci is Ci.NONE:
        return
    command = " ".join(("assay gate", *([shlex.quote(folder)] if folder != "." else []), *_REPORTS[ci]))
    written = {
        "config": json.dumps("assay.toml" if folder == "." else f"{folder}/assay.toml")[1:-1],
        "command": _yaml(command),
        "install": _yaml(f"pip install {shlex.quote(requirement() or PLACEHOLDER)}"),
    }
    if ci is Ci.GITHUB:
        text = _GITHUB.format(branch=json.dumps(default_branch(top)), **written)
        yield CiFile(".github/workflows/assay.yml", text, "runs the gate on pull requests")
    else:
        yield CiFile(_GITLAB_FILE, _GITLAB.format(**written), "runs the gate on merge requests")
        yield CiFile(".gitlab-ci.yml", _GITLAB_INCLUDE, "includes it")


def _yaml(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9 ./=_-]+", text) else json.dumps(text)
