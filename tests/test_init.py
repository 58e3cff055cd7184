"""`assay init`: what a repository begins with, and that the gate passes with it on the first day."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml

from assay.scanner import __version__
from assay.scanner.config import load_config
from assay.scanner.config.gate import GateConfig
from assay.scanner.onboarding import pipelines
from assay.scanner.onboarding.first_config import first_config
from assay.scanner.onboarding.pipelines import Ci, ci_files, ci_of, default_branch
from assay.scanner.results import ServiceResult
from tests.repositories import Repository
from tests.running import APP, listing, run_assay

WRITTEN = {"assay.toml", ".assay/baseline.jsonl", ".github/workflows/assay.yml"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository.new(tmp_path / "repository")
    repository.write("backend/app.py", APP)
    repository.write(".github/workflows/test.yml", "name: Test\non: push\njobs: {}\n")
    repository.commit()
    return repository


def files_of(repository: Repository) -> set[str]:
    return set(repository.git("ls-files", "--others", "--exclude-standard").splitlines())


def test_the_first_ten_minutes(repository: Repository) -> None:
    ended = run_assay("init", cwd=repository.root)
    assert (ended.code, ended.err) == (0, "")
    assert files_of(repository) == WRITTEN
    assert "repository: FastAPI; score" in ended.out
    assert "conditions; 0 fail today:" in ended.out
    assert "git add assay.toml .assay/baseline.jsonl .github/workflows/assay.yml" in ended.out
    config = tomllib.loads((repository.root / "assay.toml").read_text(encoding="utf-8"))
    assert (config["edition"], config["gate"]["new"]["critical"]) == ("2026.1", 0)
    repository.commit()
    gate = run_assay("gate", cwd=repository.root)
    assert gate.code == 0, gate.out + gate.err


def test_what_is_there_is_kept(repository: Repository) -> None:
    repository.write("assay.toml", "# mine\n")
    ended = run_assay("init", cwd=repository.root)
    assert ended.code == 0
    assert "not written  assay.toml                   it is there; --force writes it anew" in ended.out
    assert (repository.root / "assay.toml").read_text(encoding="utf-8") == "# mine\n"
    assert files_of(repository) == WRITTEN, "the rest is written"
    again = run_assay("init", "--force", cwd=repository.root)
    assert "wrote        assay.toml" in again.out
    assert (repository.root / "assay.toml").read_text(encoding="utf-8") != "# mine\n"


def test_a_dry_run_writes_nothing(repository: Repository) -> None:
    before = listing(repository.root / "backend")
    ended = run_assay("init", "--dry-run", "--ci", "gitlab", cwd=repository.root)
    assert ended.code == 0
    assert files_of(repository) == set()
    assert listing(repository.root / "backend") == before
    assert "would write  .gitlab/assay.gitlab-ci.yml" in ended.out
    assert "\n--- assay.toml\n" in ended.out


def test_a_folder_of_the_repository(repository: Repository) -> None:
    ended = run_assay("init", "backend", cwd=repository.root)
    assert ended.code == 0
    assert files_of(repository) == {
        "backend/assay.toml",
        "backend/.assay/baseline.jsonl",
        ".github/workflows/assay.yml",
    }
    workflow = yaml.safe_load((repository.root / ".github/workflows/assay.yml").read_text(encoding="utf-8"))
    commands = [step["run"] for step in workflow["jobs"]["gate"]["steps"] if "run" in step]
    assert commands[1].startswith("assay gate backend --report html=")
    assert "assay gate backend " in ended.out


def test_a_configuration_in_pyproject_is_left_alone(repository: Repository) -> None:
    repository.write("pyproject.toml", "[tool.assay.coverage]\nminimum = 0.5\n")
    ended = run_assay("init", "--force", "--ci", "none", cwd=repository.root)
    assert ended.code == 0
    assert "not written  assay.toml             pyproject.toml configures Assay already" in ended.out
    assert "let your CI run `assay gate`" in ended.out
    assert files_of(repository) == {"pyproject.toml", ".assay/baseline.jsonl"}


def test_what_could_not_be_read_comes_first(repository: Repository) -> None:
    """A baseline of what was read would call the rest new, once it can be read."""
    repository.write("backend/broken.py", "def (:\n")
    ended = run_assay("init", cwd=repository.root)
    assert ended.code == 2
    assert files_of(repository) == WRITTEN - {".assay/baseline.jsonl"} | {"backend/broken.py"}
    assert "backend/broken.py:1" in ended.out
    assert "[files] exclude in assay.toml" in ended.out


def test_what_cannot_be_written_leaves_nothing_half_done(repository: Repository) -> None:
    repository.write(".assay", "a file\n")
    ended = run_assay("init", cwd=repository.root)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("assay: .assay: ")
    assert files_of(repository) == {".assay"}


def test_nothing_to_scan(tmp_path: Path) -> None:
    ended = run_assay("init", cwd=tmp_path)
    assert (ended.code, ended.out, listing(tmp_path)) == (2, "", set())
    assert "there is no Python in it" in ended.err


# --- the files --------------------------------------------------------------------------------------------------------


def test_the_first_configuration_says_what_holds_anyway(tmp_path: Path) -> None:
    service = ServiceResult('a "b"]\n[gate.overall]\nmin = 1', "a\nb", ("FastAPI\n[x]",), None, "F", 1.0, ())
    (tmp_path / "assay.toml").write_text(first_config("2026.1", [service], "API101"), encoding="utf-8")
    config = load_config(tmp_path)
    assert config.gate == GateConfig()
    assert (config.edition, config.services) == ("2026.1", {})


def test_the_first_configuration_has_no_mistakes_when_all_of_it_counts(tmp_path: Path) -> None:
    text = first_config("2026.1", [], "API101")
    wanted = "\n".join(
        line.removeprefix("# ") if "=" in line or line.startswith("# [") else line for line in text.split("\n")
    )
    (tmp_path / "assay.toml").write_text(wanted, encoding="utf-8")
    config = load_config(tmp_path)
    assert (config.gate.min_coverage, config.gate.overall.min) == (95, 70)
    assert config.rules.disable == {"API101"}


@pytest.mark.parametrize(
    ("files", "remote", "ci"),
    [
        ((".github/dependabot.yml",), "https://gitlab.com/a/b.git", Ci.GITHUB),
        ((".gitlab-ci.yml", ".github/x"), "", Ci.GITLAB),
        ((), "git@github.com:a/gitlab.git", Ci.GITHUB),
        ((), "https://user:secret@gitlab.example.org/github/b.git", Ci.GITLAB),
        ((), "ssh://git@gitlab.example.org:2222/a/b.git", Ci.GITLAB),
        ((), "https://bitbucket.org/github/b.git", Ci.NONE),
        ((), "", Ci.NONE),
    ],
)
def test_which_ci(tmp_path: Path, files: tuple[str, ...], remote: str, ci: Ci) -> None:
    repository = Repository.new(tmp_path)
    for file in files:
        repository.write(file, "")
    if remote:
        repository.git("remote", "add", "origin", remote)
    assert ci_of(tmp_path) is ci


def test_the_default_branch(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path)
    assert default_branch(tmp_path) == "main"
    repository.git("checkout", "-q", "-b", "trunk")
    repository.write("x", "")
    repository.commit()
    assert default_branch(tmp_path) == "trunk"
    repository.git("branch", "master")
    assert default_branch(tmp_path) == "master"
    repository.git("update-ref", "refs/remotes/origin/release", "HEAD")
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release")
    assert default_branch(tmp_path) == "release"


@pytest.mark.parametrize("folder", [".", "back end", "a: b #c"])
@pytest.mark.parametrize("ci", [Ci.GITHUB, Ci.GITLAB])
def test_ci_files_are_yaml_whatever_the_folder_is_called(tmp_path: Path, ci: Ci, folder: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    first = next(ci_files(ci, tmp_path, tmp_path / folder))
    loaded = yaml.safe_load(first.text)
    command = loaded["assay"]["script"][0] if ci is Ci.GITLAB else loaded["jobs"]["gate"]["steps"][3]["run"]
    assert command.startswith("assay gate --report" if folder == "." else f"assay gate '{folder}' --report")
    assert "summary=" in command or "junit=" in command
    assert json.dumps(loaded, default=str)


def test_an_existing_pipeline_of_gitlab_is_only_told_of(repository: Repository) -> None:
    repository.write(".gitlab-ci.yml", "test: {script: [pytest]}\n")
    ended = run_assay("init", "--force", cwd=repository.root)
    assert ended.code == 0
    assert "add to .gitlab-ci.yml:  include: [{ local: .gitlab/assay.gitlab-ci.yml }]" in ended.out
    assert (repository.root / ".gitlab-ci.yml").read_text(encoding="utf-8") == "test: {script: [pytest]}\n"


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (None, f"assay=={__version__}"),
        ('{"url": "file:///home/ada/assay", "dir_info": {}}', None),
        (
            '{"url": "https://git.acme.org/assay", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
            "git+https://git.acme.org/assay@abc",
        ),
        ('{"url": "https://acme.org/assay.whl", "archive_info": {}}', "https://acme.org/assay.whl"),
    ],
)
def test_ci_installs_what_is_installed_here(
    written: str | None, wanted: str | None, monkeypatch: pytest.MonkeyPatch, repository: Repository
) -> None:
    """An index may hold another package of the same name."""

    class Installed:
        def read_text(self, name: str) -> str | None:
            return written

    monkeypatch.setattr(pipelines, "distribution", lambda _: Installed())
    assert pipelines.requirement() == wanted
    (file,) = ci_files(Ci.GITHUB, repository.root, repository.root)
    steps = yaml.safe_load(file.text)["jobs"]["gate"]["steps"]
    assert f"pip install {wanted or pipelines.PLACEHOLDER}" in [step.get("run") for step in steps]
