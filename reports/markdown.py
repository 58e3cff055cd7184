"""How any text is put into Markdown so that it shows as itself and never acts as markup."""

from __future__ import annotations

import re
import string

from assay.reports.plain import plain

# CommonMark 0.31 §2.4: any ASCII punctuation may be escaped with a backslash. Markup characters become entities, so
# that even a renderer that lets HTML through shows them.
_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# GitHub and GitLab make links of `@name` and `#1`, and tell people that they were mentioned, after the Markdown is
# rendered; a zero-width space prevents that.
_MENTIONS = re.compile(r"(\\[@#])")
_BACKTICKS = re.compile("`+")


def escaped(text: str) -> str:
    """One line of Markdown that shows exactly the words of `text`; runs of white space become one space."""
    return " ".join(text.split()).translate(_ESCAPES)


def quiet(text: str, limit: int | None = None) -> str:
    """The same for a comment on a platform: nobody is mentioned, no issue is linked, no invisible sign is left. It is
    cut after `limit` characters of the text.
    """
    return _MENTIONS.sub(r"\1&#8203;", escaped(plain(_cut(text, limit))))


def code(text: str, limit: int | None = None) -> str:
    """A code span (CommonMark 0.31 §6.1), in which nothing acts; for anywhere but a table."""
    text = plain(_cut(text, limit))
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest or not text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _cut(text: str, limit: int | None) -> str:
    text = " ".join(text.split())
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"
