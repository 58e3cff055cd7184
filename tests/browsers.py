"""The system's Chromium for tests of what is shown in a browser, and what every page must stand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
in_a_browser = pytest.mark.skipif(
    not CHROMIUM.exists() and not os.environ.get("CI"), reason="the system's Chromium is not installed"
)
"""Marks a test that needs it; in CI it is never skipped."""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """For pytest-playwright: its browser is the system's."""
    return {"executable_path": str(CHROMIUM), "args": _ARGUMENTS}


@pytest.fixture(scope="session")
def base_url() -> None:
    """There is no server. (The plugin's own fixture of that name warns under pytest 9.)"""


@contextmanager
def watched(page: Page, origin: str = "file:") -> Iterator[Page]:
    """Afterwards: no dialog was opened, no error was told, and nobody but the origin, which is that of files, was asked
    for anything.
    """
    strangers: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(origin) else strangers.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    yield page
    assert complaints == []
    assert strangers == []


def violations(page: Page) -> list[str]:
    """What axe-core has to say against the page, as it is now: WCAG 2.2 A and AA, and good practice."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {violation['help']}: {node['target']} {node['html'][:120]}"
        for violation in found
        for node in violation["nodes"]
    ]


def is_wider_than_screen(page: Page) -> bool:
    """Whether it has to be scrolled sideways (WCAG 2.2 §1.4.10)."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth"))
