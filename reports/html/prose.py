"""Sentences as HTML: what stands between backticks is code."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

__all__ = ["prose", "sentence"]

_CODE = re.compile(r"`([^`]+)`")


def prose(text: str) -> Markup:
    """The text with its code set as code."""
    parts = _CODE.split(text)
    pieces = (Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts))
    return Markup("").join(pieces)


def sentence(text: str) -> Markup:
    """The same, beginning with a capital."""
    return prose(text[:1].upper() + text[1:])
