"""What whole pages are built with, a report's and the dashboard's: templates, and what a policy names by its hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

import jinja2

from assay.reports.html.prose import prose, sentence

__all__ = ["closed", "environment", "lean_script", "source_hash"]


@cache
def environment(package: str) -> jinja2.Environment:
    """The package's templates: what they show is escaped, and a name that isn't given is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"prose": prose, "sentence": sentence}
    return made


def lean_script(text: str) -> str:
    """Without indentation and lines of comments, which only those read who work on it."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def closed(script: str) -> str:
    """In a block, whose names nothing else sees."""
    return f'"use strict";\n{{\n{script}}}\n'


def source_hash(text: str) -> str:
    """How a content security policy names an inline script or style (CSP Level 3 §2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
