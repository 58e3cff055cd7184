"""Secrets that stay in a layer of an image, where everybody reads them who has the image."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import sensitivity
from assay.scanner.dataflow.secrets.credential_formats import Look, known_format, login_in, look
from assay.scanner.deployment.images import Image
from assay.scanner.deployment.tree import DeploymentTree, relative
from assay.scanner.model.log import Sensitivity
from assay.scanner.model.place import Evidence
from assay.scanner.readers.dockerfile import Copy, Instruction, Stage

_SHOWN_TO_ALL = re.compile(r"(NEXT_|NUXT_)?PUBLIC_|VITE_|REACT_APP_|EXPO_PUBLIC_|VUE_APP_|GATSBY_")
"""Variables of these names end up in what browsers are sent."""
_FOR_THE_BUILD = re.compile(r"build|dummy|collectstatic|unused|temp|fake", re.IGNORECASE)
"""Words of values that only have to be there while something is built."""
_KEY_FILE = re.compile(
    r"(^|/)(\.env|\.env\.(prod|production|local|staging)|id_(rsa|ed25519|ecdsa)|\.netrc|\.pypirc|credentials\.json"
    r"|service[-_]?account[^/]*\.json|[^/]*\.(p12|pfx|key))$",
    re.IGNORECASE,
)
"""Files that are there to hold secrets."""
_PAIR = re.compile(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S*)")


def baked_secrets(image: Image, tree: DeploymentTree) -> Iterator[Evidence]:
    """Values in ENV and ARG, build arguments that a RUN works with, and files of secrets that come with the context."""
    for stage in image.chain:
        for instruction in _instructions(image, stage):
            if instruction.keyword in ("ENV", "ARG"):
                for name, value in _pairs(instruction):
                    if _is_secret(name, value):
                        yield instruction.span.evidence(image.path, f"the value of {name} is part of the image")
        yield from _arguments(image, stage)
        for copy in stage.copies:
            if copy.stage is None:
                yield from _copied(image, copy, tree)


def perhaps_baked(image: Image) -> Iterator[Evidence]:
    """Variables of the image that are given what the build was given."""
    for stage in image.chain:
        arguments = {i.value.partition("=")[0].strip() for i in _instructions(image, stage) if i.keyword == "ARG"}
        for instruction in _instructions(image, stage):
            for name, value in _pairs(instruction) if instruction.keyword == "ENV" else ():
                taken = re.match(r"\$\{?(\w+)", value)
                if _holds_secret(name) and taken is not None and taken[1] in arguments:
                    yield instruction.span.evidence(image.path, f"{name} becomes what the build was given")


def _holds_secret(name: str) -> bool:
    return sensitivity(name) is Sensitivity.CREDENTIAL and _SHOWN_TO_ALL.match(name) is None


def _is_secret(name: str, value: str) -> bool:
    if not value or "$" in value or _FOR_THE_BUILD.search(value):
        return False
    if known_format(value) is not None:
        return True
    login = login_in(value)
    if login is not None:
        return look(login[0]) not in (Look.PLACEHOLDER, Look.OTHER)
    return _holds_secret(name) and look(value) in (Look.RANDOM, Look.HEX, Look.PASSWORD)


def _arguments(image: Image, stage: Stage) -> Iterator[Evidence]:
    """The image's history shows build arguments beside each RUN that comes after them."""
    for instruction in _instructions(image, stage):
        name = instruction.value.partition("=")[0].strip()
        if instruction.keyword != "ARG" or not _holds_secret(name):
            continue
        used = re.compile(rf"\$\{{?{re.escape(name)}\b")
        for later in _instructions(image, stage):
            is_run = later.keyword == "RUN" and later.span.line > instruction.span.line
            if is_run and any(used.search(text) for text in (later.value, *later.heredocs)):
                yield later.span.evidence(image.path, f"the build argument {name} stays in the image's history")
                break


def _copied(image: Image, copy: Copy, tree: DeploymentTree) -> Iterator[Evidence]:
    named = next((source for source in copy.sources if _KEY_FILE.search(source)), None)
    if named is not None:
        yield copy.span.evidence(image.path, f"{named} is copied into the image")
        return
    for source in copy.sources:
        folder = posixpath.normpath(source)
        for name, compose in _env_files(image, tree):
            is_inside = folder == "." or name == folder or name.startswith(f"{folder}/")
            if is_inside and not _is_left_out(image, name, tree):
                text = f"{name} comes with it, which {compose} reads from there: no .dockerignore leaves it out"
                yield copy.span.evidence(image.path, text)
                return


def _env_files(image: Image, tree: DeploymentTree) -> Iterator[tuple[str, str]]:
    """Files of variables inside the context that a compose file reads, by their path in there, with that file: where it
    builds the image the files are there.
    """
    context = image.context or "."
    for path, facts in tree.compose_files.items():
        for service in facts.services:
            if service.build is not None and relative(path, service.build.context) == context:
                for file in service.env_files:
                    inside = posixpath.relpath(relative(path, file), context)
                    if not inside.startswith(".."):
                        yield inside, path


def _is_left_out(image: Image, path: str, tree: DeploymentTree) -> bool:
    """A Dockerfile's own file of patterns comes before the context's."""
    for ignoring in (f"{image.path}.dockerignore", posixpath.join(image.context, ".dockerignore")):
        facts = tree.dockerignores.get(posixpath.normpath(ignoring))
        if facts is not None:
            return facts.leaves_out(path)
    return False


def _instructions(image: Image, stage: Stage) -> Iterator[Instruction]:
    """Those of one stage, without its FROM."""
    end = min((s.span.line for s in image.facts.stages if s.span.line > stage.span.line), default=None)
    for instruction in image.facts.instructions:
        line = instruction.span.line
        if line > stage.span.line and (end is None or line < end):
            yield instruction


def _pairs(instruction: Instruction) -> Iterator[tuple[str, str]]:
    first = instruction.value.split(" ", 1)
    if "=" not in first[0]:
        yield first[0], first[1].strip() if len(first) > 1 else ""
        return
    for match in _PAIR.finditer(instruction.value):
        yield match[1], match[2].strip("\"'")
