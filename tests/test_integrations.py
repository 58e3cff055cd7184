"""Assay in CI systems: their files are valid, their command lines exist, and the action's steps do their work."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from assay.scanner.cli import cli
from tests.repositories import Repository
from tests.running import APP

ROOT = Path(__file__).resolve().parent.parent
GITHUB = ROOT / "integrations" / "github"
RUN = GITHUB / "run.sh"
BAD = APP + (
    '\n\n@app.get("/list")\ndef listing(name: str):\n    import subprocess\n\n'
    '    subprocess.run(f"ls {name}", shell=True)\n    return {}\n'
)


def of_yaml(text: str) -> Any:
    # YAML 1.1 takes a workflow's `on` for a truth value.
    return yaml.safe_load(re.sub(r"(?m)^on:", '"on":', text))


def blocks(document: Path, language: str) -> list[str]:
    """The code in a Markdown document."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", document.read_text(encoding="utf-8"))


def check(data: Any, schema: str) -> None:
    jsonschema.validate(data, json.loads((ROOT / "tests" / "data" / schema).read_text(encoding="utf-8")))


CI = ROOT / "docs" / "ci.md"
EXAMPLES = blocks(CI, "yaml")


def is_workflow(example: str) -> bool:
    return "\njobs:" in example


def test_the_action_is_valid_by_the_schema_of_actions() -> None:
    check(of_yaml((ROOT / "action.yml").read_text(encoding="utf-8")), "github-actions.schema.json")


def test_untrusted_text_never_gets_into_the_actions_scripts() -> None:
    steps = of_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) == 3
    assert not any("${{" in script for script in scripts)


def test_actions_of_others_are_pinned_to_a_commit() -> None:
    """But for GitHub's own uploader, which follows the interface of its server."""
    steps = of_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    used = [step["uses"] for step in steps if "uses" in step]
    loose = [name for name in used if not re.search("@[0-9a-f]{40}$", name)]
    assert loose == ["github/codeql-action/upload-sarif@v4"]


def test_only_the_default_branch_writes_the_cache() -> None:
    steps = {step["name"]: step for step in of_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]}
    assert steps["Read the cache"]["uses"].startswith("actions/cache/restore@")
    assert steps["Write the cache"]["uses"].startswith("actions/cache/save@")
    assert "github.event_name == 'push'" in steps["Write the cache"]["if"]
    job = of_yaml((ROOT / "integrations/gitlab/assay.gitlab-ci.yml").read_text(encoding="utf-8"))["assay"]
    assert job["variables"]["ASSAY_CACHE_POLICY"] == "pull"
    assert [rule.get("variables") for rule in job["rules"]] == [None, {"ASSAY_CACHE_POLICY": "pull-push"}]


def test_every_input_of_the_documented_workflows_exists() -> None:
    action = of_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))
    workflows = [of_yaml(example) for example in EXAMPLES if is_workflow(example)]
    assert len(workflows) == 2
    for workflow in workflows:
        check(workflow, "github-workflows.schema.json")
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        own = [step for step in steps if "/assay@" in step.get("uses", "")]
        assert own
        assert all(set(step.get("with", {})) <= set(action["inputs"]) for step in own)
        outputs = re.findall(r"steps\.assay\.outputs\.(\w+)", json.dumps(workflow))
        assert set(outputs) <= set(action["outputs"])


def test_all_inputs_are_documented() -> None:
    action = of_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))
    rows = re.findall(r"(?m)^\| `([\w-]+)` \|", CI.read_text(encoding="utf-8"))
    assert set(rows) == set(action["inputs"])


def test_the_gitlab_template_and_its_example_are_valid_by_gitlabs_schema() -> None:
    check(
        of_yaml((ROOT / "integrations/gitlab/assay.gitlab-ci.yml").read_text(encoding="utf-8")), "gitlab-ci.schema.json"
    )
    (example,) = [e for e in EXAMPLES if ".gitlab-ci.yml" in e]
    check(of_yaml(example), "gitlab-ci.schema.json")


