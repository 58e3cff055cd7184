"""Keys, tokens that are issued, and secrets that are compared, stored and sent."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.keys.comparisons import Comparisons
from assay.scanner.dataflow.keys.secret_settings import secret_settings
from assay.scanner.dataflow.keys.sent import SentValues
from assay.scanner.dataflow.keys.signing_keys import SigningKeys
from assay.scanner.dataflow.keys.stored_keys import StoredKeys
from assay.scanner.dataflow.keys.token_issues import TokenIssues
from assay.scanner.dataflow.keys.url_credentials import UrlCredentials
from assay.scanner.gathered import Gathered
from assay.scanner.model.key import SecretComparison, SensitiveColumn, SigningKey, StoredKey, TokenIssue, UrlCredential
from assay.scanner.model.secret_setting import SecretSetting


def keys(
    gathered: Gathered,
) -> Iterator[SecretComparison | SecretSetting | SensitiveColumn | SigningKey | StoredKey | TokenIssue | UrlCredential]:
    """Keys and tokens: how they are made, signed, compared, stored and sent."""
    signing = list(SigningKeys(gathered).all())
    yield from signing
    yield from secret_settings(gathered, signing)
    yield from TokenIssues(gathered).all()
    sent = SentValues(gathered.project, [route for route, _ in gathered.endpoints])
    yield from Comparisons(gathered, sent).all()
    yield from StoredKeys(gathered, sent).all()
    yield from UrlCredentials(gathered).all()
