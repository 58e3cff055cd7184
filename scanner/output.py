"""Writing results so that nothing is ever half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


class UnwritableError(Exception):
    """The file can't be written; the message is for the user."""


def check_writable(path: Path) -> None:
    """Fail before the work is done, not after it. Raises UnwritableError."""
    if path.is_dir():
        raise UnwritableError(f"{path} is a folder; name a file in it")
    folder = path.parent
    if not folder.is_dir():
        raise UnwritableError(f"{path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK):
        raise UnwritableError(f"{path}: the folder {folder} can't be written to")


def write_text(path: Path, text: str) -> None:
    """Write to a temporary name beside the file, then rename: readers see the old file or the new one, whole.

    Raises UnwritableError.
    """
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
