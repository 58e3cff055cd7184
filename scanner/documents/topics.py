"""What a README and the documents that it refers to speak of."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from assay.scanner.model.documentation import Topic
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.documents import DocumentFacts

_HEADINGS: Mapping[Topic, re.Pattern[str]] = {
    Topic.PURPOSE: re.compile(
        r"about|overview|introduction|features|what (is|does)|description|purpose|background", re.I
    ),
    Topic.RUN: re.compile(
        r"getting started|quick ?-?start|install|\brun(ning)?\b|\bstart(ing)?\b|usage|set ?-?up|\blocal(ly)?\b|develop"
        r"|prerequisites",
        re.I,
    ),
    Topic.CONFIGURE: re.compile(r"config|konfig|environment|settings|variables|secrets|\benv\b|parameters", re.I),
    Topic.TEST: re.compile(r"\btests?\b|testing|coverage|quality", re.I),
    Topic.OPERATE: re.compile(
        r"deploy|production|operat|docker\b|kubernetes|helm\b|releasing|release process|hosting|monitor|upgrad"
        r"|maintenance|backup|runbook",
        re.I,
    ),
}
_COMMANDS: Mapping[Topic, re.Pattern[str]] = {
    Topic.RUN: re.compile(
        r"docker(-| )compose .*\bup\b|docker run|uvicorn|gunicorn|hypercorn|flask .*\brun\b|fastapi (dev|run)"
        r"|manage\.py runserver|(make|just|task|poe|inv|invoke) (run|up|start|dev|serve)|python3? (-m|\S+\.py)|\./run"
        r"|skaffold (dev|run)|(uv|poetry|pipenv|pdm|hatch) run|tilt up|(honcho|foreman) start"
    ),
    Topic.CONFIGURE: re.compile(
        r"(cp|copy) \S*(\.env|example|sample|template|dist\b)|export [A-Z_]+=|^[A-Z][A-Z0-9_]+="
    ),
    Topic.TEST: re.compile(
        r"\b(pytest|py\.test|tox|nox|unittest|coverage run)\b|manage\.py test"
        r"|(make|just|task|poe|inv|invoke) (tests?|check)\b|scripts?/test"
    ),
    Topic.OPERATE: re.compile(
        r"kubectl|helm (install|upgrade)|docker (build|push|stack)|terraform|ansible|fly(ctl)? deploy|heroku|gcloud"
        r"|(make|just|task|cdk|sls|serverless|inv|invoke) deploy"
    ),
}
_README = re.compile(r"readme(\.(md|rst|markdown|txt|mdx|adoc|asciidoc))?", re.IGNORECASE)
_SHOWN_FOR_TOP = (".github", "docs")
"""Folders whose README GitHub shows for the repository, where its top has none."""
_KNOWN_NAME = re.compile(
    r"(contributing|develop(ment|ing|ers?)?|hacking|install(ation|ing)?|set-?up|configuration|testing|deploy(ment|ing)?)"
    r"(\.(md|rst|adoc|txt))",
    re.IGNORECASE,
)
"""Documents that readers look for without being sent there."""
_OF_THE_PAST = re.compile(r"change-?log|changes|history|news|licen[cs]e|code[-_]of[-_]conduct|security", re.IGNORECASE)
_TEMPLATE = re.compile(r"editing this readme|suggestions for a good readme", re.IGNORECASE)
"""Headings of the README that GitLab puts into a new project."""
_ENOUGH_VARIABLES = 2
_SITE = re.compile(
    r"https?://(docs?\.|[\w.-]+\.readthedocs\.|[\w.-]*\.github\.io|[\w./-]+/(docs?|documentation|wiki)\b)", re.I
)

_PICTURE = re.compile(r"\.(png|svg|jpe?g|gif)\b|shields\.io|badge|/raw/", re.IGNORECASE)


def readme_of(root: str, documents: Mapping[str, DocumentFacts]) -> str | None:
    """The README nearest to the service's folder, going up."""
    readmes = [p for p in documents if _README.fullmatch(posixpath.basename(p))]
    folder = "" if root == "." else root
    while True:
        here = [p for p in readmes if posixpath.dirname(p) == folder]
        if not here and not folder:
            here = [p for p in readmes if posixpath.dirname(p) in _SHOWN_FOR_TOP]
        if here or not folder:
            return min(here, key=lambda p: (not p.endswith(".md"), p), default=None)
        folder = posixpath.dirname(folder)


def topics_of(
    readme: str, documents: Mapping[str, DocumentFacts], variables: frozenset[str] = frozenset()
) -> dict[Topic, Evidence]:
    """Each topic with the first place that speaks of it, in the README before other documents. `variables` are those
    that the service reads.
    """
    found: dict[Topic, Evidence] = {}
    own = () if is_template(documents[readme]) else (readme,)
    for path in (*own, *_referred(readme, documents)):
        if len(variables.intersection(documents[path].names)) >= _ENOUGH_VARIABLES:
            found.setdefault(Topic.CONFIGURE, Evidence(Location.whole_file(path), "names its variables"))
        for topic, evidence in _spoken_of(path, documents[path], is_readme=path == readme):
            found.setdefault(topic, evidence)
    return found


def site_of(readme: str, facts: DocumentFacts) -> Evidence | None:
    """A site of documents that the README sends its readers to."""
    for link, line in facts.links:
        if _SITE.match(link) and not _PICTURE.search(link):
            return Evidence(Location(readme, line, 1, line, 1), f"refers to {link[:80]}")
    return None


def is_template(facts: DocumentFacts) -> bool:
    """Whether it is still what the hosting site wrote, which speaks of READMEs and not of the service."""
    return any(_TEMPLATE.search(heading.text) for heading in facts.headings)


def is_in_another_script(facts: DocumentFacts) -> bool:
    """Whether its headings aren't in Latin letters, so that nothing can be told from their words."""
    letters = [char for heading in facts.headings for char in heading.text if char.isalpha()]
    return sum(char > "\u024f" for char in letters) > len(letters) / 2


def _spoken_of(path: str, facts: DocumentFacts, *, is_readme: bool) -> Iterator[tuple[Topic, Evidence]]:
    if is_readme and facts.opening:
        yield Topic.PURPOSE, Evidence(Location.whole_file(path), "says what it is")
    for heading in facts.headings:
        for topic, pattern in _HEADINGS.items():
            if pattern.search(heading.text):
                yield topic, heading.span.evidence(path, heading.text)
    for line, at in facts.commands:
        for topic, pattern in _COMMANDS.items():
            if pattern.search(line):
                yield topic, Evidence(Location(path, at, 1, at, 1), line[:80])


def _referred(readme: str, documents: Mapping[str, DocumentFacts]) -> Iterator[str]:
    """Documents of the tree that the README links to, of a folder all that lie in it; then those that lie beside it and
    in `docs` under names that everybody knows.
    """
    done = {path for path in documents if _OF_THE_PAST.match(posixpath.basename(path))} | {readme}
    for link, _ in documents[readme].links:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(readme), link.partition("#")[0].lstrip("/")))
        below = [target] if target in documents else [p for p in documents if p.startswith(f"{target}/")]
        for path in below if target != "." else ():
            if path not in done:
                done.add(path)
                yield path
    folder = posixpath.dirname(readme)
    for path in documents:
        is_near = posixpath.dirname(path) in (folder, posixpath.join(folder, "docs")) and path not in done
        if is_near and _KNOWN_NAME.fullmatch(posixpath.basename(path)):
            yield path
