"""The base that a change is held against: which commit it is, its tree out of git's objects, and the verdicts on it."""

from __future__ import annotations

import faulthandler
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from assay.scanner.base import tree as trees
from assay.scanner.base.commits import BaseCommit, NoBaseError, base_commit
from assay.scanner.base.environment import is_ci
from assay.scanner.base.judging import HeadAndBase, scan_with_base
from assay.scanner.base.renames import renames_since
from assay.scanner.base.tree import content_at, write_tree
from assay.scanner.cli import wiring
from assay.scanner.discovery import DiscoveryOptions, discover
from assay.scanner.git import GitError
from assay.scanner.options import Options
from tests.repositories import Repository
from tests.running import APP, Ended, interrupt, listing, run_assay, start

WEAK = "import hashlib\n\n\ndef digest(data):\n    return hashlib.md5(data).hexdigest()\n"


def found(root: Path, since: str = "merge-base", *, fetch: bool | None = None, **environment: str) -> BaseCommit:
    return found_by(environment, root, since, fetch=fetch)


def found_by(
    environment: Mapping[str, str], root: Path, since: str = "merge-base", *, fetch: bool | None = None
) -> BaseCommit:
    return base_commit(root, since, environment=environment, may_fetch=fetch)


@dataclass(frozen=True, slots=True)
class Forked:
    """A remote with three commits on main and a feature branch off the second, and a clone of it on that branch.

    `merged` is a merge of main into the feature branch's place, as CIs make one of a pull request.
    """

    remote: Repository
    clone: Repository
    first: str
    parted: str
    main: str
    feature: str
    merged: str

    def shallow(self, folder: Path, branch: str = "feature", depth: int = 1, *options: str) -> Repository:
        """A clone with little history, of one branch alone."""
        words = ("--quiet", "--depth", str(depth), "--branch", branch, *options)
        self.remote.git("clone", *words, self.remote.root.as_uri(), folder)
        return Repository(folder)


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Forked:
    folder = tmp_path_factory.mktemp("forked")
    remote = Repository.new(folder / "shop")
    remote.write("app.py", APP)
    first = remote.commit()
    remote.write("README.md", "Shop.\n")
    parted = remote.commit()
    remote.git("checkout", "--quiet", "-b", "feature")
    for number in range(30):
        remote.write("weak.py", WEAK + f"# {number}\n")
        feature = remote.commit()
    remote.git("checkout", "--quiet", "main")
    remote.write("README.md", "A shop.\n")
    main = remote.commit()
    remote.git("checkout", "--quiet", "--detach", main)
    remote.git("merge", "--quiet", "--no-ff", "--message", "merge", feature)
    merged = remote.git("rev-parse", "HEAD")
    remote.git("update-ref", "refs/pull/7/merge", merged)
    remote.git("checkout", "--quiet", "main")
    remote.git("clone", "--quiet", "--branch", "feature", remote.root, folder / "clone")
    return Forked(remote, Repository(folder / "clone"), first, parted, main, feature, merged)


@pytest.fixture
def clone(forked: Forked, tmp_path: Path) -> Repository:
    """A whole clone, to do something to."""
    forked.remote.git("clone", "--quiet", "--branch", "feature", forked.remote.root, tmp_path / "shop")
    return Repository(tmp_path / "shop")


# --- which commit -----------------------------------------------------------------------------------------------------

