"""How any text is put into Markdown so that it shows as itself and never acts as markup."""

from __future__ import annotations

import string

# CommonMark 0.31 §2.4: any ASCII punctuation may be escaped with a backslash. Markup characters become entities, so
# that even a renderer that lets HTML through shows them.
_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escaped(text: str) -> str:
    """One line of Markdown that shows exactly the words of `text`; runs of white space become one space."""
    return " ".join(text.split()).translate(_ESCAPES)
