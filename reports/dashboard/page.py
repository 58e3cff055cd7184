"""What all pages of the dashboard share: the frame, the style, the script, and the policy that forbids all else."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup

from assay.reports.html.prose import prose, sentence

__all__ = ["render"]

_REPORT, _DASHBOARD = "assay.reports.html", "assay.reports.dashboard"
_STYLES = ((_REPORT, "base.css"), (_REPORT, "overview.css"), (_DASHBOARD, "dashboard.css"))
_EARLY = ((_REPORT, "early.js"),)
_SCRIPTS = ((_REPORT, "theme.js"), (_DASHBOARD, "tables.js"), (_DASHBOARD, "heat.js"))
_NAVIGATION = (
    ("Portfolio", "index.html"),
    ("Heat map", "heat-map.html"),
    ("Principles", "principles.html"),
    ("Rules", "rules.html"),
    ("Accepted", "accepted.html"),
    ("Changes", "changes.html"),
)


def render(template: str, address: str, title: str, **values: object) -> str:
    """A whole page. `address` is its own, relative to the dashboard's top; `values` are what its template shows."""
    text = (
        _environment()
        .get_template(template)
        .render(
            title=title,
            top="../" * address.count("/"),
            navigation=_NAVIGATION,
            address=address,
            style=Markup(_style()),  # noqa: S704 - our own file
            early=Markup(_early()),  # noqa: S704 - our own file
            script=Markup(_script()),  # noqa: S704 - our own file
            policy=_policy(),
            **values,
        )
    )
    return text.lstrip()


@cache
def _policy() -> str:
    return (
        f"default-src 'none'; script-src {_hash(_early())} {_hash(_script())}; "
        f"style-src {_hash(_style())}; base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(_DASHBOARD),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"prose": prose, "sentence": sentence}
    return environment


@cache
def _style() -> str:
    text = re.sub(r"/\*.*?\*/", "", _joined("style", _STYLES), flags=re.DOTALL)
    return re.sub(r"\s+", " ", text).strip()


@cache
def _early() -> str:
    return _joined("script", _EARLY)


@cache
def _script() -> str:
    return f'"use strict";\n{{\n{_joined("script", _SCRIPTS)}}}\n'


def _joined(folder: str, files: tuple[tuple[str, str], ...]) -> str:
    texts = (resources.files(package).joinpath(folder, name).read_text(encoding="utf-8") for package, name in files)
    lines = (line.strip() for text in texts for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
