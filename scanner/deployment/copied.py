"""Files of secrets that COPY and ADD bring into an image."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from assay.scanner.deployment.images import Image
from assay.scanner.deployment.tree import DeploymentTree, relative
from assay.scanner.model.place import Evidence
from assay.scanner.model.written_secret import Held
from assay.scanner.readers.dockerfile import Copy, Stage
from assay.scanner.readers.env_files import EnvFileFacts
from assay.scanner.written_secrets.values import held_in

_SECRET_FILE = re.compile(
    r"(^|/)(\.env|\.env\.(prod|production|local|staging)|id_(rsa|ed25519|ecdsa)|\.netrc|\.pypirc|credentials\.json"
    r"|service[-_]?account[^/]*\.json|[^/]*\.(p12|pfx|key)|[^/]*(private|priv|key)[^/]*\.pem)$",
    re.IGNORECASE,
)
"""Files that are there to hold secrets."""
_PUBLIC_FILE = re.compile(r"(^|/)[^/]*(pub|sign|gpg|apt|release|archive)[^/]*$", re.IGNORECASE)
"""Keys for everybody: the public half, and what package repositories sign with."""
_KEYRINGS = ("/etc/apt/", "/usr/share/keyrings", "/etc/pki/rpm-gpg", "/etc/apk/keys")
_EXAMPLE = re.compile(r"example|sample|template|dist|default", re.IGNORECASE)


def copied_secrets(image: Image, stage: Stage, copy: Copy, tree: DeploymentTree) -> Iterator[Evidence]:
    """Those that one instruction of the image brings, from the context or from a stage that had them."""
    if copy.stage is None:
        text = _from_context(image, copy, tree)
        if text is not None:
            yield copy.span.evidence(image.path, text)
        return
    source = image.facts.stage(copy.stage)
    for before in source.copies if source is not None and source.index < stage.index else ():
        named = _named(image, before, tree) if before.stage is None else None
        if named is not None and any(_is_within(_target(before, named), folder) for folder in copy.sources):
            yield before.span.evidence(image.path, f"{named} is copied into a stage whose files the image takes")
            yield copy.span.evidence(image.path, "they are taken here")


def _from_context(image: Image, copy: Copy, tree: DeploymentTree) -> str | None:
    named = _named(image, copy, tree)
    if named is not None:
        return f"{named} is copied into the image"
    for source in copy.sources:
        folder = posixpath.normpath(source)
        for name, why in _files_of_secrets(image, tree):
            if _is_within(name, folder) and not _is_left_out(image, name, tree):
                return f"{name} comes with it, {why}: no .dockerignore leaves it out"
    return None


def _named(image: Image, copy: Copy, tree: DeploymentTree) -> str | None:
    """A source that is there to hold secrets, unless the tree has it and shows that it doesn't."""
    if copy.destination.startswith(_KEYRINGS):
        return None
    for source in copy.sources:
        if _SECRET_FILE.search(source) and not _PUBLIC_FILE.search(source):
            known = tree.env_files.get(posixpath.normpath(posixpath.join(image.context, source)))
            if known is None or _holds_secrets(known):
                return source
    return None


def _target(copy: Copy, source: str) -> str:
    return copy.destination + posixpath.basename(source) if copy.destination.endswith("/") else copy.destination


def _files_of_secrets(image: Image, tree: DeploymentTree) -> Iterator[tuple[str, str]]:
    """Files of variables inside the context, by their path in there, with what is known of them: where a compose file
    that reads them builds the image they are there, and those of the tree are.
    """
    context = image.context or "."
    for path, facts in tree.compose_files.items():
        for service in facts.services:
            if service.build is not None and relative(path, service.build.context) == context:
                for file in service.env_files:
                    found = relative(path, file)
                    known = tree.env_files.get(found)
                    if known is None or _holds_secrets(known):
                        yield posixpath.relpath(found, context), f"which {path} reads from there"
    for path, known in tree.env_files.items():
        if _holds_secrets(known) and not _EXAMPLE.search(posixpath.basename(path)):
            yield posixpath.relpath(path, context), "which holds secrets"


def _holds_secrets(facts: EnvFileFacts) -> bool:
    return any(held_in(each.name, each.value) is Held.VALUE for each in facts.variables if not each.is_off)


def _is_within(path: str, folder: str) -> bool:
    if path.startswith(".."):
        return False
    return folder in (".", "/") or path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _is_left_out(image: Image, path: str, tree: DeploymentTree) -> bool:
    """A Dockerfile's own file of patterns comes before the context's."""
    for ignoring in (f"{image.path}.dockerignore", posixpath.join(image.context, ".dockerignore")):
        facts = tree.dockerignores.get(posixpath.normpath(ignoring))
        if facts is not None:
            return facts.leaves_out(path)
    return False
