"""SEC3: sensitive data is encrypted, and sensitive acts leave an audit record."""

from __future__ import annotations

from assay.scanner.model.crypto import HashUse
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, passed, review


@rule("SEC304", severity=Severity.MEDIUM, cwe=(327, 328), references=("CWE-328", "RFC 6151", "RFC 6194"))
def weak_hash_for_security(digest: HashUse, service: Service) -> Verdict:
    """Security hangs on a digest for which two texts of one digest can be made.

    Why: whoever makes two such texts gets one of them signed or approved, and shows the other.
    Fix: use SHA-256 or better; where the digest only tells one thing from another, say `usedforsecurity=False`.
    """
    if digest.algorithm is None:
        return review("which algorithm is this? its name can't be told from the code")
    if not digest.is_weak:
        return passed(f"nobody finds two texts of one {digest.algorithm} digest")
    if digest.declared is not None:
        return passed("the code says that security doesn't hang on it", digest.declared)
    if digest.keyed is not None:
        return review(f"does the other side demand {digest.keyed} with {digest.algorithm}? take SHA-256 if not")
    if digest.protects and not digest.identifies:
        return fail(f"security hangs on this {digest.algorithm} digest; use SHA-256 or better", *digest.protects[:2])
    if digest.identifies and not digest.protects:
        return passed("it only tells one thing from another", *digest.identifies[:1])
    question = f"does security hang on this {digest.algorithm} digest?"
    return review(question, *digest.protects[:1], *digest.identifies[:1])
