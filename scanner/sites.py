"""A folder with a static site: what changed is written, what is gone is removed, a stranger's is left alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from assay.scanner.output import UnwritableError, write_text

__all__ = ["MARKER", "Site"]

MARKER = ".assay-dashboard.json"
"""Makes a folder one of ours, and says which files in it are, from what each was made, and what it was then."""
_VERSION = 1


@dataclass(slots=True)
class Site:
    """Pages are put, then the site is closed; `written` and `removed` count files."""

    folder: Path
    _known: dict[str, tuple[str, str]]
    _put: dict[str, tuple[str, str]] = field(default_factory=dict)
    written: int = 0
    removed: int = 0

    @classmethod
    def at(cls, folder: Path) -> Site:
        """Made where there is none. Raises UnwritableError where it is no folder, or holds what isn't ours."""
        marker = folder / MARKER
        try:
            if folder.exists() and not folder.is_dir():
                raise UnwritableError(f"{folder} is a file; name a folder")
            if not marker.is_file() and folder.is_dir() and any(folder.iterdir()):
                raise UnwritableError(
                    f"{folder} holds other files, and no dashboard; name an empty folder, or one that isn't there"
                )
            known = _read(marker) if marker.is_file() else {}
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableError(f"{folder}: {error.strerror or error}") from error
        site = cls(folder, known)
        if not marker.is_file():
            # First of all, so that a build that was interrupted can be taken up.
            site._write_marker()
        return site

    def is_current(self, address: str, origin: str) -> bool:
        """Whether the file is there as it was made from `origin`; if so it is kept."""
        known_origin, digest = self._known.get(address, ("", ""))
        data = self._bytes(address) if known_origin == origin else None
        if data is None or _digest(data) != digest:
            return False
        self._put[address] = known_origin, digest
        return True

    def put(self, address: str, text: str, origin: str = "") -> None:
        """Write the file if it isn't there with this very text. Raises UnwritableError."""
        data = text.encode(errors="surrogatepass")
        self._put[address] = origin, _digest(data)
        if self._bytes(address) == data:
            return
        path = self.folder / address
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableError(f"{path.parent}: {error.strerror or error}") from error
        write_text(path, text)
        self.written += 1

    def close(self) -> None:
        """Remove the files of ours that nobody put this time. Raises UnwritableError."""
        for address in sorted(self._known.keys() - self._put.keys()):
            path = self.folder / address
            try:
                if path.is_file():
                    path.unlink()
                    self.removed += 1
                if path.parent != self.folder and path.parent.is_dir() and not any(path.parent.iterdir()):
                    path.parent.rmdir()
            except OSError as error:
                raise UnwritableError(f"{path}: {error.strerror or error}") from error
        self._write_marker()

    def _bytes(self, address: str) -> bytes | None:
        try:
            return (self.folder / address).read_bytes()
        except OSError:
            return None

    def _write_marker(self) -> None:
        files = {address: list(kept) for address, kept in sorted(self._put.items())}
        text = json.dumps({"version": _VERSION, "files": files}, indent=0) + "\n"
        if self._bytes(MARKER) != text.encode():
            write_text(self.folder / MARKER, text)


def _read(marker: Path) -> dict[str, tuple[str, str]]:
    """The files that it names. It may be damaged or a stranger's: no file outside of the folder is ever ours."""
    try:
        loaded = json.loads(marker.read_bytes())
        files = {str(address): (str(origin), str(digest)) for address, (origin, digest) in loaded["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnwritableError(f"{marker} is damaged; remove the folder, and build it again") from error
    return {address: kept for address, kept in files.items() if _is_inside(address)}


def _is_inside(address: str) -> bool:
    parts = address.split("/")
    return len(parts) <= 2 and all(part not in ("", ".", "..") and "\\" not in part for part in parts)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
