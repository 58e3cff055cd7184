"""Git repositories for tests, made by git itself."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgSign=false")


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree and what one does in it."""

    root: Path

    @classmethod
    def new(cls, root: Path) -> Repository:
        root.mkdir(parents=True, exist_ok=True)
        repository = cls(root)
        repository.git("init", "--quiet", "--initial-branch=main")
        return repository

    def git(self, *arguments: str | Path) -> str:
        command = ["git", "-C", str(self.root), *_AUTHOR, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        return done.stdout.decode(errors="surrogateescape").strip()

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def commit(self) -> str:
        """Everything, as it is now."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")
