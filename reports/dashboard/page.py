"""What all pages of the dashboard share: the frame, the style, the script, and the policy that forbids all else."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import resources

from markupsafe import Markup

from assay.reports.html.building import closed, environment, lean_script, source_hash

__all__ = ["Draw", "render"]

Draw = Callable[[], str]
"""What draws a page when it is called."""

_REPORT, _DASHBOARD = "assay.reports.html", "assay.reports.dashboard"
_STYLES = ((_REPORT, "base.css"), (_REPORT, "overview.css"), (_DASHBOARD, "dashboard.css"))
_EARLY = ((_REPORT, "early.js"),)
_SCRIPTS = ((_REPORT, "theme.js"), (_DASHBOARD, "tables.js"), (_DASHBOARD, "heat.js"))
_COMPARING = ((_DASHBOARD, "courses.js"), (_DASHBOARD, "comparison.js"), (_DASHBOARD, "compare.js"))
_CONNECT = "connect-src 'self'; "
_LIVE_STYLES = ((_DASHBOARD, "live.css"),)
_LIVE_SCRIPTS = ((_DASHBOARD, "live.js"),)
_NAVIGATION = (
    ("Portfolio", "index.html"),
    ("Heat map", "heat-map.html"),
    ("Teams", "teams.html"),
    ("Principles", "principles.html"),
    ("Rules", "rules.html"),
    ("Accepted", "accepted.html"),
    ("Changes", "changes.html"),
    ("Compare", "compare.html"),
)


def render(template: str, address: str, title: str, state: str, *, is_comparing: bool = False, **values: object) -> str:
    """A whole page. `address` is its own, relative to the dashboard's top; `values` are what its template shows. Where
    a server shows it live, `state` is what the store told, by which the page asks whether that still holds. The one
    that is for comparing loads services' histories.
    """
    is_live = bool(state)
    text = (
        environment(_DASHBOARD)
        .get_template(template)
        .render(
            title=title,
            top="../" * address.count("/"),
            navigation=_NAVIGATION,
            address=address,
            style=Markup(_style()),  # noqa: S704 - our own file
            early=Markup(_early()),  # noqa: S704 - our own file
            script=Markup(_script()),  # noqa: S704 - our own file
            policy=_policy(is_live=is_live, is_comparing=is_comparing),
            state=state,
            live_style=Markup(_live_style()) if is_live else "",  # noqa: S704 - our own file
            live_script=Markup(_live_script()) if is_live else "",  # noqa: S704 - our own file
            comparing=Markup(_comparing()) if is_comparing else "",  # noqa: S704 - our own file
            **values,
        )
    )
    return text.lstrip()


@cache
def _policy(*, is_live: bool, is_comparing: bool = False) -> str:
    """The pages' content security policy: nothing but their own script and style, and no network. A live page may ask
    the server that it came from, and the script that compares may load others (CSP Level 3 §8.2): nobody else may, and
    no file that it doesn't name is run, whatever lies beside the page.
    """
    scripts, styles = [_early(), _script()], [_style()]
    if is_live:
        scripts.append(_live_script())
        styles.append(_live_style())
    if is_comparing:
        scripts.append(_comparing())
    trusted = [*(["'strict-dynamic'"] if is_comparing else []), *map(source_hash, scripts)]
    return (
        f"default-src 'none'; script-src {' '.join(trusted)}; style-src {' '.join(map(source_hash, styles))}; "
        f"{_CONNECT if is_live else ''}base-uri 'none'; form-action 'none'"
    )


@cache
def _style() -> str:
    return _lean(_joined("style", _STYLES))


@cache
def _live_style() -> str:
    return _lean(_joined("style", _LIVE_STYLES))


def _lean(style: str) -> str:
    text = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text).strip()


@cache
def _early() -> str:
    return _joined("script", _EARLY)


@cache
def _script() -> str:
    return closed(_joined("script", _SCRIPTS))


@cache
def _comparing() -> str:
    return closed(_joined("script", _COMPARING))


@cache
def _live_script() -> str:
    return closed(_joined("script", _LIVE_SCRIPTS))


def _joined(folder: str, files: tuple[tuple[str, str], ...]) -> str:
    texts = (resources.files(package).joinpath(folder, name).read_text(encoding="utf-8") for package, name in files)
    return "".join(map(lean_script, texts))
