"""Accepted findings, as `.assay/waivers.toml` lists them: what is accepted, why, by whom and until when."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from pathspec import GitIgnoreSpec

from assay.scanner.config.documents import ConfigError, Document, nearest
from assay.scanner.config.lines import KeyPath
from assay.scanner.config.patterns import problem_with
from assay.scanner.results import Acceptance, AcceptedBy, JudgedVerdict

__all__ = ["FILE", "Limits", "Waiver", "WaiverError", "load_waivers", "parse_waivers", "read_waivers"]

FILE = ".assay/waivers.toml"
"""Where waivers are, below the scanned root and below the root of its repository."""

_TEXTS = ("id", "rule", "subject", "path", "finding", "reason", "owner", "approved-by", "ticket")
_DATES = ("created", "expires")
_KEYS = (*_TEXTS, *_DATES, "max")
_REQUIRED = ("id", "rule", "reason", "owner", "created", "expires")
_TARGETS = ("subject", "path", "finding")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_FINGERPRINT = re.compile(r"[0-9a-f]{12}")


class WaiverError(ConfigError):
    """A mistake in a file of waivers, told as one in the configuration is."""


@dataclass(frozen=True)
class Waiver:
    """One entry. At least one of `subject` (its id or label), `path` (a pattern in gitignore syntax) and `finding` (a
    fingerprint) is given; all that are given must fit. `maximum` bounds how many findings it may cover.

    `place` is where it is written, such as `.assay/waivers.toml:12`; `prefix` leads from that file's root to the
    scanned one, such as `backend/`.
    """

    id: str
    rule: str
    reason: str
    owner: str
    created: date
    expires: date
    """The last day on which it counts."""
    subject: str = ""
    path: str = ""
    finding: str = ""
    approver: str = ""
    ticket: str = ""
    maximum: int = sys.maxsize
    place: str = ""
    prefix: str = ""

    def covers(self, finding: JudgedVerdict) -> bool:
        """Whether it speaks of the finding, by what it says of rule and place."""
        return (
            self.rule == finding.rule
            and (not self.subject or self.subject in (finding.subject.id, finding.subject.label))
            and (not self.finding or self.finding == finding.fingerprint)
            and (not self.path or self._spec.match_file(self.prefix + finding.location.path))
        )

    @cached_property
    def _spec(self) -> GitIgnoreSpec:
        return GitIgnoreSpec.from_lines([self.path])

    @property
    def target(self) -> str:
        """What it is about, in words for people: `API401, GET /admin/export`."""
        return ", ".join(part for part in (self.rule, self.subject, self.path, self.finding) if part)

    @property
    def terms(self) -> tuple[object, ...]:
        """All that it says, wherever it is written."""
        return (
            *(self.id, self.rule, self.subject, self.path, self.finding, self.reason, self.owner),
            *(self.approver, self.ticket, self.created, self.expires, self.maximum),
        )

    def days_left(self, today: date) -> int:
        """How many more days it counts after today; negative once it has expired."""
        return (self.expires - today).days

    @property
    def acceptance(self) -> Acceptance:
        """What a finding says that it covers."""
        return Acceptance(
            AcceptedBy.WAIVER,
            self.reason,
            self.id,
            self.owner,
            self.approver,
            self.ticket,
            self.created.isoformat(),
            self.expires.isoformat(),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a waiver is checked against: the codes of all rules and checks, the days that it may hold, and today."""

    codes: Collection[str]
    days: int
    today: date

    def problem_with(self, created: date, expires: date) -> tuple[str, str] | None:
        """Which of the two dates is wrong, "created" or "expires", and why."""
        # East of here it may be tomorrow already.
        if created > self.today + timedelta(days=1):
            return "created", f"{created} lies in the future"
        if expires < created:
            return "expires", f"{expires} comes before {created}, when it was created"
        days = (expires - created).days
        if days > self.days:
            latest = created + timedelta(days=self.days)
            limit = f"a waiver may hold {self.days} days ([waivers] max-days): until {latest}"
            return "expires", f"{days} days after it was created; {limit}"
        return None


