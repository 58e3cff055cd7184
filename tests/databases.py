"""A PostgreSQL server for the tests that need one: started when first asked for, gone when they are over."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from pytest_postgresql.janitor import DatabaseJanitor

_USER = "assay"
_SETTINGS = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"""No network, and no care for a power cut."""
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; its socket is in the folder."""

    folder: Path

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database."""
        name = f"history{next(_NUMBERS)}"
        with DatabaseJanitor(user=_USER, host=str(self.folder), port=5432, dbname=name):
            yield f"postgresql://{_USER}@/{name}?host={self.folder}"


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """Skips the test where there is no PostgreSQL, or nobody whom it would serve: it refuses root."""
    programs = _programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL server on this machine (scripts/setup.sh installs one)")
    # Not below pytest's own folder, which nobody else may enter. A socket's path may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="assay-pg-"))
    try:
        user = _somebody(folder)
        data = folder / "data"
        _run(
            *user, programs / "initdb", "-A", "trust", "-U", _USER, "--no-sync", "-E", "UTF8", "--locale=C", "-D", data
        )
        log, settings = folder / "log", f"{_SETTINGS} -c unix_socket_directories={folder}"
        _run(*user, programs / "pg_ctl", "-D", data, "-l", log, "-o", settings, "-w", "start")
        try:
            yield Server(folder)
        finally:
            _run(*user, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Debian keeps them off the path, by version."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    by_version = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return by_version[-1].parent if by_version else None


def _somebody(folder: Path) -> tuple[str, ...]:
    """What a command begins with so that it isn't run by root; the folder is given to whoever runs it."""
    if os.geteuid() != 0:
        return ()
    runuser = shutil.which("runuser")
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    if runuser is None:
        pytest.skip("as root, this takes util-linux's runuser")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return (runuser, "-u", user.pw_name, "--")


def _run(*command: str | Path) -> None:
    # pg_ctl's server keeps what it inherits open, so nothing that would be waited for is handed to it.
    done = subprocess.run(
        list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd="/", timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command} ends with {done.returncode}"
