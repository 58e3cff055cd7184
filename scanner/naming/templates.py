"""Path templates, segment by segment, in the syntax of any framework: what each segment matches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache


class Takes(Enum):
    """What the parameter in a segment matches."""

    DIGITS = auto()
    WORD = auto()
    """Letters, digits and underscores."""
    SLUG = auto()
    """A word, hyphens included."""
    UUID = auto()
    NO_DOT = auto()
    """One segment without a dot: what REST framework's routers look things up by."""
    SEGMENT = auto()
    """Any one segment."""
    REST = auto()
    """All that follows, slashes included."""
    OTHER = auto()
    """Something else: a number with a point, a date, a pattern of the project's own."""


_CONVERTERS = {
    "int": Takes.DIGITS,
    "str": Takes.SEGMENT,
    "string": Takes.SEGMENT,
    "default": Takes.SEGMENT,
    "uuid": Takes.UUID,
    "slug": Takes.SLUG,
    "path": Takes.REST,
}
_OTHER_CONVERTERS = frozenset({"float", "number", "decimal", "alpha", "any", "ext", "ymd", "date", "datetime", "time",
    "timedelta", "re", "regex", "dt", "strorempty"})  # fmt: skip
_PATTERNS = {
    "[^/.]+": Takes.NO_DOT,
    "[^./]+": Takes.NO_DOT,
    "[^/]+": Takes.SEGMENT,
    r"\d+": Takes.DIGITS,
    "[0-9]+": Takes.DIGITS,
    r"\w+": Takes.WORD,
    "[a-zA-Z0-9_]+": Takes.WORD,
    r"[\w-]+": Takes.SLUG,
    r"[-\w]+": Takes.SLUG,
    r"[\w\-]+": Takes.SLUG,
    "[-a-zA-Z0-9_]+": Takes.SLUG,
    ".+": Takes.REST,
    ".*": Takes.REST,
}
_INSIDE = {
    Takes.DIGITS: frozenset({Takes.DIGITS}),
    Takes.WORD: frozenset({Takes.DIGITS, Takes.WORD}),
    Takes.SLUG: frozenset({Takes.DIGITS, Takes.WORD, Takes.SLUG, Takes.UUID}),
    Takes.UUID: frozenset({Takes.UUID}),
    Takes.NO_DOT: frozenset({Takes.DIGITS, Takes.WORD, Takes.SLUG, Takes.UUID, Takes.NO_DOT}),
    Takes.SEGMENT: frozenset({Takes.DIGITS, Takes.WORD, Takes.SLUG, Takes.UUID, Takes.NO_DOT, Takes.SEGMENT}),
}
"""What each takes all of."""
_TEXTS = {
    Takes.DIGITS: re.compile(r"[0-9]+"),
    Takes.WORD: re.compile(r"[A-Za-z0-9_]+"),
    Takes.SLUG: re.compile(r"[A-Za-z0-9_-]+"),
    Takes.NO_DOT: re.compile(r"[^/.]+"),
    Takes.SEGMENT: re.compile(r"[^/]+"),
}
_ANCHORS = re.compile(r"\\A|\\Z|\\z|[\^$]")
_ESCAPED = re.compile(r"\\([-._~/])")
_HOLE = "\0"
_LANGUAGE = "<language>/"
"""What `i18n_patterns` puts in front of paths: it matches the active language alone."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a path, by its name, and how its pattern is written."""

    name: str
    takes: Takes
    written: str


@dataclass(frozen=True, slots=True)
class Segment:
    """The text between two slashes. `parameters` are those in it, `text` has a gap for each."""

    text: str
    parameters: tuple[Parameter, ...] = ()

    @property
    def static(self) -> str | None:
        """The text of a segment without parameters."""
        return self.text if not self.parameters else None

    @property
    def takes(self) -> Takes | None:
        """What a segment that is one parameter takes; OTHER where there is more in it."""
        if not self.parameters:
            return None
        return self.parameters[0].takes if self.text == _HOLE else Takes.OTHER

    @property
    def form(self) -> tuple[str, ...]:
        """The same for two segments that match the same, whatever their parameters are called."""
        patterns = (p.written if p.takes is Takes.OTHER else p.takes.name for p in self.parameters)
        return (self.text, *patterns)

    def takes_all_of(self, other: Segment) -> bool:
        """Whether every text that the other one matches matches here. REST is the template's business."""
        if self.form == other.form:
            return True
        takes = self.takes
        if takes is None:
            return False
        if other.static is not None:
            pattern = _TEXTS.get(takes)
            return pattern is not None and pattern.fullmatch(other.static) is not None
        inside = _INSIDE.get(takes, frozenset())
        if other.text != _HOLE:
            return takes is Takes.SEGMENT and all(p.takes in inside for p in other.parameters)
        return other.takes in inside

    def may_meet(self, other: Segment) -> bool:
        """Whether some text certainly matches both."""
        if self.takes_all_of(other) or other.takes_all_of(self):
            return True
        both = {self.takes, other.takes}
        return both <= {Takes.WORD, Takes.SLUG, Takes.NO_DOT, Takes.SEGMENT, Takes.UUID} and both != {
            Takes.WORD,
            Takes.UUID,
        }