BRANCHES = {
    "GitHub": {"GITHUB_BASE_REF": "main"},
    "Azure": {"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"},
    "Azure, for a repository of GitHub's": {"SYSTEM_PULLREQUEST_TARGETBRANCH": "main"},
    "Jenkins": {"CHANGE_TARGET": "main"},
    "Buildkite": {"BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main"},
    "Bitbucket, without the commit": {"BITBUCKET_PR_DESTINATION_BRANCH": "main"},
    "GitLab, without the commit": {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"},
}


@pytest.mark.parametrize("name", BRANCHES)
def test_every_ci_tells_the_target_branch(name: str, forked: Forked) -> None:
    assert found_by(BRANCHES[name], forked.clone.root) == BaseCommit(forked.parted, "merge base of origin/main")


def test_the_target_branch_counts_and_not_the_default_one(clone: Repository, forked: Forked) -> None:
    clone.git("update-ref", "refs/remotes/origin/release", forked.first)
    told = found(clone.root, fetch=False, GITHUB_BASE_REF="release")
    assert told == BaseCommit(forked.first, "merge base of origin/release")


def test_gitlab_tells_the_commit_itself(forked: Forked) -> None:
    told = found(
        forked.clone.root,
        CI_MERGE_REQUEST_DIFF_BASE_SHA=forked.first,
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
    )
    assert told == BaseCommit(forked.first, "merge base of origin/main")


def test_of_gitlabs_merged_results_the_target_is_the_base(clone: Repository, forked: Forked) -> None:
    clone.git("fetch", "--quiet", "origin", "refs/pull/7/merge")
    clone.git("checkout", "--quiet", "--detach", forked.merged)
    told = found(
        clone.root,
        CI_MERGE_REQUEST_DIFF_BASE_SHA=forked.parted,
        CI_MERGE_REQUEST_TARGET_BRANCH_SHA=forked.main,
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
    )
    assert told == BaseCommit(forked.main, "merge base of origin/main")


def test_bitbucket_tells_the_commit_in_short(forked: Forked) -> None:
    told = found(forked.clone.root, BITBUCKET_PR_DESTINATION_COMMIT=forked.main[:12])
    assert told == BaseCommit(forked.parted, f"merge base of {forked.main[:7]}")


@pytest.mark.parametrize("environment", [{}, {"BUILDKITE_PULL_REQUEST_BASE_BRANCH": "false"}, {"GITHUB_BASE_REF": ""}])
def test_without_a_pull_request_it_is_the_remotes_default_branch(environment: dict[str, str], forked: Forked) -> None:
    assert found_by(environment, forked.clone.root) == BaseCommit(forked.parted, "merge base of origin/main")


def test_a_remote_that_names_no_default_branch_is_asked_where_that_is_allowed(
    clone: Repository, forked: Forked
) -> None:
    clone.git("remote", "set-head", "origin", "--delete")
    assert found(clone.root) == BaseCommit(forked.parted, "merge base of origin/main")
    clone.git("branch", "--remotes", "--delete", "origin/main")
    with pytest.raises(NoBaseError, match="nothing tells which branch changes are for"):
        found(clone.root)
    assert found(clone.root, CI="true") == BaseCommit(forked.parted, "merge base of origin/main")


def test_a_default_branch_that_is_gone_is_none(clone: Repository, forked: Forked) -> None:
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/master")
    assert found(clone.root) == BaseCommit(forked.parted, "merge base of origin/main")


def test_a_linked_working_tree_is_as_good(clone: Repository, forked: Forked, tmp_path: Path) -> None:
    clone.git("worktree", "add", "--quiet", "--detach", tmp_path / "linked", "feature")
    assert found(tmp_path / "linked") == BaseCommit(forked.parted, "merge base of origin/main")
    (tmp_path / "linked" / "weak.py").rename(tmp_path / "linked" / "moved.py")
    assert renames_since(tmp_path / "linked", "feature") == {"moved.py": "weak.py"}
    assert "app.py" in written(tmp_path / "linked", forked.parted, tmp_path / "base")


def test_a_repository_without_a_remote_has_its_own_main(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path)
    repository.write("app.py", APP)
    first = repository.commit()
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write("weak.py", WEAK)
    repository.commit()
    assert found(tmp_path) == BaseCommit(first, "merge base of main")


@pytest.mark.parametrize("is_detached", [False, True], ids=["on main", "detached at main"])
def test_on_the_target_branch_itself_a_commit_is_held_against_its_parent(
    is_detached: bool, clone: Repository, forked: Forked
) -> None:
    clone.git("checkout", "--quiet", *(["--detach", "origin/main"] if is_detached else ["main"]))
    assert found(clone.root) == BaseCommit(forked.parted, "HEAD~1")
    assert found(clone.root, fetch=False, CI="1") == BaseCommit(forked.parted, "HEAD~1")


@pytest.mark.parametrize("ci", ["GitLab", "GitHub"])
def test_a_push_is_held_against_what_was_there_before_it(
    ci: str, clone: Repository, forked: Forked, tmp_path: Path
) -> None:
    clone.git("checkout", "--quiet", "main")
    event = tmp_path / "event.json"
    before = BaseCommit(forked.first, "what was there before the push")

    def told(commit: str) -> BaseCommit:
        event.write_text(json.dumps({"before": commit}), encoding="utf-8")
        said = {"CI_COMMIT_BEFORE_SHA": commit} if ci == "GitLab" else {"GITHUB_EVENT_PATH": str(event)}
        return found_by({"CI": "true", **said}, clone.root)

    assert told(forked.first) == before
    parent = BaseCommit(forked.parted, "HEAD~1")
    assert told("0" * 40) == parent, "a branch that is new"
    assert told("1" * 40) == parent, "history that was rewritten"
    assert told(forked.feature) == parent, "a commit that is not in the past"
    event.write_text("no JSON", encoding="utf-8")
    assert found_by({"CI": "true", "GITHUB_EVENT_PATH": str(event)}, clone.root) == parent


@pytest.mark.parametrize("change", ["README.md", "more.py"])
def test_there_what_is_being_written_is_held_against_head(change: str, clone: Repository, forked: Forked) -> None:
    clone.git("checkout", "--quiet", "main")
    clone.write(change, "something\n")
    assert found(clone.root) == BaseCommit(forked.main, "HEAD")
    assert found(clone.root, fetch=False, CI="1").name == "HEAD~1", "nobody writes code in a CI"


def test_reports_that_lie_around_are_nothing_that_is_being_written(clone: Repository, forked: Forked) -> None:
    clone.git("checkout", "--quiet", "main")
    clone.write("results.json", "{}")
    os.utime(clone.root / "app.py")
    assert found(clone.root) == BaseCommit(forked.parted, "HEAD~1")


def test_commits_of_main_that_are_not_pushed_are_held_against_the_remote(clone: Repository, forked: Forked) -> None:
    clone.git("checkout", "--quiet", "main")
    for text in ("one", "two"):
        clone.write("README.md", text)
        clone.commit()
    assert found(clone.root) == BaseCommit(forked.main, "merge base of origin/main")


def test_what_a_project_begins_with_is_not_new_to_it(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path)
    repository.write("app.py", APP)
    commit = repository.commit()
    assert found(tmp_path) == BaseCommit(commit, "HEAD")


def test_a_merge_that_the_ci_made_has_the_target_as_its_parent(clone: Repository, forked: Forked) -> None:
    """What an earlier build left here of the target is behind; what was merged since is nobody's change here."""
    clone.git("fetch", "--quiet", "origin", "refs/pull/7/merge")
    clone.git("checkout", "--quiet", "--detach", forked.merged)
    clone.git("update-ref", "refs/remotes/origin/main", forked.first)
    base = BaseCommit(forked.main, "merge base of origin/main")
    github = {"GITHUB_BASE_REF": "main", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_SHA": forked.merged}
    azure = {
        "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
        "BUILD_SOURCEBRANCH": "refs/pull/7/merge",
        "BUILD_SOURCEVERSION": forked.merged,
    }
    assert found_by(github, clone.root, fetch=False) == base
    assert found_by(azure, clone.root, fetch=False) == base
    clone.git("checkout", "--quiet", "feature")
    assert found_by(github, clone.root, fetch=False).commit == forked.first, "HEAD is not that merge"


def test_a_target_that_an_earlier_build_left_is_brought_up_to_date(clone: Repository, forked: Forked) -> None:
    clone.git("update-ref", "refs/remotes/origin/main", forked.first)
    assert found(clone.root, fetch=False, CHANGE_TARGET="main").commit == forked.first
    assert found(clone.root, CHANGE_TARGET="main").commit == forked.parted


def test_a_revision_counts_from_where_it_parted(forked: Forked) -> None:
    root = forked.clone.root
    assert found(root, "origin/main") == BaseCommit(forked.parted, "merge base of origin/main")
    assert found(root, forked.first) == BaseCommit(forked.first, forked.first)
    assert found(root, "HEAD") == BaseCommit(forked.feature, "HEAD")


@pytest.mark.parametrize("revision", ["nowhere", "--all", "-h", "main..feature", "", "a b\n\x1b[31m", "+main:main"])
@pytest.mark.parametrize("fetch", [False, True])
def test_a_revision_that_there_is_not_is_a_mistake(revision: str, fetch: bool, forked: Forked) -> None:
    with pytest.raises(GitError, match="git knows no revision") as raised:
        found(forked.clone.root, revision, fetch=fetch)
    assert not isinstance(raised.value, NoBaseError), "no baseline file makes up for it"


@pytest.mark.parametrize("branch", ["-u", "--upload-pack=touch x", "a..b", "main:refs/heads/main", "ma*n", "a b"])
def test_a_target_branch_is_never_anything_else(branch: str, clone: Repository) -> None:
    before = clone.git("for-each-ref")
    with pytest.raises(NoBaseError, match="doesn't hold the target branch"):
        found(clone.root, GITHUB_BASE_REF=branch)
    assert clone.git("for-each-ref") == before
    assert clone.git("status", "--porcelain") == ""


def test_the_only_remote_may_have_any_name(clone: Repository) -> None:
    expected = found(clone.root).commit
    clone.git("remote", "rename", "origin", "upstream")
    base = found(clone.root)
    assert (base.commit, base.name) == (expected, "merge base of upstream/main")


def test_histories_without_a_common_commit_have_no_base(clone: Repository) -> None:
    clone.git("checkout", "--quiet", "--orphan", "fresh")
    clone.commit()
    with pytest.raises(GitError, match="no commit in common") as raised:
        found(clone.root)
    assert not isinstance(raised.value, NoBaseError), "whoever pushes such a branch could write a baseline, too"


def test_without_git_a_repository_or_a_commit_there_is_no_base(
    tmp_path: Path, forked: Forked, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.new(tmp_path / "new")
    with pytest.raises(NoBaseError, match="no commit yet"):
        found(repository.root)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    with pytest.raises(NoBaseError, match="in no git repository"):
        found(tmp_path / "plain")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBaseError, match="install git"):
        found(forked.clone.root)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"CI": ""}, False),
        ({"CI": "false"}, False),
        ({"CI": "true"}, True),
        ({"TF_BUILD": "True"}, True),
        ({"JENKINS_URL": "https://ci.example.org"}, True),
        ({"CHANGE_TARGET": "main"}, True),
        ({"BUILDKITE_PULL_REQUEST_BASE_BRANCH": "false"}, False),
    ],
)
def test_a_ci_is_known_by_its_environment(environment: dict[str, str], expected: bool) -> None:
    assert is_ci(environment) is expected


