"""Writing results so that nothing is ever half-written."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


class UnwritableError(Exception):
    """The file can't be written; the message is for the user."""


def check_writable(path: Path) -> None:
    """Fail before the work is done, not after it. Raises UnwritableError."""
    if _is_stream(path):
        if not os.access(path, os.W_OK):
            raise UnwritableError(f"{path} can't be written to")
        return
    if path.is_dir():
        raise UnwritableError(f"{path} is a folder; name a file in it")
    folder = path.parent
    if not folder.is_dir():
        raise UnwritableError(f"{path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK):
        raise UnwritableError(f"{path}: the folder {folder} can't be written to")


def write_text(path: Path, text: str) -> None:
    """Write to a temporary name beside the file, then rename: readers see the old file or the new one, whole.

    What is no file but a stream, such as `/dev/stdout` or a pipe, is written to as it is. Raises UnwritableError.
    """
    if _is_stream(path):
        _stream(path, text)
        return
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UnwritableError(f"{path}: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UnwritableError(f"{path}: {error.strerror or error}") from error
        raise


def _is_stream(path: Path) -> bool:
    """A pipe, and what lies among the devices. A link elsewhere is none: a stranger may have made it."""
    place = path.absolute()
    if place.is_relative_to("/dev") and not place.is_relative_to("/dev/shm"):  # noqa: S108 - memory, with files as usual
        return path.exists()
    try:
        return stat.S_ISFIFO(path.lstat().st_mode)
    except OSError:
        return False


def _stream(path: Path, text: str) -> None:
    try:
        with path.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UnwritableError(f"{path}: {error.strerror or error}") from error
