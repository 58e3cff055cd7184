"""Keys, tokens that are issued, and secrets that are compared, stored and sent."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.key import SecretComparison, SensitiveColumn, SigningKey, StoredKey, TokenIssue, UrlCredential


def keys(
    gathered: Gathered,
) -> Iterator[SecretComparison | SensitiveColumn | SigningKey | StoredKey | TokenIssue | UrlCredential]:
    """Keys and tokens: how they are made, signed, compared, stored and sent."""
    yield from ()
