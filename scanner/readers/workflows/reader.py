"""Which system a pipeline's file is for, and what it says."""

from __future__ import annotations

import posixpath
import re

from assay.scanner.readers import yaml_documents
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.text import decode
from assay.scanner.readers.workflows import github, gitlab, others, pre_commit
from assay.scanner.readers.workflows.facts import Workflow
from assay.scanner.readers.yaml_documents import Mapping

_GITHUB_FILE = re.compile(r"(^|/)\.(github|gitea|forgejo)/workflows/")
_GITLAB_FILE = re.compile(r"(^|/)\.gitlab/|(^|/)\.gitlab-ci/|gitlab-ci[^/]*\.ya?ml$")


def read(path: str, data: bytes) -> Workflow | None:
    """Read a file. None for one whose format tells nothing; a broken one is empty: its lines are read elsewhere."""
    text = decode(data)
    name = posixpath.basename(path)
    if name == "Jenkinsfile":
        return others.jenkins(text)
    try:
        documents = yaml_documents.read(path, data)
    except ReadProblem:
        return None
    top = next((d for d in documents if isinstance(d, Mapping)), None)
    if top is None:
        return None
    lines = text.split("\n")
    if name == ".pre-commit-config.yaml":
        return pre_commit.workflow(top)
    if _GITHUB_FILE.search(path):
        return github.workflow(top, lines)
    if name in ("action.yml", "action.yaml"):
        return github.action(top, name, lines)
    if _GITLAB_FILE.search(path):
        return gitlab.workflow(top, lines)
    return others.workflow(documents, lines)
