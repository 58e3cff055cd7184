"""System packages: what a shell text that calls a package manager leaves installed."""

from __future__ import annotations

import re

import msgspec

from assay.scanner.readers import shell
from assay.scanner.readers.span import Span
from assay.scanner.readers.variables import expand

INSTALLERS = {
    ("apt-get", "install"),
    ("apt", "install"),
    ("aptitude", "install"),
    ("apk", "add"),
    ("dnf", "install"),
    ("yum", "install"),
    ("dnf", "groupinstall"),
    ("yum", "groupinstall"),
    ("microdnf", "install"),
    ("tdnf", "install"),
    ("zypper", "install"),
}
REMOVERS = {
    ("apt-get", "remove"),
    ("apt-get", "purge"),
    ("apt-get", "autoremove"),
    ("apt", "remove"),
    ("apt", "purge"),
    ("apk", "del"),
    ("dnf", "remove"),
    ("yum", "remove"),
    ("microdnf", "remove"),
}
OPTIONS_WITH_VALUE = frozenset({"-t", "--virtual", "--repository", "-X", "-o", "--target-release"})
PACKAGE_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


class Packages(msgspec.Struct, frozen=True, array_like=True):
    """System packages that one RUN leaves installed; `unresolved` when a name hides in a variable without value."""

    names: tuple[str, ...]
    removed: tuple[str, ...]
    unresolved: bool
    span: Span


def installed_packages(text: str, span: Span) -> Packages | None:
    """What the package managers named in a RUN add and remove; `apk --virtual` groups are followed."""
    installed: list[str] = []
    removed: list[str] = []
    groups: dict[str, list[str]] = {}
    unresolved = False
    values: dict[str, str] = {}
    no_longer_wanted: list[str] = []
    seen = False
    for command in shell.commands(shell.parse(text)):
        values.update((n, expand(v, values)) for n, v in command.assignments)
        words = [piece for word in command.words for piece in expand(word, values).split()]
        if words[:2] == ["apt-mark", "auto"]:
            no_longer_wanted += installed
        verb = _verb(words)
        if verb is None:
            continue
        seen = True
        names, group, hidden = _named_packages(words, verb)
        unresolved = unresolved or hidden
        if verb in INSTALLERS:
            installed += names
            if group:
                groups[group] = names
        else:
            removed += [n for name in names for n in groups.get(name, [name])] or no_longer_wanted
    if not seen:
        return None
    kept = tuple(dict.fromkeys(n for n in installed if n not in removed))
    return Packages(kept, tuple(removed), unresolved, span)


def _verb(words: list[str]) -> tuple[str, str] | None:
    names = [w.rsplit("/", 1)[-1] for w in words]
    for manager in names[:3]:
        for word in names[1:]:
            if (manager, word) in INSTALLERS or (manager, word) in REMOVERS:
                return manager, word
    return None


def _named_packages(words: list[str], verb: tuple[str, str]) -> tuple[list[str], str | None, bool]:
    rest = words[words.index(verb[1]) + 1 :]
    names: list[str] = []
    group: str | None = None
    hidden = False
    skip = False
    for index, word in enumerate(rest):
        if skip:
            skip = False
        elif word.startswith("--virtual="):
            group = word.partition("=")[2]
        elif word in OPTIONS_WITH_VALUE:
            skip = True
            if word in ("-t", "--virtual"):
                group = rest[index + 1] if index + 1 < len(rest) else None
        elif word.startswith("-"):
            continue
        elif "$" in word or "`" in word:
            hidden = True
        elif word.startswith("."):
            names.append(word)
        elif match := PACKAGE_NAME.match(word.removeprefix(".")):
            names.append(match[0])
    return names, group, hidden
