"""Puts the HTML report together: its text, its style, its script and the data that the script draws from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from markupsafe import Markup

from assay.reports.html.building import closed, environment, lean_script, source_hash
from assay.reports.html.comparison import comparison
from assay.reports.html.data import embedded
from assay.reports.html.history import history_view
from assay.reports.html.masking import masked
from assay.reports.html.overview import graded, overview, tree_name
from assay.reports.html.principles import principles
from assay.reports.html.service_map import service_map
from assay.reports.plain import plain
from assay.scanner.history.records import ServiceHistory
from assay.scanner.results import ScanResult

__all__ = ["SCRIPT_FILE", "STYLE_FILE", "Assets", "assets", "render"]

_PACKAGE = "assay.reports.html"
STYLES = ("base.css", "overview.css", "principles.css", "code.css", "pages.css", "pictures.css", "print.css")
EARLY = ("early.js",)
"""What is run before the first thing is drawn."""
SCRIPTS = (
    *("theme.js", "print.js", "routes.js", "model.js", "dom.js", "frames.js", "windowed.js"),
    *("matching.js", "listing.js", "findings.js", "finding.js", "subjects.js", "passes.js", "review.js", "accepted.js"),
    *("rules.js", "principle.js", "coverage.js", "about.js", "keys.js", "start.js"),
)
"""In the order in which they are run; together they are one script."""

STYLE_FILE, SCRIPT_FILE = "report.css", "report.js"
"""Beside the report, where style and script are files."""


class Assets(StrEnum):
    """Where a report has its style and its script."""

    INLINE = "inline"
    """In itself: it is one file."""
    FILES = "files"
    """In files beside it, for servers whose content security policy forbids what is inline, such as Jenkins."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A page in the navigation; without JavaScript only those that stand in the document can be read."""

    name: str
    address: str
    needs_script: bool = True


def _pages(*, has_map: bool, has_base: bool, has_history: bool) -> tuple[_Link, ...]:
    """Those that have nothing to say are left out."""
    pages = (
        _Link("Overview", "#/", needs_script=False),
        _Link("Principles", "#/principles", needs_script=False),
        _Link("Changes", "#/compare", needs_script=False) if has_base else None,
        _Link("History", "#/history", needs_script=False) if has_history else None,
        _Link("Findings", "#/findings"),
        _Link("Review", "#/review"),
        _Link("Subjects", "#/subjects"),
        _Link("Map", "#/map", needs_script=False) if has_map else None,
        _Link("Passes", "#/passes"),
        _Link("Accepted", "#/accepted"),
        _Link("Coverage", "#/coverage"),
        _Link("Rules", "#/rules"),
        _Link("About", "#/about"),
    )
    return tuple(page for page in pages if page)


_UNSAFE_IN_SCRIPT = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
"""JSON says the same with these written as escapes, and no HTML parser can see a tag or a comment in it."""


def render(
    result: ScanResult,
    *,
    snippets: bool = True,
    assets: Assets = Assets.INLINE,
    history: Sequence[ServiceHistory] = (),
) -> str:
    """The report as one HTML document; without `snippets` it holds no line of the scanned code. `history` is that of
    its services, where the scan is kept.

    Nothing but its own style and script may run in it: a content security policy names both by their hash (CSP Level 3
    §2.3.1), or as files beside it, and forbids everything else, network included.
    """
    shown = masked(result, snippets=snippets)
    style, script, early = style_text(), script_text(), _joined("script", EARLY)
    inline = assets is Assets.INLINE
    services, compared = service_map(shown), comparison(shown)
    text = (
        environment(_PACKAGE)
        .get_template("document.html.j2")
        .render(
            title=f"{tree_name(shown)}: {graded(shown.services)} · Assay",
            pages=_pages(has_map=services is not None, has_base=compared is not None, has_history=bool(history)),
            overview=overview(shown),
            principles=principles(shown),
            comparison=compared,
            histories=[history_view(one) for one in history],
            map=services,
            version=plain(shown.tool_version),
            edition=plain(shown.edition),
            data=Markup(embedded(shown, snippets).translate(_UNSAFE_IN_SCRIPT)),  # noqa: S704 - escaped here
            early=Markup(early),  # noqa: S704 - our own file
            style=Markup(style) if inline else None,  # noqa: S704 - our own file
            script=Markup(script) if inline else None,  # noqa: S704 - our own file
            style_file=STYLE_FILE,
            script_file=SCRIPT_FILE,
            policy=_policy(f"{source_hash(early)} {source_hash(script)}", source_hash(style))
            if inline
            else _policy("'self'", "'self'"),
        )
    )
    return text.lstrip()


def assets() -> dict[str, str]:
    """The files that a report with `Assets.FILES` has beside it, by name: the same for every report of this version."""
    return {STYLE_FILE: style_text(), SCRIPT_FILE: script_text()}


def style_text() -> str:
    """All style, in one text, without what only people need."""
    text = re.sub(r"/\*.*?\*/", "", _joined("style", STYLES), flags=re.DOTALL)
    text = re.sub(r" ?([{};,>]|: ) ?", lambda found: found[1].strip(), re.sub(r"\s+", " ", text))
    return text.replace(";}", "}").strip()


def script_text() -> str:
    """All of the script, in one text whose names nothing else sees."""
    return closed(_joined("script", (*EARLY, *SCRIPTS)))


def _policy(script: str, style: str) -> str:
    return f"default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'"


@cache
def _joined(folder: str, names: tuple[str, ...]) -> str:
    files = resources.files(_PACKAGE).joinpath(folder)
    return lean_script("".join(files.joinpath(name).read_text(encoding="utf-8") for name in names))
