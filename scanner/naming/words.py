"""The words of a path segment: how they are joined, and verbs that say what a method should say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assay.scanner.model.naming import NameStyle

VERBS = frozenset({"get", "list", "fetch", "retrieve", "find", "create", "add", "insert", "save", "update", "edit",
    "modify", "set", "delete", "remove", "destroy"})  # fmt: skip
_NOUNS_TOO = frozenset({"list", "set"})
"""Verbs that are as often the name of a thing."""
_AUTH = frozenset({"login", "logout", "signin", "signout", "signup", "register", "registration", "token", "tokens",
    "refresh", "password", "verify", "otp", "mfa", "totp"})  # fmt: skip
_PARTICLES = frozenset({"on", "ons", "up", "ups", "in", "ins", "started", "of"})
"""`add-ons`, `set-up`: one word written as two; `list-of-values`."""
_RECORDS = frozenset({"history", "histories", "log", "logs", "notes", "status", "statuses", "info"})
"""`update-history`: what is recorded about the doing is a thing."""
_OBJECTS = frozenset({"request", "requests", "event", "events", "notification", "notifications", "channel", "channels",
    "window", "windows", "schedule", "schedules", "policy", "policies", "job", "jobs", "run", "runs", "result",
    "results", "reason", "reasons"})  # fmt: skip
"""`update-notifications`: a thing of that kind, or what is done to one."""
_RECORDED = frozenset({"update", "edit", "delete", "create", "fetch"})
_SEVERAL = frozenset({"bulk", "batch", "many", "multiple", "selected"})
_READING = frozenset({"get", "list", "fetch", "retrieve", "find"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
_SNAKE = re.compile(r"[a-z0-9]+(?:__?[a-z0-9]+)+")
"""Django puts two underscores before a comparison: `created_at__gt`."""
_CAMEL = re.compile(r"[a-z][a-z0-9]*(?:[A-Z]+[a-z0-9]*)+")
_PASCAL = re.compile(r"(?:[A-Z]+[a-z0-9]+){2,}")
_ONE_WORD = re.compile(r"o?auth\d*|open_?id|graph_?ql|web_?socket|json_?rpc|e-?mails?|wi-?fi|ipv\d", re.IGNORECASE)
_NO_WORDS = re.compile(r"[^A-Za-z0-9_-]")


def words_of(name: str) -> list[str]:
    """The words, in lower case: `user`, `id` of `userId`, `user-id` and `user_id`."""
    return [word.lower() for word in _WORD.findall(name)]


def style_of(name: str) -> NameStyle | None:
    """How the words are joined; None where there is only one, or something else than words."""
    name = name.strip("_-")
    if _NO_WORDS.search(name) or _ONE_WORD.fullmatch(name) or len(words_of(name)) < 2:
        return None
    for pattern, style in ((_KEBAB, NameStyle.KEBAB), (_SNAKE, NameStyle.SNAKE), (_CAMEL, NameStyle.CAMEL),
                           (_PASCAL, NameStyle.PASCAL)):  # fmt: skip
        if pattern.fullmatch(name):
            return style
    separated = "-" in name or "_" in name
    return NameStyle.MIXED if separated else None


def verb_of(segments: Sequence[str | None], index: int) -> str | None:
    """The verb that the segment there begins with, where it says what is done; parameters are None among `segments`."""
    words = words_of(segments[index] or "")
    if not words or words[0] not in VERBS:
        return None
    verb, rest = words[0], words[1:]
    if not rest:
        if index and not _SEVERAL.isdisjoint(words_of(segments[index - 1] or "")):
            return None  # `bulk/delete`: no method of one thing says it
        return verb if verb not in _NOUNS_TOO or _follows_a_collection(segments, index) else None
    if rest[0] in _PARTICLES or (rest[-1] in _RECORDS and verb in _RECORDED):
        return None
    if not _AUTH.isdisjoint(rest) or (verb not in _READING and not _SEVERAL.isdisjoint(rest)):
        return None
    if verb == "list":
        return verb if rest[-1].endswith("s") and not rest[-1].endswith("ss") else None
    return verb


def may_be_thing(segment: str, *, is_read: bool, is_written: bool) -> bool:
    """Whether the words may as well name a thing as say what is done to it: `update-notifications`, and
    `edit-suggestions` that clients read without changing anything, as no edit would be.

    `is_read` and `is_written` say what clients do at or below that segment.
    """
    words = words_of(segment)
    if len(words) < 2:
        return False
    contradicts = is_read and (words[0] not in _READING or (words[0] == "list" and is_written))
    return contradicts or (words[0] in _RECORDED and words[-1] in _OBJECTS)


def _follows_a_collection(segments: Sequence[str | None], index: int) -> bool:
    """`/users/list`, and not `/lists/{id}` or `/list` itself."""
    before = segments[index - 1] if index else None
    return index == len(segments) - 1 and before is not None and words_of(before)[-1:] != [] and before.endswith("s")
