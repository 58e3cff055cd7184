"""What a CI's environment says of the pull request that it builds, and how its clones are made whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["VARIABLES", "Built", "Target", "before_push", "built_of", "has_merged", "is_ci", "target_of", "whole_clone"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a pull request is for: a branch of the remote, or a commit in it, or both; what isn't known is empty.

    `is_past`: the commit is known to lie in HEAD's past, even where the clone doesn't show it.
    """

    branch: str = ""
    commit: str = ""
    is_past: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What a CI builds: a branch of a repository, such as `acme/shop`; what isn't known is empty."""

    branch: str = ""
    repository: str = ""


@dataclass(frozen=True, slots=True)
class _Ci:
    """A CI by the variables that it sets.

    `present` is a variable that is set in all its builds; `branches` and `commits` are variables of pull requests, the
    best one first. `built` are variables of the branch that is built, those of pull requests first; `repository` is
    one of its repository. `merge` are the variables of what is built and its commit, where it is a merge into the
    target that the CI made. `is_past` says that the commits lie in HEAD's own past. `whole` is what its configuration
    needs for a clone with all its history.
    """

    name: str
    present: str
    branches: tuple[str, ...]
    commits: tuple[str, ...]
    whole: str
    built: tuple[str, ...]
    repository: str
    merge: tuple[str, str] = ("", "")
    is_past: bool = False


_CIS = (
    # https://docs.github.com/actions/reference/workflows-and-actions/variables; Gitea and Forgejo set the same.
    _Ci(
        "GitHub Actions",
        "GITHUB_ACTIONS",
        ("GITHUB_BASE_REF",),
        (),
        "`with: { fetch-depth: 0 }` to the step `uses: actions/checkout`",
        built=("GITHUB_HEAD_REF", "GITHUB_REF"),
        repository="GITHUB_REPOSITORY",
        merge=("GITHUB_REF", "GITHUB_SHA"),
    ),
    # https://docs.gitlab.com/ci/variables/predefined_variables/. In merged results the target's own commit is known;
    # everything else that was merged since the branch began would be new against the branch's.
    _Ci(
        "GitLab CI",
        "GITLAB_CI",
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME",),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        '`variables: { GIT_DEPTH: "0" }` to the job',
        built=("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH"),
        repository="CI_PROJECT_PATH",
        is_past=True,
    ),
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    _Ci(
        "Bitbucket Pipelines",
        "BITBUCKET_BUILD_NUMBER",
        ("BITBUCKET_PR_DESTINATION_BRANCH",),
        ("BITBUCKET_PR_DESTINATION_COMMIT",),
        "`clone: { depth: full }` to the step",
        built=("BITBUCKET_BRANCH",),
        repository="BITBUCKET_REPO_FULL_NAME",
    ),
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables
    _Ci(
        "Azure Pipelines",
        "TF_BUILD",
        ("SYSTEM_PULLREQUEST_TARGETBRANCH",),
        (),
        "`fetchDepth: 0` to the step `checkout: self`",
        built=("SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH"),
        repository="BUILD_REPOSITORY_NAME",
        merge=("BUILD_SOURCEBRANCH", "BUILD_SOURCEVERSION"),
    ),
    # https://plugins.jenkins.io/github-branch-source/
    _Ci(
        "Jenkins",
        "JENKINS_URL",
        ("CHANGE_TARGET",),
        (),
        "`cloneOption(shallow: false, noTags: false)` to the checkout's extensions",
        built=("CHANGE_BRANCH", "BRANCH_NAME"),
        repository="GIT_URL",
    ),
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    _Ci(
        "Buildkite",
        "BUILDKITE",
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH",),
        (),
        '`env: { BUILDKITE_GIT_CLONE_FLAGS: "-v" }` to the step, without a `--depth`',
        built=("BUILDKITE_BRANCH",),
        repository="BUILDKITE_REPO",
    ),
)


def _names(ci: _Ci) -> tuple[str, ...]:
    return ci.present, *ci.branches, *ci.commits, *ci.merge, *ci.built, ci.repository


_BEFORE_PUSH, _EVENT = "CI_COMMIT_BEFORE_SHA", "GITHUB_EVENT_PATH"
VARIABLES = frozenset(
    {"CI", "CI_DEFAULT_BRANCH", _BEFORE_PUSH, _EVENT} | {name for ci in _CIS for name in _names(ci) if name}
)
"""All that is looked at in the environment."""
_COMMIT = re.compile("[0-9a-f]{40,64}")
_UNSET = frozenset({"", "false"})
"""Buildkite says so where there is no pull request."""


def target_of(environment: Mapping[str, str]) -> Target | None:
    """What the pull request that is built is for; None outside of one."""
    for ci in _CIS:
        branch = _first(environment, ci.branches).removeprefix("refs/heads/")
        commit = _first(environment, ci.commits)
        if branch or commit:
            return Target(branch, commit, ci.is_past)
    return None


def built_of(environment: Mapping[str, str]) -> Built:
    """What is built, where the CI says it: a tag is no branch."""
    for ci in _CIS:
        if environment.get(ci.present):
            branch = _first(environment, ci.built).removeprefix("refs/heads/")
            return Built("" if branch.startswith("refs/") else branch, environment.get(ci.repository, ""))
    return Built()


def before_push(environment: Mapping[str, str]) -> str:
    """The commit that the branch was at before the push that is built; empty where nobody says it, or there was none.

    GitLab says it in a variable, GitHub in the file that describes the event:
    https://docs.github.com/webhooks/webhook-events-and-payloads#push
    """
    said: object = environment.get(_BEFORE_PUSH, "")
    if file := environment.get(_EVENT):
        try:
            event = json.loads(Path(file).read_bytes())
        except (OSError, ValueError):
            event = None
        said = event.get("before", "") if isinstance(event, dict) else ""
    return said if isinstance(said, str) and _COMMIT.fullmatch(said) and said.strip("0") else ""


def has_merged(environment: Mapping[str, str], head: str) -> bool:
    """Whether HEAD is a merge that the CI made of the target (the first parent) and the pull request."""
    return any(
        re.fullmatch(r"refs/pull/\d+/merge", environment.get(ref, "")) and environment.get(commit) == head
        for ref, commit in (ci.merge for ci in _CIS)
    )


def is_ci(environment: Mapping[str, str]) -> bool:
    """Whether nobody is there, in a folder that was made for this run."""
    says_so = environment.get("CI", "").lower() not in ("", "0", "false", "no")
    return says_so or any(environment.get(ci.present) for ci in _CIS) or target_of(environment) is not None


def whole_clone(environment: Mapping[str, str]) -> str:
    """What to do for a clone that holds the whole history, in the words of the CI that this is."""
    for ci in _CIS:
        if environment.get(ci.present) or _first(environment, (*ci.branches, *ci.commits)):
            return f"for {ci.name}, add {ci.whole}"
    return "run: git fetch --unshallow (a CI's configuration says how much is cloned: `fetch-depth: 0` in GitHub's)"


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environment.get(name, "")) not in _UNSET), "")
