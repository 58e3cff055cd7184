"""CI pipelines as jobs and steps: GitHub Actions (Gitea's and Forgejo's too), GitLab CI, and what others share.

Key names: docs.github.com/actions/reference/workflows-and-actions, docs.gitlab.com/ci/yaml, pre-commit.com. Of other
systems only the commands are read, which all of them keep under a few names.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from assay.scanner.readers import yaml_documents
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode
from assay.scanner.readers.yaml_documents import Mapping, Node, Scalar, Sequence


class Trigger(StrEnum):
    """What starts a pipeline."""

    PULL_REQUEST = "pull request"
    PUSH = "push"
    SCHEDULE = "schedule"
    MANUAL = "by hand"
    CALL = "another workflow"
    OTHER = "another event"
    UNKNOWN = "unknown"


class System(StrEnum):
    """Whose format a file has."""

    GITHUB = "GitHub Actions"
    ACTION = "a composite action"
    GITLAB = "GitLab CI"
    PRE_COMMIT = "pre-commit"
    OTHER = "CI"


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One thing that a job does: it runs a script, or uses an action.

    `run_line` is the line of the file on which the script's first line stands. `tolerated` says that the job goes on
    when it fails, `condition` when it is done at all. `inputs` are what an action is given, and variables that tools
    take options from.
    """

    span: Span
    name: str = ""
    uses: str = ""
    run: str = ""
    run_line: int = 0
    inputs: tuple[tuple[str, str], ...] = ()
    tolerated: bool = False
    condition: str = ""
    folder: str = ""


class Job(msgspec.Struct, frozen=True, array_like=True):
    """`uses` names a workflow that it stands for. `image` is where GitLab's and others' jobs run."""

    name: str
    span: Span
    steps: tuple[Step, ...] = ()
    uses: str = ""
    image: str = ""
    tolerated: bool = False
    condition: str = ""
    triggers: tuple[Trigger, ...] = ()
    """Where they differ from the workflow's."""


