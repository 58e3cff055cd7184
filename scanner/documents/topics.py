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
        r"getting started|quick ?-?start|install|run(ning)?\b|start(ing)?\b|usage|set ?-?up|local|develop", re.I
    ),
    Topic.CONFIGURE: re.compile(r"config|environment|settings|variables|secrets|\.env\b", re.I),
    Topic.TEST: re.compile(r"\btests?\b|testing|coverage", re.I),
    Topic.OPERATE: re.compile(
        r"deploy|production|operat|docker|kubernetes|helm|release|hosting|monitor|upgrad|maintain|backup", re.I
    ),
}
_COMMANDS: Mapping[Topic, re.Pattern[str]] = {
    Topic.RUN: re.compile(
        r"docker(-| )compose .*\bup\b|docker run|uvicorn|gunicorn|hypercorn|flask .*\brun\b|fastapi (dev|run)"
        r"|manage\.py runserver|make (run|up|start|dev|serve)|python3? -m|\./run|skaffold (dev|run)"
    ),
    Topic.CONFIGURE: re.compile(r"cp \S*\.env|export [A-Z_]+=|^[A-Z][A-Z0-9_]+="),
    Topic.TEST: re.compile(r"\b(pytest|tox|nox|unittest)\b|manage\.py test|make tests?\b|scripts?/test"),
    Topic.OPERATE: re.compile(
        r"kubectl|helm (install|upgrade)|docker (build|push|stack)|terraform|ansible|fly deploy|heroku"
    ),
}
_README = re.compile(r"readme(\.(md|rst|markdown|txt|mdx))?", re.IGNORECASE)
_SITE = re.compile(
    r"https?://(docs?\.|[\w.-]+\.readthedocs\.|[\w.-]*\.github\.io|[\w./-]+/(docs?|documentation|wiki)\b)", re.I
)

_PICTURE = re.compile(r"\.(png|svg|jpe?g|gif)\b|shields\.io|badge|/raw/", re.IGNORECASE)


def readme_of(root: str, documents: Mapping[str, DocumentFacts]) -> str | None:
    """The README nearest to the service's folder, going up."""
    folder = "" if root == "." else root
    while True:
        here = [p for p in documents if posixpath.dirname(p) == folder and _README.fullmatch(posixpath.basename(p))]
        if here or not folder:
            return min(here, key=lambda p: (not p.endswith(".md"), p), default=None)
        folder = posixpath.dirname(folder)


def topics_of(readme: str, documents: Mapping[str, DocumentFacts]) -> dict[Topic, Evidence]:
    """Each topic with the first place that speaks of it, in the README before other documents."""
    found: dict[Topic, Evidence] = {}
    for path in (readme, *_referred(readme, documents)):
        for topic, evidence in _spoken_of(path, documents[path], is_readme=path == readme):
            found.setdefault(topic, evidence)
    return found


def site_of(readme: str, facts: DocumentFacts) -> Evidence | None:
    """A site of documents that the README sends its readers to."""
    for link, line in facts.links:
        if _SITE.match(link) and not _PICTURE.search(link):
            return Evidence(Location(readme, line, 1, line, 1), f"refers to {link[:80]}")
    return None


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
    """Documents of the tree that the README links to; of a folder, all that lie in it."""
    done = {readme}
    for link, _ in documents[readme].links:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(readme), link.partition("#")[0].lstrip("/")))
        below = [target] if target in documents else [p for p in documents if p.startswith(f"{target}/")]
        for path in below if target != "." else ():
            if path not in done:
                done.add(path)
                yield path
