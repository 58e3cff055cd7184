"""Running `assay` as people do: a process of its own, with what it wrote and how it ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.scanner.base.environment import VARIABLES

ASSAY = (sys.executable, "-m", "assay.scanner")
TIMEOUT = 60.0

APP = """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health():
    return {"status": "ok"}
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `code` is the exit code as a shell shows it."""

    code: int
    out: str
    err: str


def run_assay(
    *arguments: str | Path, cwd: Path, environment: dict[str, str] | None = None, without_powers: bool = False
) -> Ended:
    """Run it to the end, off a terminal. `without_powers`: the rights of files bind even root."""
    command = [*(_powerless() if without_powers else ()), *ASSAY, *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=cwd,
        env=_environment(environment),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in ended.err + ended.out, ended.err
    return ended


def start(*arguments: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start it in a process group of its own, so that a signal reaches it as from a terminal."""
    return subprocess.Popen(
        [*ASSAY, *map(str, arguments)],
        cwd=cwd,
        env=_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # What runs the tests in the background may have told them to ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """What Ctrl-C does: SIGINT to the whole group."""
    os.killpg(process.pid, signal.SIGINT)


def backend(folder: Path, **files: str | bytes) -> Path:
    """A small backend, with more Python files by name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.py").write_text(APP, encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.py").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def listing(folder: Path) -> set[str]:
    """Everything below a folder, to see that nothing was left there."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _environment(more: dict[str, str] | None) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("ASSAY_STORE", "COLUMNS", "FORCE_COLOR", "NO_COLOR") and name not in VARIABLES
    }
    return kept | {"PYTHONUTF8": "1"} | (more or {})


def _powerless() -> tuple[str, ...]:
    """Root may read and write everything by two capabilities (capabilities(7)); without them it is as any user."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("as root, this takes util-linux's setpriv")
    dropped = "-dac_override,-dac_read_search"
    return (setpriv, f"--bounding-set={dropped}", f"--inh-caps={dropped}")