class Workflow(msgspec.Struct, frozen=True, array_like=True):
    """One file. `includes` are what it takes in: a template of the CI system's own by its name, a file of the tree as
    `./path`, and what lies elsewhere as `project:...`, an address, or a component with its version (`...@1`).
    """

    system: System
    jobs: tuple[Job, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    includes: tuple[tuple[str, Span], ...] = ()


_EVENTS = {
    "pull_request": Trigger.PULL_REQUEST,
    "pull_request_target": Trigger.PULL_REQUEST,
    "merge_group": Trigger.PULL_REQUEST,
    "push": Trigger.PUSH,
    "schedule": Trigger.SCHEDULE,
    "workflow_dispatch": Trigger.MANUAL,
    "repository_dispatch": Trigger.MANUAL,
    "workflow_call": Trigger.CALL,
}
_GITLAB_WORDS = frozenset(
    {"stages", "variables", "include", "default", "workflow", "image", "services", "cache", "before_script"}
    | {"after_script", "spec", "pages:deploy"}
)
_SCRIPT_KEYS = frozenset(
    {"run", "command", "commands", "script", "scripts", "before_script", "after_script", "install", "before_install"}
    | {"bash", "pwsh", "args", "test", "inlineScript", "build", "check", "before_build", "test_script", "plan"}
)
_GITLAB_FILE = re.compile(r"(^|/)\.gitlab/|(^|/)\.gitlab-ci/|gitlab-ci[^/]*\.ya?ml$")
_OPTIONS = frozenset({"PYTEST_ADDOPTS", "TRIVY_EXIT_CODE"})
"""Variables that tools take options from."""
_ORB = re.compile(r"[a-z][\w-]*/[a-z][\w-]*")
"""What a step of CircleCI takes from an orb (`snyk/scan`)."""
_LIBRARY = re.compile(
    r"""@Library\(\s*\[?\s*['"](?P<name>[^'"]+)|^\s*library[\s(]+['"](?P<other>[^'"]+)""", re.MULTILINE
)
_JENKINS = re.compile(r"""\bsh\s*\(?\s*(?:script\s*:\s*)?(?P<quote>'''|\"\"\"|'|")(?P<text>.*?)(?P=quote)""", re.DOTALL)


def read(path: str, data: bytes) -> Workflow | None:
    """Read a file. None for one whose format tells nothing; a broken one is empty: its lines are read elsewhere."""
    text = decode(data)
    name = posixpath.basename(path)
    if name == "Jenkinsfile":
        return _jenkins(text)
    try:
        documents = yaml_documents.read(path, data)
    except ReadProblem:
        return None
    top = next((d for d in documents if isinstance(d, Mapping)), None)
    if top is None:
        return None
    reader = _Reader(text.split("\n"))
    if name == ".pre-commit-config.yaml":
        return reader.pre_commit(top)
    if re.search(r"(^|/)\.(github|gitea|forgejo)/workflows/", path):
        return reader.github(top)
    if name in ("action.yml", "action.yaml"):
        runs = top.mapping("runs")
        steps = tuple(reader.steps(runs, "")) if runs is not None else ()
        return Workflow(System.ACTION, (Job(name, top.span, steps),))
    if _GITLAB_FILE.search(path):
        return reader.gitlab(top)
    includes = tuple(found for document in documents for found in _templates(document))
    return Workflow(System.OTHER, tuple(reader.other(documents)), (Trigger.UNKNOWN,), includes)


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def github(self, top: Mapping) -> Workflow:
        jobs = top.mapping("jobs")
        folder = _default_folder(top)
        options = _options(top)
        found = tuple(self._job(e.key, e.value, folder, options) for e in (jobs.entries if jobs is not None else ()))
        # YAML 1.1 reads the key `on` as true; the text is still there.
        return Workflow(System.GITHUB, tuple(j for j in found if j is not None), tuple(_github_triggers(top.get("on"))))

    def _job(self, key: Scalar, value: Node, folder: str, options: tuple[tuple[str, str], ...]) -> Job | None:
        if not isinstance(value, Mapping):
            return None
        container = value.get("container")
        image = container.text if isinstance(container, Scalar) else ""
        return Job(
            key.text,
            key.span,
            tuple(self.steps(value, _default_folder(value) or folder, (*options, *_options(value)))),
            value.text("uses") or "",
            image,
            _is_true(value.get("continue-on-error")),
            value.text("if") or "",
        )

    def steps(self, job: Mapping, folder: str, options: tuple[tuple[str, str], ...] = ()) -> Iterator[Step]:
        """The steps of a job or of a composite action."""
        steps = job.mappings("steps")
        # A step that may fail, and whose outcome a later one looks at, isn't passed over.
        is_asked = any(re.search(r"\.(outcome|conclusion)\b", step.text("if") or "") for step in steps)
        for step in steps:
            run = step.scalar("run")
            yield Step(
                step.span,
                step.text("name") or "",
                step.text("uses") or "",
                run.text if run is not None else "",
                self._first_line(run) if run is not None else 0,
                (*step.pairs("with"), *options, *_options(step)),
                _is_true(step.get("continue-on-error")) and not is_asked,
                step.text("if") or "",
                step.text("working-directory") or folder,
            )

    def _first_line(self, scalar: Scalar) -> int:
        """Of a block scalar, the line below its indicator."""
        line = self._lines[scalar.span.line - 1] if scalar.span.line <= len(self._lines) else ""
        return scalar.span.line + (line[scalar.span.column - 1 : scalar.span.column] in ("|", ">"))

    def gitlab(self, top: Mapping) -> Workflow:
        templates = {e.key.text: e.value for e in top.entries if isinstance(e.value, Mapping)}
        default = top.mapping("default")
        before = [node for node in (top.get("before_script"), default and default.get("before_script")) if node]
        jobs = []
        for entry in top.entries:
            name = entry.key.text
            if name in _GITLAB_WORDS or name.startswith(".") or not isinstance(entry.value, Mapping):
                continue
            parts = [entry.value, *_extended(entry.value, templates)]
            scripts = [node for key in ("before_script", "script", "after_script") if (node := _first(parts, key))]
            steps = [s for node in (*before, *scripts) for s in self._scripts(node)]
            image = _first(parts, "image")
            tolerated = _first(parts, "allow_failure")
            jobs.append(
                Job(
                    name,
                    entry.key.span,
                    tuple(steps),
                    image=image.text if isinstance(image, Scalar) else "",
                    tolerated=_is_true(tolerated) or isinstance(tolerated, Mapping),
                    triggers=tuple(_gitlab_triggers(parts)),
                )
            )
        includes = tuple(_includes(top.get("include")))
        return Workflow(System.GITLAB, tuple(jobs), (Trigger.PULL_REQUEST, Trigger.PUSH), includes)

    def _scripts(self, node: Node) -> Iterator[Step]:
        """Each text of a script, whatever lists it stands in."""
        if isinstance(node, Scalar):
            yield Step(node.span, run=node.text, run_line=self._first_line(node))
        elif isinstance(node, Sequence):
            for item in node.items:
                yield from self._scripts(item)

    def pre_commit(self, top: Mapping) -> Workflow:
        """Each hook is a job; pre-commit.ci runs them on pull requests where the file speaks of it (`ci:`)."""
        jobs = [
            Job(
                hook.text("id") or "",
                hook.span,
                (
                    Step(
                        hook.span,
                        hook.text("id") or "",
                        f"{repo.text('repo') or ''}",
                        hook.text("entry") or "",
                        hook.span.line,
                        inputs=tuple(("args", a) for a in _texts(hook.get("args"))),
                    ),
                ),
                condition="manual" if "manual" in _texts(hook.get("stages")) else "",
            )
            for repo in top.mappings("repos")
            for hook in repo.mappings("hooks")
        ]
        triggers = (Trigger.PULL_REQUEST,) if top.mapping("ci") is not None else ()
        return Workflow(System.PRE_COMMIT, tuple(jobs), triggers)

    def other(self, documents: Iterable[Node]) -> Iterator[Job]:
        """One job with all that any key runs: such systems differ in all else."""
        for document in documents:
            steps = tuple(self._anywhere(document))
            if steps:
                yield Job("", document.span, steps)

    def _anywhere(self, node: Node) -> Iterator[Step]:
        if isinstance(node, Sequence):
            for item in node.items:
                if isinstance(item, Scalar) and _ORB.fullmatch(item.text):
                    yield Step(item.span, uses=item.text)
                yield from self._anywhere(item)
        elif isinstance(node, Mapping):
            tolerated = _is_true(node.get("continueOnError")) or _is_true(node.get("ignore_failure"))
            for entry in node.entries:
                if entry.key.text in ("pipe", "task") and isinstance(entry.value, Scalar):
                    # Bitbucket's and Azure's actions.
                    yield Step(entry.value.span, uses=entry.value.text, tolerated=tolerated)
                elif _ORB.fullmatch(entry.key.text) and len(node.entries) == 1:
                    yield Step(entry.key.span, uses=entry.key.text)
                if entry.key.text in _SCRIPT_KEYS and not isinstance(entry.value, Mapping):
                    for step in self._scripts(entry.value):
                        yield msgspec.structs.replace(step, tolerated=tolerated)
                    if isinstance(entry.value, Sequence):
                        yield from (
                            s for item in entry.value.items if isinstance(item, Mapping) for s in self._anywhere(item)
                        )
                else:
                    yield from self._anywhere(entry.value)


def _options(node: Mapping) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in node.pairs("env") if name in _OPTIONS or name[:9] == "VALIDATE_")


