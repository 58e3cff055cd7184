"""Other systems, of which only the commands are read: all keep them under a few names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from assay.scanner.readers.span import Span
from assay.scanner.readers.workflows.facts import Job, Step, System, Trigger, Workflow
from assay.scanner.readers.workflows.scripts import is_true, scripts
from assay.scanner.readers.yaml_documents import Mapping, Node, Scalar, Sequence

_SCRIPT_KEYS = frozenset(
    {"run", "command", "commands", "script", "scripts", "before_script", "after_script", "install", "before_install"}
    | {"bash", "pwsh", "args", "test", "inlineScript", "build", "check", "before_build", "test_script", "plan"}
)
_ORB = re.compile(r"[a-z][\w-]*/[a-z][\w-]*")
"""What a step of CircleCI takes from an orb (`snyk/scan`)."""
_LIBRARY = re.compile(
    r"""@Library\(\s*\[?\s*['"](?P<name>[^'"]+)|^\s*library[\s(]+['"](?P<other>[^'"]+)""", re.MULTILINE
)
_JENKINS = re.compile(r"""\bsh\s*\(?\s*(?:script\s*:\s*)?(?P<quote>'''|\"\"\"|'|")(?P<text>.*?)(?P=quote)""", re.DOTALL)


def workflow(documents: Iterable[Node], lines: list[str]) -> Workflow:
    """CircleCI, Azure Pipelines, Bitbucket, Travis CI, ...: one job with all that any key runs, they differ so."""
    includes = tuple(found for document in documents for found in _templates(document))
    return Workflow(System.OTHER, tuple(_jobs(documents, lines)), (Trigger.UNKNOWN,), includes)


def jenkins(text: str) -> Workflow:
    """A Jenkinsfile, whose shell steps are found by their text: Groovy isn't read."""
    steps = []
    for match in _JENKINS.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        steps.append(Step(Span(line, 1, line, 1), run=match["text"], run_line=line))
    library = _LIBRARY.search(text)
    line = text.count("\n", 0, library.start()) + 1 if library is not None else 0
    includes = ((f"project:{library['name'] or library['other']}", Span(line, 1, line, 1)),) if library else ()
    return Workflow(System.OTHER, (Job("", Span(1, 1, 1, 1), tuple(steps)),), (Trigger.UNKNOWN,), includes)


def _jobs(documents: Iterable[Node], lines: list[str]) -> Iterator[Job]:
    for document in documents:
        steps = tuple(_anywhere(document, lines))
        if steps:
            yield Job("", document.span, steps)


def _anywhere(node: Node, lines: list[str]) -> Iterator[Step]:
    if isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar) and _ORB.fullmatch(item.text):
                yield Step(item.span, uses=item.text)
            yield from _anywhere(item, lines)
    elif isinstance(node, Mapping):
        tolerated = is_true(node.get("continueOnError")) or is_true(node.get("ignore_failure"))
        for entry in node.entries:
            if entry.key.text in ("pipe", "task") and isinstance(entry.value, Scalar):
                # Bitbucket's and Azure's actions.
                yield Step(entry.value.span, uses=entry.value.text, tolerated=tolerated)
            elif _ORB.fullmatch(entry.key.text) and len(node.entries) == 1:
                yield Step(entry.key.span, uses=entry.key.text)
            if entry.key.text in _SCRIPT_KEYS and not isinstance(entry.value, Mapping):
                for step in scripts(entry.value, lines):
                    yield msgspec.structs.replace(step, tolerated=tolerated)
                if isinstance(entry.value, Sequence):
                    yield from (
                        s for item in entry.value.items if isinstance(item, Mapping) for s in _anywhere(item, lines)
                    )
            else:
                yield from _anywhere(entry.value, lines)


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