def read_waivers(file: Path, name: str) -> str | None:
    """The text of a file of waivers, which messages call `name`; None where there is none. Raises WaiverError."""
    try:
        if file.exists() and not file.is_file():
            raise WaiverError(name, None, "", "it is no file")
        return file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise WaiverError(name, None, "", f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise WaiverError(name, None, "", f"it can't be read: {error.strerror}") from error


def load_waivers(
    root: Path, limits: Limits, read: Callable[[Path, str], str | None] = read_waivers
) -> tuple[Waiver, ...]:
    """The waivers for the tree at `root`: its own, and those at the root of the repository around it.

    `read` gives a file's text as `read_waivers` does. Raises WaiverError.
    """
    found: list[Waiver] = []
    own = root.resolve()
    for height in _heights(own):
        name = "../" * height + FILE
        folder = own.parents[height - 1] if height else own
        text = read(folder / FILE, name)
        if text is not None:
            prefix = "".join(f"{part}/" for part in own.relative_to(folder).parts)
            found += parse_waivers(Document(name, text), limits, prefix)
    return tuple(found)


def _heights(root: Path) -> Iterator[int]:
    """How far up the files lie: at the scanned root, and at that of its repository where that is another."""
    yield 0
    for height, folder in enumerate((root, *root.parents)):
        if (folder / ".git").exists():
            if height:
                yield height
            return


def parse_waivers(document: Document, limits: Limits, prefix: str = "") -> tuple[Waiver, ...]:
    """The waivers of one file, in its order. Raises WaiverError for the first mistake."""
    try:
        return tuple(_Reader(document, limits, prefix).waivers())
    except ConfigError as error:
        raise WaiverError(error.file, error.line, error.key, error.problem) from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one file, entry by entry."""

    document: Document
    limits: Limits
    prefix: str

    def waivers(self) -> Iterator[Waiver]:
        values = self.document.parsed()
        for key in values:
            if key != "waiver":
                raise self.document.error((key,), "only [[waiver]] entries belong here", ("waiver",))
        entries = values.get("waiver", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.document.error(("waiver",), "write each waiver as [[waiver]], with two brackets")
        seen: dict[str, int | None] = {}
        for index, entry in enumerate(entries):
            waiver = self._waiver(("waiver", index), entry)
            if waiver.id in seen:
                first = f"the waiver in line {seen[waiver.id]} has the id {waiver.id} too; each needs its own"
                raise self.document.error(("waiver", index, "id"), first)
            seen[waiver.id] = self.document.line(("waiver", index))
            yield waiver

    def _waiver(self, at: KeyPath, entry: Mapping[str, object]) -> Waiver:
        self._check_keys(at, entry)
        texts = {key: self._text((*at, key), entry[key]) for key in _TEXTS if key in entry}
        dates = {key: self._date((*at, key), entry[key]) for key in _DATES}
        self._check_texts(at, texts)
        if (wrong := self.limits.problem_with(dates["created"], dates["expires"])) is not None:
            key, problem = wrong
            raise self.document.error((*at, key), problem)
        line = self.document.line(at)
        return Waiver(
            texts["id"],
            texts["rule"],
            texts["reason"],
            texts["owner"],
            dates["created"],
            dates["expires"],
            texts.get("subject", ""),
            texts.get("path", ""),
            texts.get("finding", ""),
            texts.get("approved-by", ""),
            texts.get("ticket", ""),
            self._maximum((*at, "max"), entry["max"]) if "max" in entry else sys.maxsize,
            self.document.name if line is None else f"{self.document.name}:{line}",
            self.prefix,
        )

    def _check_keys(self, at: KeyPath, entry: Mapping[str, object]) -> None:
        for key in entry:
            if key not in _KEYS:
                raise self.document.error((*at, key), "a waiver has no such key", _KEYS)
        named = entry.get("id")
        name = f"waiver {named}" if isinstance(named, str) and named else "this waiver"
        for key in _REQUIRED:
            if key not in entry:
                raise self.document.error((*at, key), f"{name} lacks it")
        if not any(key in entry for key in _TARGETS):
            raise self.document.error(at, f"{name} names no subject, no path and no finding; it needs one of them")

    def _text(self, at: KeyPath, value: object) -> str:
        if not isinstance(value, str):
            raise self.document.error(at, "expected text in quotes")
        if not value.strip():
            raise self.document.error(at, "it is empty")
        return value.strip()

    def _date(self, at: KeyPath, value: object) -> date:
        if isinstance(value, str):
            raise self.document.error(at, f"write the date without quotes: {at[-1]} = 2027-01-31")
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.document.error(at, "expected a date, such as 2027-01-31")
        return value

    def _maximum(self, at: KeyPath, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.document.error(at, "expected a whole number of findings, 1 or more")
        return value

    def _check_texts(self, at: KeyPath, texts: Mapping[str, str]) -> None:
        if not _ID.fullmatch(texts["id"]):
            raise self.document.error((*at, "id"), "an id is letters, digits, '.', '_' and '-', such as W-014")
        if texts["rule"] not in self.limits.codes:
            hint = nearest(texts["rule"], sorted(self.limits.codes)) or "; `assay rules` lists them"
            raise self.document.error((*at, "rule"), f"there is no rule {texts['rule']}{hint}")
        if "finding" in texts and not _FINGERPRINT.fullmatch(texts["finding"]):
            raise self.document.error((*at, "finding"), "a finding is named by 12 hex digits, as reports show them")
        if (path := texts.get("path")) is not None:
            problem = f"{path!r} is a negation, which matches nothing" if path[:1] == "!" else problem_with(path)
            if problem is not None:
                raise self.document.error((*at, "path"), problem)