def _jenkins(text: str) -> Workflow:
    steps = []
    for match in _JENKINS.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        steps.append(Step(Span(line, 1, line, 1), run=match["text"], run_line=line))
    library = _LIBRARY.search(text)
    line = text.count("\n", 0, library.start()) + 1 if library is not None else 0
    includes = ((f"project:{library['name'] or library['other']}", Span(line, 1, line, 1)),) if library else ()
    return Workflow(System.OTHER, (Job("", Span(1, 1, 1, 1), tuple(steps)),), (Trigger.UNKNOWN,), includes)


def _github_triggers(node: Node | None) -> Iterator[Trigger]:
    names: list[str] = []
    if isinstance(node, Scalar):
        names = [node.text]
    elif isinstance(node, Sequence):
        names = _texts(node)
    elif isinstance(node, Mapping):
        names = [entry.key.text for entry in node.entries]
    found = [_EVENTS.get(name, Trigger.OTHER) for name in names]
    if "push" in names and _is_any_push(node):
        # GitHub shows what a push to a branch started beside the branch's pull request.
        found.append(Trigger.PULL_REQUEST)
    yield from dict.fromkeys(found)


def _is_any_push(node: Node | None) -> bool:
    push = node.mapping("push") if isinstance(node, Mapping) else None
    if push is None:
        return True
    branches = _texts(push.get("branches"))
    return any(branch in ("*", "**") for branch in branches) or not (branches or push.get("tags") is not None)


