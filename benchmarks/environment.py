"""The tools that Assay is compared with, in an environment of their own: their dependencies clash with others."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
_FOLDER = BUILD / "venv"
_STAMP = _FOLDER / "installed"


class UnavailableError(Exception):
    """The tools can't be installed; the message is for the user."""


def tool(name: str) -> Path | None:
    """The program, if it is there."""
    path = _FOLDER / "bin" / name
    return path if path.is_file() else None


def install() -> None:
    """Make the environment, unless it holds what `pyproject.toml` asks for. Raises UnavailableError."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted: list[str] = project["optional-dependencies"]["bench"]
    if _STAMP.is_file() and _STAMP.read_text(encoding="utf-8") == "\n".join(wanted):
        return
    python = _FOLDER / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(_FOLDER)],
        [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *wanted],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
            raise UnavailableError(f"{', '.join(wanted)} can't be installed into {_FOLDER}: {reason[0]}")
    _STAMP.write_text("\n".join(wanted), encoding="utf-8")
