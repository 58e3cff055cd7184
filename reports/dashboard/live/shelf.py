"""What was drawn, kept as long as it is asked for and there is room."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from html import unescape
from pathlib import PurePosixPath

__all__ = ["Document", "Shelf"]

_TYPES = {".html": "text/html", ".svg": "image/svg+xml", ".js": "text/javascript"}
_POLICY = re.compile('<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Document:
    """What is answered; `policy` is its content security policy, `tag` its entity tag (RFC 9110 §8.8.3)."""

    body: bytes
    media_type: str
    policy: str
    tag: str

    @classmethod
    def of(cls, address: str, text: str) -> Document:
        """What lies at the address; a page says its policy itself, which is the first thing that it says."""
        body = text.encode("utf-8", "replace")
        media_type = _TYPES[PurePosixPath(address).suffix]
        found = _POLICY.search(text) if media_type == "text/html" else None
        policy = _NOTHING if found is None else unescape(found[1])
        return cls(body, media_type, policy, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


class Shelf:
    """Documents by what they were made from; those that nobody asked for the longest go first. `limit` is in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._documents: OrderedDict[object, Document] = OrderedDict()

    def get(self, key: object) -> Document | None:
        found = self._documents.get(key)
        if found is not None:
            self._documents.move_to_end(key)
        return found

    def put(self, key: object, document: Document) -> None:
        """What is larger than the whole shelf isn't kept."""
        replaced = self._documents.pop(key, None)
        self._size += len(document.body) - (len(replaced.body) if replaced else 0)
        self._documents[key] = document
        while self._size > self._limit:
            _, oldest = self._documents.popitem(last=False)
            self._size -= len(oldest.body)