def _gitlab_triggers(parts: list[Mapping]) -> Iterator[Trigger]:
    """What `rules`, `only` and `when` leave of a job's; empty where it always runs."""
    when = _first(parts, "when")
    if isinstance(when, Scalar) and when.text in ("manual", "never"):
        yield Trigger.MANUAL if when.text == "manual" else Trigger.OTHER
        return
    only = _first(parts, "only")
    words = _texts(only) or _texts(only.get("refs") if isinstance(only, Mapping) else None)
    rules = _first(parts, "rules")
    if isinstance(rules, Sequence):
        for rule in rules.items:
            if isinstance(rule, Mapping) and (rule.text("when") or "") != "never":
                yield _of_rule(rule.text("if") or "", rule.text("when") or "")
        return
    for word in words:
        if word in ("schedules", "schedule"):
            yield Trigger.SCHEDULE
        elif word in ("merge_requests", "branches", "pushes"):
            yield Trigger.PULL_REQUEST
        else:
            yield Trigger.PUSH


def _of_rule(condition: str, when: str) -> Trigger:
    if when == "manual":
        return Trigger.MANUAL
    if "schedule" in condition and "!=" not in condition:
        return Trigger.SCHEDULE
    if "CI_COMMIT_TAG" in condition and "!" not in condition and "== null" not in condition:
        return Trigger.OTHER
    return Trigger.PULL_REQUEST if "merge_request" in condition or not condition else Trigger.PUSH


def _extended(job: Mapping, templates: dict[str, Mapping], depth: int = 0) -> list[Mapping]:
    """What a job of GitLab builds on (`extends`), nearest first."""
    names = _texts(job.get("extends"))
    found = [templates[name] for name in reversed(names) if name in templates]
    return found + [more for each in found if depth < 5 for more in _extended(each, templates, depth + 1)]


def _includes(node: Node | None) -> Iterator[tuple[str, Span]]:
    """What a pipeline of GitLab takes in, as `Workflow.includes` says."""
    if isinstance(node, Scalar):
        yield node.text if "://" in node.text else f"./{node.text.lstrip('/')}", node.span
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _includes(item)
    elif isinstance(node, Mapping):
        for key in ("template", "local", "component", "remote", "project"):
            value = node.scalar(key)
            if value is not None:
                said = value.text
                yield {"local": f"./{said.lstrip('/')}", "project": f"project:{said}"}.get(key, said), value.span


def _templates(node: Node) -> Iterator[tuple[str, Span]]:
    """What a pipeline of Azure takes in: a template of the tree, or of another repository (`name.yml@alias`)."""
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _templates(item)
    elif isinstance(node, Mapping):
        for entry in node.entries:
            if entry.key.text == "template" and isinstance(entry.value, Scalar):
                said = entry.value.text
                yield f"project:{said}" if "@" in said else f"./{said.lstrip('/')}", entry.value.span
            else:
                yield from _templates(entry.value)


def _default_folder(node: Mapping) -> str:
    defaults = node.mapping("defaults")
    run = defaults.mapping("run") if defaults is not None else None
    return (run.text("working-directory") or "") if run is not None else ""


def _first(parts: list[Mapping], key: str) -> Node | None:
    return next((node for part in parts if (node := part.get(key)) is not None), None)


def _texts(node: Node | None) -> list[str]:
    if isinstance(node, Scalar):
        return [node.text]
    items = node.items if isinstance(node, Sequence) else ()
    return [item.text for item in items if isinstance(item, Scalar)]


def _is_true(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.boolean is True