@dataclass(frozen=True, slots=True)
class Template:
    """A path template. The last segment is empty where it ends with a slash.

    `is_exact` is False where the pattern matches more, or other things, than the segments say.
    """

    segments: tuple[Segment, ...]
    is_exact: bool = True

    @property
    def statics(self) -> Iterator[str]:
        """The segments without parameters."""
        return (s.text for s in self.segments if not s.parameters and s.text)

    @property
    def shape(self) -> str:
        """The path with a gap for each parameter, without a slash at its end: for comparison over notations."""
        return "/" + "/".join(re.sub(_HOLE, "{}", s.text) for s in self.segments if s.text)

    @property
    def text(self) -> str:
        """As people write it: `/users/{user_id}`."""
        parts = []
        for segment in self.segments:
            names = iter(segment.parameters)
            parts.append(re.sub(_HOLE, lambda _, names=names: f"{{{next(names).name}}}", segment.text))  # type: ignore[misc]
        return "/" + "/".join(parts)

    @property
    def form(self) -> tuple[tuple[str, ...], ...]:
        return tuple(s.form for s in self.segments)

    def takes_all_of(self, other: Template) -> bool:
        """Whether every path that the other one matches matches here."""
        if not self.is_exact or not other.is_exact:
            return False
        mine, others = self.segments, other.segments
        if mine and mine[-1].takes is Takes.REST:
            last = len(mine) - 1
            begins = len(others) > last and all(m.takes_all_of(o) for m, o in zip(mine[:last], others, strict=False))
            return begins and others[last].text != ""
        return len(mine) == len(others) and all(m.takes_all_of(o) for m, o in zip(mine, others, strict=True))

    def may_meet(self, other: Template) -> bool:
        """Whether some path certainly matches both."""
        if self.takes_all_of(other) or other.takes_all_of(self):
            return True
        if not self.is_exact or not other.is_exact or len(self.segments) != len(other.segments):
            return False
        return all(m.may_meet(o) for m, o in zip(self.segments, other.segments, strict=True))


@cache
def template_of(path: str) -> Template:
    """The template that a route's path stands for: `{id:int}`, `<int:id>`, `(?P<id>[0-9]+)`."""
    path = path.replace(_HOLE, "")
    is_exact, text, parameters = True, "", list[Parameter]()
    at = 0
    if path.removeprefix("/").startswith(_LANGUAGE):
        text, parameters, at = _HOLE, [Parameter("language", Takes.OTHER, "language")], path.index(">") + 1
    while at < len(path):
        opened = path[at]
        if opened in "<{(":
            end = _closing(path, at)
            parameter = _parameter(path[at:end])
            is_exact &= end <= len(path) and parameter is not None
            parameters.append(parameter or Parameter("", Takes.OTHER, path[at:end]))
            text += _HOLE
            at = end
        else:
            text += opened
            at += 1
    if ("^" in text or "\\" in text or "(?P" in path) and "$" not in text:
        is_exact &= "\\Z" in text  # a pattern without an end matches all that goes on
    text = _ESCAPED.sub(r"\1", _ANCHORS.sub("", text))
    is_exact &= not any(sign in text for sign in "*+?|[]\\")
    names = iter(parameters)
    segments = tuple(
        Segment(part, tuple(next(names) for _ in range(part.count(_HOLE))))
        for part in text.removeprefix("/").split("/")
    )
    return Template(segments, is_exact)


def _closing(path: str, start: int) -> int:
    """Behind the bracket that closes the one there."""
    opened, depth = path[start], 0
    closed = {"<": ">", "{": "}", "(": ")"}[opened]
    for at in range(start, len(path)):
        if path[at] == opened:
            depth += 1
        elif path[at] == closed:
            depth -= 1
            if depth == 0:
                return at + 1
    return len(path) + 1


def _parameter(written: str) -> Parameter | None:
    inside = written[1:-1]
    if written.startswith("(?P<"):
        name, _, pattern = written[4:-1].partition(">")
        return Parameter(name, _PATTERNS.get(pattern, Takes.OTHER), pattern)
    if written.startswith("("):
        return None if inside.startswith("?") else Parameter("", _PATTERNS.get(inside, Takes.OTHER), inside)
    before, colon, after = inside.partition(":")
    if not colon:
        return Parameter(inside.removeprefix("*"), Takes.SEGMENT if not inside.startswith("*") else Takes.REST, "str")
    for name, kind in ((after, before), (before, after)):  # `<int:id>`, `{id:int}`
        plain = kind.partition("(")[0].strip()
        if plain in _CONVERTERS:
            takes = _CONVERTERS[plain] if plain == kind.strip() else Takes.OTHER  # with arguments it takes less
            return Parameter(name.strip(), takes, kind)
        if plain in _OTHER_CONVERTERS:
            return Parameter(name.strip(), Takes.OTHER, kind)
    if after.isidentifier():  # a converter of the project's own
        return Parameter(after, Takes.OTHER, before) if written[0] == "<" else Parameter(before, Takes.OTHER, after)
    return Parameter(before, _PATTERNS.get(after, Takes.OTHER), after)
