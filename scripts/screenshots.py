"""Draws the pictures of README.md and docs/: a report and a dashboard of made-up services, in Chromium.

`python scripts/screenshots.py` writes docs/images. The services are the samples of fixtures/backends in stages between
unsound and sound, each stage a commit. `--all FOLDER` draws every page there, wide and narrow, light and dark, to look
at before a release.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import click
from playwright.sync_api import ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
BACKENDS = ROOT / "fixtures" / "backends"
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
TODAY = datetime(2026, 11, 27, 9, tzinfo=UTC)
STAGES, DAYS_APART = 6, 7
SIZES = {"desktop": ViewportSize(width=1280, height=860), "phone": ViewportSize(width=390, height=844)}
SHOWN = (
    ("report", "desktop", "light"),
    ("report", "phone", "dark"),
    ("dashboard", "desktop", "light"),
    ("dashboard", "phone", "light"),
    ("heat-map", "desktop", "dark"),
)
"""The pictures of the documents: page, width and colours."""


@dataclass(frozen=True, slots=True)
class Service:
    """`first` and `last` are shares of its files that are sound, 0 to 1, in its first and its last stage."""

    name: str
    sample: str
    team: str
    first: float
    last: float
    weeks_ago: int = 0

    def share(self, stage: int) -> float:
        return self.first + (self.last - self.first) * stage / (STAGES - 1)


SERVICES = (
    Service("orders", "fastapi", "@acme/shop", 0.2, 0.7),
    Service("catalog", "fastapi", "@acme/shop", 0.7, 1.0),
    Service("notes", "flask", "@acme/content", 0.5, 0.9),
    Service("comments", "flask", "@acme/content", 0.8, 0.5),
    Service("planning", "django", "@acme/office", 0.1, 0.6),
    Service("archive", "django", "@acme/office", 0.4, 0.5, weeks_ago=7),
)


@click.command()
@click.option("--all", "everything", type=click.Path(path_type=Path), help="A folder for pictures of all pages.")
def main(everything: Path | None) -> None:
    """Write docs/images, or pictures of all pages."""
    with tempfile.TemporaryDirectory(prefix="assay-screenshots-") as temporary:
        work = Path(temporary)
        for service in SERVICES:
            keep_history(service, work)
        site = work / "site"
        assay("dashboard", "build", "--store", work / "store.db", "-o", site, "--today", f"{TODAY:%Y-%m-%d}")
        pages = dict(addresses(work / f"orders-{STAGES - 1}.html", site))
        if everything is None:
            draw(pages, SHOWN, IMAGES)
        else:
            draw(pages, product(pages, SIZES, ("light", "dark")), everything)


def draw(pages: Mapping[str, str], pictures: Iterable[tuple[str, str, str]], folder: Path) -> None:
    """Each picture's page, size and colours, into a file of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for page, size, colours in pictures:
            shown = browser.new_page(viewport=SIZES[size], reduced_motion="reduce")
            shown.emulate_media(color_scheme="dark" if colours == "dark" else "light")
            shown.goto(pages[page])
            shown.screenshot(path=folder / f"{page}-{size}-{colours}.png")
            shown.close()
        browser.close()


def addresses(report: Path, site: Path) -> Iterator[tuple[str, str]]:
    """What there is to be seen, by the picture's name."""
    yield "report", report.as_uri()
    for name in ("principles", "findings", "review", "subjects", "map", "coverage", "about", "p/SEC1", "rules/SEC101"):
        yield f"report-{name.replace('/', '-')}", f"{report.as_uri()}#/{name}"
    yield "dashboard", (site / "index.html").as_uri()
    for name in ("heat-map", "teams", "principles", "rules", "accepted", "changes", "compare"):
        yield name, (site / f"{name}.html").as_uri()


def keep_history(service: Service, work: Path) -> None:
    """A repository with a commit a stage, each scanned and kept."""
    folder = work / service.name
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "remote", "add", "origin", f"https://github.com/acme/{service.name}.git")
    for stage in range(STAGES):
        day = TODAY - timedelta(days=DAYS_APART * (STAGES - 1 - stage), weeks=service.weeks_ago)
        write_stage(service, stage, folder)
        git(folder, "add", "-A", day=day)
        git(folder, "commit", "-q", "-m", f"Stage {stage}", "--allow-empty", day=day)
        scanned = work / f"{service.name}-{stage}.json"
        reports = ["--report", f"json={scanned}", "--report", f"html={scanned.with_suffix('.html')}"]
        assay("scan", folder, "--no-analyzers", "--format", "concise", "--cache-dir", work / "cache", *reports)
        assay("history", "add", scanned, "--store", work / "store.db", *origin(service, day))


def origin(service: Service, day: datetime) -> list[str]:
    """Whose scan it was, and when, for `assay history add`."""
    return ["--repository", f"acme/{service.name}", "--branch", "main", "--stored-at", day.isoformat()]


def write_stage(service: Service, stage: int, folder: Path) -> None:
    """Of each file the sound or the unsound version, by the file's place in an order that looks like chance."""
    sound, unsound = (BACKENDS / f"{service.sample}_{kind}" for kind in ("sound", "unsound"))
    for old in folder.iterdir():
        if old.name != ".git":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    paths = {file.relative_to(tree) for tree in (sound, unsound) for file in tree.rglob("*") if file.is_file()}
    ordered = sorted(paths, key=lambda path: hashlib.sha256(f"{service.name}/{path}".encode()).digest())
    for place, path in enumerate(ordered):
        tree = sound if place < service.share(stage) * len(ordered) else unsound
        if (tree / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tree / path, folder / path)
    (folder / "CODEOWNERS").write_text(f"* {service.team}\n", encoding="utf-8")


def git(folder: Path, *arguments: str, day: datetime = TODAY) -> None:
    """Run git in the folder, as somebody on that day."""
    when = {"GIT_AUTHOR_DATE": day.isoformat(), "GIT_COMMITTER_DATE": day.isoformat()}
    who = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@acme.example"}
    who |= {"GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@acme.example"}
    subprocess.run(["git", "-C", folder, *arguments], check=True, env=os.environ | when | who)


def assay(*arguments: str | Path) -> None:
    """Run this Assay."""
    subprocess.run([sys.executable, "-m", "assay.scanner", *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
