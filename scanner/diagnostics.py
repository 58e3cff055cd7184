"""Something Assay could not read or understand. Never silent: it is shown, and it lowers coverage where it should."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why something could not be read or understood."""

    SYNTAX_ERROR = "syntax-error"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"
    PASSED_OVER = "passed-over"
    READER_CRASHED = "reader-crashed"
    BAD_YAML = "bad-yaml"
    BAD_EVIDENCE = "bad-evidence"
    """A file of measurements that isn't what its tool writes. It is no part of the code, so no coverage is lost."""
    TEMPLATE = "template"
    RULE_CRASHED = "rule-crashed"
    MODEL_INCOMPLETE = "model-incomplete"
    ANALYZER_FAILED = "analyzer-failed"
    SYMLINK_LOOP = "symlink-loop"
    UNRESOLVED = "unresolved"

    @property
    def is_unread_file(self) -> bool:
        """The file's content is missing from the model."""
        return self in _UNREAD

    @property
    def is_grave(self) -> bool:
        """Something is missing from the result: what was found is real, and nothing is said of the rest."""
        return self.is_unread_file or self.is_internal_error

    @property
    def is_internal_error(self) -> bool:
        """Assay itself is at fault; the scan can't be trusted (exit code 2)."""
        return self in (Reason.RULE_CRASHED, Reason.MODEL_INCOMPLETE)


_UNREAD = frozenset(
    {
        Reason.SYNTAX_ERROR,
        Reason.UNDECODABLE,
        Reason.TOO_LARGE,
        Reason.UNREADABLE,
        Reason.PASSED_OVER,
        Reason.READER_CRASHED,
        Reason.BAD_YAML,
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """`path` is relative to the scanned root; `line` is None where the whole file is meant."""

    path: str
    line: int | None
    reason: Reason
    message: str