# --- clones with little history ---------------------------------------------------------------------------------------


def test_a_shallow_clone_is_deepened_until_it_holds_the_base_and_says_so(forked: Forked, tmp_path: Path) -> None:
    clone = forked.shallow(tmp_path / "shop")
    said: list[str] = []
    base = base_commit(clone.root, environment={"GITHUB_BASE_REF": "main", "CI": "true"}, tell=said.append)
    assert base == BaseCommit(forked.parted, "merge base of origin/main")
    assert said == [
        "fetching origin/main",
        *(f"this clone is shallow: fetching {by} more commits of its history" for by in (4, 16, 64)),
    ]
    assert clone.git("status", "--porcelain") == ""
    assert clone.git("rev-parse", "--abbrev-ref", "HEAD") == "feature"


def test_a_merge_that_the_ci_made_needs_one_commit_more(forked: Forked, tmp_path: Path) -> None:
    clone = Repository.new(tmp_path / "shop")
    clone.git("remote", "add", "origin", forked.remote.root.as_uri())
    clone.git("fetch", "--quiet", "--depth=1", "origin", "+refs/pull/7/merge:refs/remotes/pull/7/merge")
    clone.git("checkout", "--quiet", "--detach", "refs/remotes/pull/7/merge")
    environment = {"GITHUB_BASE_REF": "main", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_SHA": forked.merged}
    assert found_by(environment, clone.root) == BaseCommit(forked.main, "merge base of origin/main")
    assert int(clone.git("rev-list", "--count", "HEAD")) == 3


def test_a_push_to_main_needs_one_commit_more(forked: Forked, tmp_path: Path) -> None:
    clone = forked.shallow(tmp_path / "shop", "main")
    assert found(clone.root, CI="true") == BaseCommit(forked.parted, "HEAD~1")


def test_a_commit_that_gitlab_names_is_fetched_alone(forked: Forked, tmp_path: Path) -> None:
    clone = forked.shallow(tmp_path / "shop")
    environment = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": forked.parted, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    assert found_by(environment, clone.root) == BaseCommit(forked.parted, "merge base of origin/main")
    assert clone.git("rev-list", "--count", "HEAD") == "1"


@pytest.mark.parametrize("revision", ["origin/main", "main"])
def test_a_revision_that_a_shallow_clone_lacks_is_fetched(revision: str, forked: Forked, tmp_path: Path) -> None:
    clone = forked.shallow(tmp_path / "shop")
    assert found(clone.root, revision, fetch=True).commit == forked.parted


LINES: Mapping[str, tuple[dict[str, str], str]] = {
    "GitHub": ({"GITHUB_ACTIONS": "true", "GITHUB_BASE_REF": "main"}, "fetch-depth: 0"),
    "GitLab": ({"GITLAB_CI": "true", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}, 'GIT_DEPTH: "0"'),
    "Bitbucket": ({"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_PR_DESTINATION_BRANCH": "main"}, "clone: { depth: full }"),
    "Azure": ({"TF_BUILD": "True", "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}, "fetchDepth: 0"),
    "Jenkins": ({"JENKINS_URL": "https://ci.example.org", "CHANGE_TARGET": "main"}, "shallow: false"),
    "Buildkite": ({"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main"}, "BUILDKITE_GIT_CLONE_FLAGS"),
    "no CI": ({}, "git fetch --unshallow"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_shallow_clone_that_can_get_no_more_says_exactly_what_to_add(
    name: str, forked: Forked, tmp_path: Path
) -> None:
    clone = forked.shallow(tmp_path / "shop", "feature", 1, "--no-single-branch")
    clone.git("remote", "set-url", "origin", (tmp_path / "gone").as_uri())
    environment, line = LINES[name]
    with pytest.raises(
        NoBaseError, match="in this shallow clone it is unknown where origin/main and HEAD parted"
    ) as no:
        found_by(environment, clone.root)
    assert line in str(no.value)
    assert ("(fatal: " in str(no.value)) is (name != "no CI"), "why it could get no more"
    assert "\n" not in str(no.value)


def test_nothing_is_fetched_but_in_a_ci_or_on_request(forked: Forked, tmp_path: Path) -> None:
    clone = forked.shallow(tmp_path / "shop")
    with pytest.raises(NoBaseError):
        found(clone.root)
    with pytest.raises(NoBaseError):
        found(clone.root, fetch=False, CI="true", GITHUB_BASE_REF="main")
    assert found(clone.root, fetch=True).commit == forked.parted


def test_a_partial_clone_is_completed_where_that_is_allowed(repository: Repository, tmp_path: Path) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repository.write("app.py", APP)
    commit = repository.commit()
    repository.write("app.py", APP + "# more\n")
    repository.commit()
    repository.git("clone", "--quiet", "--filter=blob:none", repository.root.as_uri(), tmp_path / "clone")
    clone = tmp_path / "clone"
    with pytest.raises(NoBaseError, match="this clone is partial"):
        found(clone)
    said: list[str] = []
    assert base_commit(clone, environment={}, may_fetch=True, tell=said.append).commit == commit
    assert said[-1] == "this clone is partial: fetching files of the base"
    assert written(clone, commit, tmp_path / "base") == {"app.py"}


@pytest.mark.parametrize("url", ["ext::sh -c 'touch {}'", "{}"])
def test_no_transport_runs_a_program_of_the_repositorys(url: str, forked: Forked, tmp_path: Path) -> None:
    clone = forked.shallow(tmp_path / "shop")
    sprung = tmp_path / "sprung"
    clone.git("remote", "set-url", "origin", url.format(sprung))
    clone.git("config", "protocol.ext.allow", "always")
    hook = clone.root / ".git" / "hooks" / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {sprung}\n", encoding="utf-8")
    hook.chmod(0o755)
    with pytest.raises(NoBaseError, match="doesn't hold the target branch"):
        found(clone.root, GITHUB_BASE_REF="main")
    assert not sprung.exists()
    clone.git("remote", "set-url", "origin", forked.remote.root.as_uri())
    assert found(clone.root, GITHUB_BASE_REF="main").commit == forked.parted
    assert not sprung.exists(), "nor is a hook run"


# --- its tree ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.new(tmp_path / "shop")


def written(root: Path, commit: str, into: Path) -> set[str]:
    """The files that a scan of the commit's tree would see."""
    made = write_tree(root, commit, into, DiscoveryOptions())
    return {file.path for file in discover(made.root).files}


def test_the_tree_is_the_commits_and_has_the_roots_name(repository: Repository, tmp_path: Path) -> None:
    repository.write("app.py", APP)
    repository.write("größe/ä b\n.py", WEAK)
    repository.write("logo.png", b"\x89PNG")
    repository.write("data.json", "{}")
    repository.write("deploy/app.yaml", "apiVersion: v1\nkind: Service\n")
    commit = repository.commit()
    repository.write("app.py", "changed\n")
    (repository.root / "größe" / "ä b\n.py").unlink()

    made = write_tree(repository.root, commit, tmp_path / "base", DiscoveryOptions())

    assert made.root.name == "shop"
    assert made.diagnostics == []
    assert {f.path for f in discover(made.root).files} == {"app.py", "größe/ä b\n.py", "deploy/app.yaml"}
    assert (made.root / "app.py").read_text(encoding="utf-8") == APP
    assert not (made.root / "logo.png").exists()
    assert not (made.root / "data.json").exists()


def test_a_subfolder_is_scanned_alone_by_the_ignore_files_above_it(repository: Repository, tmp_path: Path) -> None:
    repository.write(".gitignore", "generated/\n")
    repository.write("services/.gitignore", "*_pb2.py\n")
    repository.write("services/orders/app.py", APP)
    repository.write("services/orders/orders_pb2.py", WEAK)
    repository.write("services/orders/generated/code.py", WEAK)
    repository.write("services/orders/secret.py", WEAK)
    repository.write("services/billing/app.py", APP)
    repository.git("add", "--all", "--force")
    commit = repository.commit()
    repository.write(".git/info/exclude", "secret.py\n")

    made = write_tree(repository.root / "services" / "orders", commit, tmp_path / "base", DiscoveryOptions())

    assert made.root.name == "orders"
    assert [f.path for f in discover(made.root).files] == ["app.py"]
    assert discover(made.root).files == discover(repository.root / "services" / "orders").files


def test_where_the_commit_has_no_such_folder_there_is_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.write("orders", "a file\n")
    commit = repository.commit()
    (repository.root / "orders").unlink()
    repository.write("orders/app.py", APP)
    assert written(repository.root / "orders", commit, tmp_path / "base") == set()
    repository.write("billing/app.py", APP)
    assert written(repository.root / "billing", commit, tmp_path / "other") == set()


def test_folders_that_discovery_leaves_out_are_left_out(repository: Repository, tmp_path: Path) -> None:
    repository.write("app.py", APP)
    repository.write("venv/pyvenv.cfg", "home = /usr\n")
    repository.write("venv/lib.py", WEAK)
    repository.write("node_modules/gyp.py", WEAK)
    repository.write("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55")
    repository.write("cache/kept.py", WEAK)
    commit = repository.commit()
    assert written(repository.root, commit, tmp_path / "base") == {"app.py"}


def test_neither_the_working_tree_nor_the_index_is_touched(repository: Repository, tmp_path: Path) -> None:
    repository.write("app.py", APP)
    repository.write("old.py", WEAK)
    commit = repository.commit()
    repository.git("mv", "old.py", "new.py")
    repository.write("app.py", APP + "# staged\n")
    repository.git("add", "app.py")
    repository.write("app.py", APP + "# not staged\n")
    repository.write("untracked.py", WEAK)

    def state() -> object:
        files = {path: path.stat().st_mtime_ns for path in repository.root.rglob("*")}
        index = (repository.root / ".git" / "index").read_bytes()
        return files, index, repository.git("rev-parse", "HEAD"), repository.git("for-each-ref")

    status = repository.git("status", "--porcelain")
    before = state()
    write_tree(repository.root, commit, tmp_path / "base", DiscoveryOptions())
    renames_since(repository.root, commit)
    base_commit(repository.root, environment={})
    assert state() == before
    assert repository.git("status", "--porcelain") == status


def test_a_sparse_checkout_does_not_make_findings_go_away(repository: Repository, tmp_path: Path) -> None:
    repository.write("orders/app.py", APP)
    repository.write("billing/weak.py", WEAK)
    commit = repository.commit()
    repository.git("sparse-checkout", "set", "orders")
    assert not (repository.root / "billing").exists()
    assert written(repository.root, commit, tmp_path / "base") == {"orders/app.py"}


def test_a_submodule_is_as_the_commit_had_it(repository: Repository, tmp_path: Path) -> None:
    other = Repository.new(tmp_path / "library")
    other.write("weak.py", WEAK)
    other.commit()
    repository.write("app.py", APP)
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.root, "vendor/library")
    commit = repository.commit()
    inside = Repository(repository.root / "vendor" / "library")
    inside.write("new.py", WEAK)
    inside.commit()
    assert written(repository.root, commit, tmp_path / "base") == {"app.py", "vendor/library/weak.py"}


def test_a_submodule_whose_commit_is_lost_is_told(repository: Repository, tmp_path: Path) -> None:
    other = Repository.new(tmp_path / "library")
    other.write("weak.py", WEAK)
    other.commit()
    repository.write("app.py", APP)
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.root, "vendor/library")
    repository.commit()
    repository.git("update-index", "--cacheinfo", f"160000,{'12' * 20},vendor/library")
    repository.git("commit", "--quiet", "--message", "a commit that nobody has")
    made = write_tree(repository.root, "HEAD", tmp_path / "base", DiscoveryOptions())
    assert [d.path for d in made.diagnostics] == ["vendor/library"]
    ended = gated(repository.root, "--since", "HEAD", "--format", "json")
    states = {v["location"]["path"]: v["state"] for v in json.loads(ended.out)["verdicts"] if v["rule"] == "SEC304"}
    assert states == {"vendor/library/weak.py": "known"}


# --- hostile trees ----------------------------------------------------------------------------------------------------


def made_tree(repository: Repository, *entries: tuple[str, bytes, str]) -> str:
    """A tree's name, of entries that git itself would refuse: mode, name, object."""
    raw = b"".join(f"{mode} ".encode() + name + b"\0" + bytes.fromhex(of) for mode, name, of in entries)
    file = repository.write(".git/raw", raw)
    return repository.git("hash-object", "-t", "tree", "-w", "--literally", file)


def committed(repository: Repository, tree: str) -> str:
    return repository.git("commit-tree", "-m", "harm", tree)


@pytest.fixture
def blob(repository: Repository) -> str:
    repository.write("app.py", APP)
    repository.commit()
    return repository.git("rev-parse", "HEAD:app.py")


@pytest.mark.parametrize(
    "name",
    [
        b"../evil.py",
        b"..",
        b".",
        b"/evil.py",
        b".git",
        b".GIT",
        b".git ",
        b".git.",
        b"a/../../evil.py",
        b"",
        b"a//b.py",
    ],
)
def test_no_name_in_a_tree_leads_out_of_the_folder(
    name: bytes, repository: Repository, blob: str, tmp_path: Path
) -> None:
    inner = made_tree(repository, ("100644", b"evil.py", blob))
    is_folder = name.strip(b". ") in (b"", b"git", b"GIT") and name != b""
    entry = ("40000", name, inner) if is_folder else ("100644", name, blob)
    commit = committed(repository, made_tree(repository, entry, ("100644", b"good.py", blob)))
    before = listing(tmp_path)
    try:
        found = written(repository.root, commit, tmp_path / "base" / "inside")
    except GitError:
        found = {"good.py"}  # git refuses it itself
    assert found == {"good.py"}
    new = listing(tmp_path) - before
    assert not {path for path in new if "evil" in path}
    assert not [path for path in new if not path.startswith("base")]


def test_links_and_what_is_no_file_are_left_out(repository: Repository, blob: str, tmp_path: Path) -> None:
    target = repository.write(".git/target", str(tmp_path))
    link = repository.git("hash-object", "-w", target)
    tree = made_tree(
        repository,
        ("120000", b"away", link),
        ("120000", b"link.py", link),
        ("100644", b"tree.py", made_tree(repository, ("100644", b"a.py", blob))),
        ("100644", b"good.py", blob),
    )
    made = write_tree(repository.root, committed(repository, tree), tmp_path / "base", DiscoveryOptions())
    assert [f.path for f in discover(made.root).files] == ["good.py"]
    assert [(d.path, d.message) for d in made.diagnostics] == [("tree.py", "the repository doesn't hold it")]


def test_a_name_that_is_a_file_and_a_folder_costs_itself_alone(
    repository: Repository, blob: str, tmp_path: Path
) -> None:
    inner = made_tree(repository, ("100644", b"b.py", blob))
    tree = made_tree(repository, ("100644", b"a.py", blob), ("40000", b"a.py", inner), ("100644", b"good.py", blob))
    made = write_tree(repository.root, committed(repository, tree), tmp_path / "base", DiscoveryOptions())
    assert {"a.py", "good.py"} <= {f.path for f in discover(made.root).files}
    assert [d.path for d in made.diagnostics] == ["a.py/b.py"]


def test_what_is_too_large_is_as_large_and_not_written(repository: Repository, tmp_path: Path) -> None:
    repository.write("app.py", APP)
    repository.write("huge.py", b"x = 1\n" * 400_000)
    repository.write("lock/poetry.lock", b"#\n" * 400_000)
    commit = repository.commit()
    made = write_tree(repository.root, commit, tmp_path / "base", DiscoveryOptions())
    tree = discover(made.root)
    assert tree == replace(discover(repository.root), root=made.root)
    assert [d.path for d in tree.diagnostics] == ["huge.py"]
    assert not (made.root / "huge.py").read_bytes()[5_000:].strip(b"\0")


def test_bytes_that_are_no_utf_8_are_no_trouble(repository: Repository, blob: str, tmp_path: Path) -> None:
    tree = made_tree(repository, ("100644", b"good.py", blob), ("100644", b"gr\xf6\xdfe.py", blob))
    made = write_tree(repository.root, committed(repository, tree), tmp_path / "base", DiscoveryOptions())
    assert [f.path for f in discover(made.root).files] == ["good.py"]
    assert [d.path for d in discover(made.root).diagnostics] == ["gr\\xf6\\xdfe.py"]


def test_a_tree_without_end_is_no_tree_to_compare_with(
    repository: Repository, blob: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "MOST_FILES", 5_000)
    tree = made_tree(repository, *(("100644", b"%02d.py" % n, blob) for n in range(20)))
    for _ in range(12):
        tree = made_tree(repository, *(("40000", b"%02d" % n, tree) for n in range(20)))
    with pytest.raises(GitError, match="more than 5,000 files"):
        write_tree(repository.root, committed(repository, tree), tmp_path / "base", DiscoveryOptions())


def test_a_content_that_the_repository_lacks_is_told(repository: Repository, blob: str, tmp_path: Path) -> None:
    tree = made_tree(repository, ("100644", b"good.py", blob), ("100644", b"lost.py", "12" * 20))
    made = write_tree(repository.root, committed(repository, tree), tmp_path / "base", DiscoveryOptions())
    assert [d.path for d in made.diagnostics] == ["lost.py"]


def test_a_file_of_the_commit_can_be_read_alone(repository: Repository) -> None:
    repository.write("services/orders/.assay/waivers.toml", "# none\n")
    commit = repository.commit()
    root = repository.root / "services" / "orders"
    repository.write("services/orders/.assay/waivers.toml", "# some\n")
    assert content_at(root, commit, ".assay/waivers.toml") == b"# none\n"
    assert content_at(root, commit, "other.toml") is None


# --- renames ----------------------------------------------------------------------------------------------------------

LONG = WEAK + "".join(f"LIMIT_{number} = {number}\n" for number in range(40))


def test_renames_are_gits_committed_staged_or_not_even_added(repository: Repository) -> None:
    for name in ("committed", "staged", "untracked"):
        repository.write(f"{name}.py", LONG.replace("LIMIT", name.upper()))
    commit = repository.commit()
    repository.git("mv", "committed.py", "a b\n.py")
    repository.commit()
    repository.git("mv", "staged.py", "größe.py")
    (repository.root / "untracked.py").rename(repository.root / "moved.py")
    repository.write("moved.py", LONG.replace("LIMIT", "UNTRACKED") + "# edited too\n")
    expected = {"a b\n.py": "committed.py", "größe.py": "staged.py", "moved.py": "untracked.py"}
    assert renames_since(repository.root, commit) == expected


def test_renames_within_a_subfolder_are_relative_to_it(repository: Repository) -> None:
    repository.write("orders/old.py", LONG)
    repository.write("outside.py", LONG.replace("LIMIT", "OUTSIDE"))
    commit = repository.commit()
    repository.git("mv", "orders/old.py", "orders/new.py")
    repository.git("mv", "outside.py", "orders/inside.py")
    assert renames_since(repository.root / "orders", commit) == {"new.py": "old.py"}


# --- head and base ----------------------------------------------------------------------------------------------------


def both(root: Path, commit: str, cache: Path | None, jobs: int = 2) -> HeadAndBase:
    options = Options(jobs=jobs, analyzers=True, recall=wiring.recall_of(cache, cache is None))
    return scan_with_base(root, wiring.rulebook(), wiring.checks(), options, lambda *_: None, commit)


def weak_places(result: object) -> set[tuple[str, int]]:
    return {(v.location.path, v.location.line) for v in result.findings if v.rule == "SEC304"}  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, str]:
    """A backend with a finding that stays, one that was moved to another file, and one that is new."""
    repository = Repository.new(tmp_path_factory.mktemp("changed") / "shop")
    repository.write("app.py", APP)
    repository.write("stays.py", WEAK)
    repository.write("old.py", LONG)
    commit = repository.commit()
    repository.git("mv", "old.py", "new.py")
    repository.write("stays.py", WEAK + "\n\n" + WEAK.replace("digest(data)", "other(data)"))
    return repository, commit


@pytest.mark.parametrize("how", ["no cache", "cache", "one job"])
def test_head_and_base_are_judged_alike(
    how: str, changed: tuple[Repository, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, commit = changed
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    cache = tmp_path / "cache" if how != "no cache" else None
    pair = both(repository.root, commit, cache, jobs=1 if how == "one job" else 2)
    assert pair.base is not None
    assert weak_places(pair.base) == {("stays.py", 5), ("old.py", 5)}
    assert weak_places(pair.head) == {("stays.py", 5), ("stays.py", 12), ("new.py", 5)}
    assert pair.renames == {"new.py": "old.py"}
    assert pair.base.scanned.commit == commit
    assert [s.name for s in pair.base.services] == [s.name for s in pair.head.services] == ["shop"]
    assert pair.base.configuration == pair.head.configuration
    assert pair.base.edition == pair.head.edition
    assert listing(tmp_path / "temporary") == set()


def test_without_a_backend_at_the_base_there_is_no_base(repository: Repository, tmp_path: Path) -> None:
    repository.write("README.md", "Shop.\n")
    repository.write("tool.py", WEAK)
    commit = repository.commit()
    repository.write("app.py", APP)
    pair = both(repository.root, commit, tmp_path / "cache")
    assert pair.base is None
    assert "no backend found" in pair.why


def test_what_could_not_be_read_at_the_base_is_told(repository: Repository, tmp_path: Path) -> None:
    repository.write("app.py", APP)
    repository.write("broken.py", "def (:\n")
    commit = repository.commit()
    repository.write("broken.py", WEAK)
    pair = both(repository.root, commit, tmp_path / "cache")
    assert pair.base is not None
    assert [d.path for d in pair.base.diagnostics if d.reason.is_unread_file] == ["broken.py"]
    assert [d.path for d in pair.head.diagnostics if d.reason.is_unread_file] == []


def test_a_file_that_kills_its_reader_at_the_base_costs_itself_alone(repository: Repository, tmp_path: Path) -> None:
    repository.write("app.py", APP)
    repository.write("deep.py", "x = " + "(" * 100_000 + ")" * 100_000 + "\n")
    repository.write("weak.py", WEAK)
    commit = repository.commit()
    (repository.root / "deep.py").unlink()
    faulthandler.disable()  # it would show where the reader died, as if that were news
    try:
        pair = both(repository.root, commit, tmp_path / "cache")
    finally:
        faulthandler.enable()
    assert pair.base is not None
    assert [d.path for d in pair.base.diagnostics if d.reason.is_unread_file] == ["deep.py"]
    assert weak_places(pair.base) == {("weak.py", 5)}


# --- the gate ---------------------------------------------------------------------------------------------------------


def gated(root: Path, *arguments: str, **environment: str) -> Ended:
    return run_assay("gate", "--no-cache", *arguments, cwd=root, environment=environment)


def test_item_14_a_shallow_clone_is_deepened_by_the_gate(forked: Forked, tmp_path: Path) -> None:
    clone = forked.shallow(tmp_path / "shop")
    ended = gated(clone.root, CI="true", GITHUB_BASE_REF="main")
    assert "fetching 64 more commits" in ended.err
    assert (ended.code, forked.parted[:7] in ended.out) == (0, True), ended


def test_item_14_or_it_exits_2_with_the_line_to_add(forked: Forked, tmp_path: Path) -> None:
    clone = forked.shallow(tmp_path / "shop")
    clone.git("remote", "set-url", "origin", (tmp_path / "gone").as_uri())
    ended = gated(clone.root, GITHUB_ACTIONS="true", GITHUB_BASE_REF="main")
    assert (ended.code, ended.out) == (2, "")
    assert "fetch-depth: 0" in ended.err
    assert ended.err.splitlines()[-1].startswith("assay: ")


def test_ctrl_c_leaves_nothing_behind(changed: tuple[Repository, str], tmp_path: Path) -> None:
    repository, _ = changed
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = start("gate", "--no-cache", cwd=repository.root, environment={"TMPDIR": str(temporary)})
    while not listing(temporary) and process.poll() is None:
        pass
    interrupt(process)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert listing(temporary) == set()
