"""The HTML report: one file that needs no network, no server and, to be read, no JavaScript."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

import jinja2
from markupsafe import Markup

from assay.reports.page import page
from assay.scanner.results import ScanResult


def render(result: ScanResult) -> str:
    """The report as one HTML document.

    Nothing but its own style and script may run in it: a content security policy names both by their hash (CSP Level 3
    §2.3.1) and forbids everything else, network included.
    """
    environment = _environment()
    style, script = _source(environment, "report.css"), _source(environment, "report.js")
    return environment.get_template("report.html.j2").render(
        page=page(result),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'",
    )


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("assay.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(environment: jinja2.Environment, name: str) -> str:
    assert environment.loader is not None
    text, _, _ = environment.loader.get_source(environment, name)
    return text


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