def test_the_bitbucket_pipeline_is_valid_by_atlassians_schema() -> None:
    file = ROOT / "integrations/bitbucket/bitbucket-pipelines.yml"
    check(of_yaml(file.read_text(encoding="utf-8")), "bitbucket-pipelines.schema.json")


def test_the_azure_pipeline_clones_the_whole_history() -> None:
    steps = of_yaml((ROOT / "integrations/azure/azure-pipelines.yml").read_text(encoding="utf-8"))["steps"]
    assert steps[0] == {"checkout": "self", "fetchDepth": "0", "persistCredentials": "true"}


# --- pre-commit -------------------------------------------------------------------------------------------------------


def hooks() -> list[dict[str, Any]]:
    return list(yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")))


def test_the_hooks_are_a_fast_one_for_changed_files_and_a_full_one() -> None:
    fast, full = hooks()
    assert (fast["id"], full["id"]) == ("assay", "assay-full")
    assert fast["types_or"] == ["python", "dockerfile", "yaml", "toml"]
    assert fast["require_serial"]
    assert full["pass_filenames"] is False
    assert full["stages"] == ["pre-push", "manual"]
    for hook in (fast, full):
        assert {"id", "name", "entry", "language"} <= set(hook)


def test_the_documented_hooks_exist() -> None:
    configurations = [of_yaml(e) for e in EXAMPLES if "hooks:" in e]
    assert len(configurations) == 2
    named = {hook["id"] for c in configurations for repo in c["repos"] for hook in repo["hooks"]}
    assert named == {hook["id"] for hook in hooks()}


# --- command lines ----------------------------------------------------------------------------------------------------


CALL = re.compile(r"(?m)(?:^|[/\s])assay(?:/bin/assay)?\"? ((?:gate|scan|convert|doctor|explain) ?.*)$")


def command_lines() -> Iterator[tuple[str, str]]:
    """Every call of assay in the documentation and in the files for CI systems, with where it stands."""
    files = [f for f in sorted((ROOT / "integrations").rglob("*")) if f.is_file() and f.suffix in ("", ".yml")]
    texts = [(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")) for file in files]
    texts += [(f"docs/ci.md, {number}", text) for number, text in enumerate(blocks(CI, "sh"))]
    for place, text in texts:
        joined = re.sub(r"\\\n\s*|\n\s+(?=--)", " ", text)
        for line in CALL.findall(joined):
            yield place, re.split(r" \|\| |;", line)[0]
    for hook in hooks():
        yield ".pre-commit-hooks.yaml", hook["entry"].removeprefix("assay ")


def test_every_command_line_for_a_ci_system_has_options_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.json").write_text("{}", encoding="utf-8")
    lines = list(command_lines())
    assert len(lines) >= 14
    for place, line in lines:
        name, *words = shlex.split(line)
        with click.Context(cli) as context:
            command = cli.get_command(context, name)
            assert command is not None, (place, line)
            try:
                command.make_context(name, words, parent=context)
            except click.UsageError as error:
                raise AssertionError(f"{place}: assay {line}: {error.format_message()}") from error


# --- the action's steps -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Runner:
    """A GitHub runner, as far as the steps see one."""

    folder: Path
    workspace: Path

    @classmethod
    def at(cls, folder: Path, workspace: Path) -> Runner:
        bin_ = folder / "temp" / "assay-environment" / "bin"
        bin_.mkdir(parents=True)
        program(bin_ / "python", f'exec "{sys.executable}" "$@"')
        program(bin_ / "assay", f'exec "{sys.executable}" -m assay.scanner "$@"')
        (folder / "event.json").write_text('{"pull_request": {"number": 7}}', encoding="utf-8")
        return cls(folder, workspace)

    def step(self, task: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
        given = {
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_REPOSITORY": "acme/shop",
            "PATH": f"{self.folder}:{os.environ['PATH']}",
        }
        return subprocess.run(
            ["bash", str(RUN), task],
            cwd=self.workspace,
            env=kept | given | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def reports(self) -> Path:
        return self.folder / "temp" / "assay-reports" / "assay"

    def gh(self, answer: str = "", *, fails: bool = False) -> None:
        """A `gh` that writes down what it was asked, and gives the answer."""
        (self.folder / "answer").write_text(answer, encoding="utf-8")
        asked = f'printf "%s\\n" "$*" | tr "\\n" " " >> "{self.folder}/asked"; echo >> "{self.folder}/asked"'
        program(self.folder / "gh", f'{asked}\ncat "{self.folder}/answer"\nexit {int(fails)}')

    @property
    def asked(self) -> list[str]:
        file = self.folder / "asked"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose last change brings a critical finding."""
    repository = Repository.new(tmp_path_factory.mktemp("action") / "shop")
    repository.write("app.py", APP)
    repository.commit()
    repository.write("app.py", BAD)
    return repository.root


@pytest.fixture(scope="module")
def gated(changed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Runner, subprocess.CompletedProcess[str]]:
    runner = Runner.at(tmp_path_factory.mktemp("runner"), changed)
    return runner, runner.step("gate", ASSAY_ARGS="--no-fetch --no-analyzers --report 'csv=a b.csv'")


def test_the_gate_step_fails_with_the_gates_exit_code(
    gated: tuple[Runner, subprocess.CompletedProcess[str]],
) -> None:
    runner, done = gated
    assert done.returncode == 1, done.stderr
    assert "Gate failed" in done.stdout
    assert (runner.workspace / "a b.csv").exists()


def test_the_gate_step_writes_annotations_summary_outputs_and_all_reports(
    gated: tuple[Runner, subprocess.CompletedProcess[str]],
) -> None:
    runner, done = gated
    assert "::error file=app.py" in done.stdout
    assert "SEC102" in (runner.folder / "summary").read_text(encoding="utf-8")
    outputs = runner.outputs
    assert outputs["status"] == "failed"
    assert int(outputs["new"]) >= 1
    assert 0 <= float(outputs["score"]) <= 100
    assert outputs["report"] == str(runner.reports)
    written = {file.name for file in runner.reports.iterdir()}
    assert written == {"results.json", "report.html", "comment.md", "summary.md", "annotations.txt", "github.sarif"}


def test_what_is_shown_of_the_tree_is_no_command_of_the_runner(
    gated: tuple[Runner, subprocess.CompletedProcess[str]],
) -> None:
    lines = gated[1].stdout.splitlines()
    (start,) = [place for place, line in enumerate(lines) if line.startswith("::stop-commands::")][:1]
    token = lines[start].removeprefix("::stop-commands::")
    end = lines.index(f"::{token}::")
    assert len(token) == 32
    assert any("SEC102" in line for line in lines[start:end])
    assert start == 0


def test_a_gate_that_only_looks_is_green(changed: Path, tmp_path: Path) -> None:
    runner = Runner.at(tmp_path, changed)
    done = runner.step("gate", ASSAY_FAIL="false", ASSAY_ARGS="--no-fetch --no-analyzers")
    assert done.returncode == 0
    assert runner.outputs["status"] == "failed"


def test_what_cant_be_trusted_is_red_even_so(changed: Path, tmp_path: Path) -> None:
    runner = Runner.at(tmp_path, changed)
    done = runner.step("gate", ASSAY_FAIL="false", ASSAY_PATH="nowhere")
    assert done.returncode == 2
    assert runner.outputs == {"status": "not-evaluated"}
    assert "could not judge" in (runner.folder / "summary").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "'unclosed"])
def test_options_are_words_and_nothing_else_that_a_shell_does(changed: Path, tmp_path: Path, text: str) -> None:
    runner = Runner.at(tmp_path, changed)
    assert runner.step("gate", ASSAY_ARGS=text).returncode == 2
    assert not (changed / "pwned").exists()


def test_the_install_step_tells_version_and_cache(tmp_path: Path) -> None:
    runner = Runner.at(tmp_path, tmp_path)
    shutil.rmtree(tmp_path / "temp" / "assay-environment")
    fake = (
        'mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; printf "#!/bin/sh\\necho assay, version 1.2.3\\n" > "$3/bin/assay"'
    )
    program(
        tmp_path / "python",
        f'if [ "$2" = venv ]; then {fake}; chmod +x "$3/bin/assay"; else echo "$*" >> "{tmp_path}/pip"; fi',
    )
    done = runner.step("install", PYTHON=str(tmp_path / "python"), ASSAY_REQUIREMENT="")
    assert done.returncode == 0, done.stderr
    assert runner.outputs == {"version": "1.2.3", "cache": str(tmp_path / "temp" / "assay-cache")}
    (asked,) = (tmp_path / "pip").read_text(encoding="utf-8").splitlines()
    assert asked.startswith("-m pip install")
    assert Path(asked.rpartition(" -- ")[2]).resolve() == ROOT


def answer_with(*nodes: dict[str, object]) -> str:
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}
    return json.dumps({"data": {"repository": {"pullRequest": {"comments": page}}}})


@pytest.fixture
def commenting(gated: tuple[Runner, subprocess.CompletedProcess[str]], tmp_path: Path) -> tuple[Runner, str]:
    """A runner with the reports of the gate, and the comment."""
    runner = Runner.at(tmp_path, tmp_path)
    shutil.copytree(gated[0].reports, runner.reports)
    return runner, (runner.reports / "comment.md").read_text(encoding="utf-8")


def test_the_first_comment_is_new(commenting: tuple[Runner, str]) -> None:
    runner, _ = commenting
    runner.gh(answer_with())
    done = runner.step("comment", ASSAY_STATUS="failed", ASSAY_NEW="1")
    assert done.returncode == 0, done.stderr
    assert runner.asked[0].startswith("api graphql --paginate -f owner=acme -f name=shop -F number=7")
    assert "-X POST repos/acme/shop/issues/7/comments -F body=@" in runner.asked[1]


def test_a_comment_is_written_anew_where_it_was_when_there_is_news(commenting: tuple[Runner, str]) -> None:
    runner, comment = commenting
    marker = comment.splitlines()[0]
    runner.gh(answer_with({"databaseId": 42, "viewerDidAuthor": True, "body": f"{marker}\r\n<!-- old -->\r\n…"}))
    runner.step("comment", ASSAY_STATUS="failed", ASSAY_NEW="1")
    assert "-X PATCH repos/acme/shop/issues/comments/42 -F body=@" in runner.asked[1]


def test_without_news_the_comment_stays(commenting: tuple[Runner, str]) -> None:
    runner, comment = commenting
    runner.gh(answer_with({"databaseId": 42, "viewerDidAuthor": True, "body": comment.replace("\n", "\r\n")}))
    done = runner.step("comment", ASSAY_STATUS="failed", ASSAY_NEW="1")
    assert done.returncode == 0
    assert len(runner.asked) == 1
    assert "Nothing has changed" in done.stdout


def test_nobody_elses_comment_counts(commenting: tuple[Runner, str]) -> None:
    runner, comment = commenting
    theirs = answer_with({"databaseId": 1, "viewerDidAuthor": False, "body": comment})
    runner.gh(theirs + answer_with({"databaseId": 2, "viewerDidAuthor": True, "body": "I quote it:\n" + comment}))
    runner.step("comment", ASSAY_STATUS="failed", ASSAY_NEW="1")
    assert "-X POST" in runner.asked[1]


def test_a_change_that_is_fine_is_not_commented(commenting: tuple[Runner, str]) -> None:
    runner, _ = commenting
    runner.gh(answer_with())
    runner.step("comment", ASSAY_STATUS="passed", ASSAY_NEW="0")
    assert len(runner.asked) == 1


def test_a_fork_without_rights_is_no_failure(commenting: tuple[Runner, str]) -> None:
    runner, _ = commenting
    runner.gh("HTTP 403: Resource not accessible by integration", fails=True)
    done = runner.step("comment", ASSAY_STATUS="failed", ASSAY_NEW="1")
    assert done.returncode == 0
    assert "::notice title=Assay::" in done.stdout


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="takes shellcheck")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", str(RUN)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_runs_as_nobody_special_and_trusts_mounted_repositories() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"(?m)^USER (?!root|0)", lines)
    assert "safe.directory" in lines
    assert re.findall(r"(?m)^FROM \S+:\d+\.\d+\.\d+-slim", lines)
    assert 'ENTRYPOINT ["assay"]' in lines
