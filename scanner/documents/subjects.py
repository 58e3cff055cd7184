"""The documents of each service, and the variables that they should name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice

from assay.scanner.documents.procedures import linked_from_alerts, procedures, product_words, troubleshooting, wiki
from assay.scanner.documents.topics import is_in_another_script, is_template, readme_of, site_of, topics_of
from assay.scanner.documents.variables import environment_variables
from assay.scanner.filekinds import is_drawing
from assay.scanner.gathered import Gathered
from assay.scanner.model.documentation import Documentation, EnvironmentVariable
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.owners import PLACES, parsed
from assay.scanner.readers.codeowners import CodeownersFacts
from assay.scanner.readers.documents import DocumentFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.services import ServiceRoot

_OVERVIEW = re.compile(
    r"architecture|\b(system[-_ ]?)?design\b(?![-_ ]?(system|tokens?))|overview|adrs?\b|decisions?\b|\bc4\b"
    r"|\bsystem([-_ ](context|map|diagram))?\b(?![-_ ])|service[-_ ]?map",
    re.IGNORECASE,
)
_TOP = re.compile(
    r"\.(github|gitlab|circleci|gitea)/.*|\.gitlab-ci\.yml|\.gitignore|\.pre-commit-config\.yaml|LICENSE.*|Jenkinsfile"
)
"""Files that lie at the top of a repository."""
_OWNER_LABELS = frozenset({"owner", "team", "app.kubernetes.io/managed-by-team", "backstage.io/owner"})
_OWNING_FILES = (
    *("OWNERS", "OWNERS.md", "MAINTAINERS", "MAINTAINERS.md", "catalog-info.yaml", "catalog-info.yml"),
    *(".backstage/catalog-info.yaml", "service.datadog.yaml", "service.datadog.yml", "opslevel.yml"),
)
_OWNING_CHAPTER = re.compile(r"(code |service )?(owners?|ownership|maintainers?|owning team|team)", re.IGNORECASE)
_DRAWN = re.compile(r"\b(graph|flowchart) (LR|RL|TB|TD|BT)\b|C4(Context|Container)|architecture-beta|@startuml")
"""What code blocks begin with that draw."""
_SHOWN = 3


def documents(gathered: Gathered) -> Iterator[Documentation | EnvironmentVariable]:
    """One set of documents for each service, and every variable."""
    written = {
        path: facts
        for path, facts in sorted(gathered.context.files.items())
        if isinstance(facts, DocumentFacts) and gathered.roles.get(path, Role.PROD) is not Role.TEST
    }
    is_whole = any(_TOP.fullmatch(path) for path in gathered.paths)
    columns = (column.name for table in gathered.tables for column in table.columns)
    names = (*(e.path for _, e in gathered.endpoints), *(t.name for t in gathered.tables), *columns)
    pages = procedures(written, product_words(names))
    told = tuple(islice(chain(pages, linked_from_alerts(gathered.context.files)), _SHOWN))
    trouble = tuple(islice(troubleshooting(written), _SHOWN))
    variables = frozenset(name.upper() for setting in gathered.settings for name in setting.variables)
    elsewhere, overview = wiki(written), _overview(written, gathered.paths)
    number = len(gathered.services) + len(gathered.neighbours)
    for service in gathered.services:
        readme = readme_of(service.root, written)
        facts = written[readme] if readme is not None else None
        yield Documentation(
            service_root=service.root,
            service=service.name,
            location=Location.whole_file(readme) if readme is not None else service.location,
            role=Role.PROD,
            readme=Evidence(Location.whole_file(readme), "the nearest README") if readme is not None else None,
            topics=tuple(topics_of(readme, written, variables).items()) if readme is not None else (),
            elsewhere=site_of(readme, facts) if readme and facts and not is_template(facts) else None,
            is_in_another_script=facts is not None and is_in_another_script(facts),
            procedures=told,
            troubleshooting=trouble,
            wiki=elsewhere,
            owner=_owner(service, gathered) or (_named_in(readme, facts) if readme and facts else None),
            overview=overview,
            services=number,
            is_whole=is_whole,
        )
    yield from environment_variables(gathered.settings, gathered.project, gathered.context.files)


def _owner(service: ServiceRoot, gathered: Gathered) -> Evidence | None:
    """CODEOWNERS, a file of owners in the folder or above it, a catalogue's entry, a label of the pods."""
    files = gathered.context.files
    said = next((path for path in PLACES if isinstance(files.get(path), CodeownersFacts)), None)
    facts = files.get(said) if said is not None else None
    if said is not None and isinstance(facts, CodeownersFacts):
        probe = (
            service.location.path if service.location.path in gathered.paths else posixpath.join(service.root, "app.py")
        )
        owners = parsed(facts.text).of(posixpath.normpath(probe))
        if owners:
            return Evidence(Location.whole_file(said), f"{owners[0]} owns it")
    folder = "" if service.root == "." else service.root
    while True:
        for name in _OWNING_FILES:
            if posixpath.join(folder, name) in gathered.paths:
                return Evidence(Location.whole_file(posixpath.join(folder, name)), "says who owns it")
        if not folder:
            break
        folder = posixpath.dirname(folder)
    return _labelled(service, gathered, files)


def _named_in(readme: str, facts: DocumentFacts) -> Evidence | None:
    """The README's chapter about it."""
    for heading in facts.headings:
        if _OWNING_CHAPTER.fullmatch(heading.text):
            return heading.span.evidence(readme, heading.text[:80])
    return None


def _labelled(service: ServiceRoot, gathered: Gathered, files: Mapping[str, object]) -> Evidence | None:
    deployment = gathered.deployments.get(service.name)
    for workload in deployment.workloads if deployment is not None else ():
        facts = files.get(workload.location.path)
        for pod in facts.workloads if isinstance(facts, KubernetesFacts) else ():
            for name, value in (*pod.labels, *pod.pod_labels, *pod.pod_annotations):
                if name.rpartition("/")[2].lower() in _OWNER_LABELS and pod.name in workload.name:
                    return pod.span.evidence(workload.location.path, f"its label says {name}: {value}")
    return None


def _overview(written: Mapping[str, DocumentFacts], paths: frozenset[str]) -> Evidence | None:
    drawn = min((path for path in paths if is_drawing(path)), default=None)
    if drawn is not None:
        return Evidence(Location.whole_file(drawn), "draws the services")
    for path, facts in written.items():
        if _OVERVIEW.search(posixpath.basename(path)) or _OVERVIEW.search(posixpath.basename(posixpath.dirname(path))):
            return Evidence(Location.whole_file(path), "its name speaks of the whole")
        for heading in facts.headings:
            if re.search(
                r"architecture|system (design|overview)|how (it|the services?) works?|service map", heading.text, re.I
            ):
                return heading.span.evidence(path, heading.text[:80])
        for line, at in facts.commands:
            if _DRAWN.search(line):
                return Evidence(Location(path, at, 1, at, 1), "draws the services")
    return None
