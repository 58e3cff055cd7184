"""Secrets that stay in a layer of an image, where everybody reads them who has the image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.secrets.credential_formats import Look, is_local, known_format, login_in, look
from assay.scanner.dataflow.secrets.secret_names import holds_secret
from assay.scanner.deployment.copied import copied_secrets
from assay.scanner.deployment.images import Image
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.place import Evidence
from assay.scanner.readers.dockerfile import Instruction, Stage

_FOR_THE_BUILD = re.compile(r"build|dummy|collectstatic|unused|temp|fake", re.IGNORECASE)
"""Words of values that only have to be there while something is built."""
_PERSONAL_TOKEN = re.compile(r"(\w+_)?PAT")
_PAIR = re.compile(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S*)")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'/@]+@[^\s\"']+", re.IGNORECASE)
_NETRC = re.compile(r"\blogin\s+\S+\s+password\s+(?P<password>[^\s\"'\\]+)")
_TAKEN_OUT = re.compile(
    r"\b(?:cp|mv|install)\s+(?:-\S+\s+)*/run/secrets/\S+\s+(?P<file>[^\s;&|]+)"
    r"|/run/secrets/\S+\s*>>?\s*(?P<into>[^\s;&|]+)"
)
"""A mounted secret is copied into the layer."""
_STRONG = (Look.RANDOM, Look.HEX, Look.PASSWORD)


def baked_secrets(image: Image, tree: DeploymentTree) -> Iterator[Evidence]:
    """Values in ENV, ARG and RUN, build arguments that a RUN works with, and files of secrets that are copied in."""
    for stage in image.chain:
        for instruction in image.facts.within(stage):
            if instruction.keyword in ("ENV", "ARG"):
                for name, value in _pairs(instruction):
                    if _is_secret(name, value):
                        yield instruction.span.evidence(image.path, f"the value of {name} is part of the image")
            elif instruction.keyword == "RUN":
                what = _written("\n".join((instruction.value, *instruction.heredocs)))
                if what is not None:
                    yield instruction.span.evidence(image.path, what)
        yield from _arguments(image, stage)
        for copy in stage.copies:
            yield from copied_secrets(image, stage, copy, tree)


def perhaps_baked(image: Image) -> Iterator[Evidence]:
    """Variables of the image that are given what the build was given."""
    for stage in image.chain:
        arguments = {i.value.partition("=")[0].strip() for i in image.facts.within(stage) if i.keyword == "ARG"}
        for instruction in image.facts.within(stage):
            for name, value in _pairs(instruction) if instruction.keyword == "ENV" else ():
                taken = re.match(r"\$\{?(\w+)", value)
                if _holds_secret(name) and taken is not None and taken[1] in arguments:
                    yield instruction.span.evidence(image.path, f"{name} becomes what the build was given")


def _holds_secret(name: str) -> bool:
    return holds_secret(name) or _PERSONAL_TOKEN.fullmatch(name) is not None


def _is_secret(name: str, value: str) -> bool:
    if not value or "$" in value or _FOR_THE_BUILD.search(value):
        return False
    if known_format(value) is not None:
        return True
    login = login_in(value)
    if login is not None:
        return _lets_in(*login)
    return _holds_secret(name) and look(value) in _STRONG


def _lets_in(password: str, host: str) -> bool:
    """A plain word may be for a machine of the developer's, if the host is."""
    found = look(password)
    return found in _STRONG or (found in (Look.WORD, Look.NAME) and not is_local(host) and "password" not in password)


def _written(text: str) -> str | None:
    """A secret that the line holds, or takes out of its mount and doesn't remove again."""
    if known_format(text) is not None:
        return "the line holds a secret, and stays in the image's history"
    logins = (login_in(found[0]) for found in _ADDRESS.finditer(text))
    if any(login is not None and _lets_in(*login) for login in logins):
        return "the line holds a password, and stays in the image's history"
    if any(look(found["password"]) in _STRONG for found in _NETRC.finditer(text)):
        return "the line holds a password, and stays in the image's history"
    for found in _TAKEN_OUT.finditer(text):
        file = found["file"] or found["into"]
        if not file.startswith("/dev/") and re.search(rf"\brm\s[^;&|]*{re.escape(file)}", text) is None:
            return f"the mounted secret stays in {file}"
    return None


def _arguments(image: Image, stage: Stage) -> Iterator[Evidence]:
    """The image's history shows build arguments beside each RUN that comes after them."""
    for instruction in image.facts.within(stage):
        name = instruction.value.partition("=")[0].strip()
        if instruction.keyword != "ARG":
            continue
        reference = rf"\$\{{?{re.escape(name)}\b\}}?"
        used = re.compile(reference if _holds_secret(name) else rf"://[^\s/@]*{reference}@")
        for later in image.facts.within(stage):
            is_run = later.keyword == "RUN" and later.span.line > instruction.span.line
            if is_run and any(used.search(text) for text in (later.value, *later.heredocs)):
                yield later.span.evidence(image.path, f"the build argument {name} stays in the image's history")
                break


def _pairs(instruction: Instruction) -> Iterator[tuple[str, str]]:
    first = instruction.value.split(" ", 1)
    if "=" not in first[0]:
        yield first[0], first[1].strip() if len(first) > 1 else ""
        return
    for match in _PAIR.finditer(instruction.value):
        yield match[1], match[2].strip("\"'")
