"""SEC3: sensitive data is encrypted, and sensitive acts leave an audit record."""

from __future__ import annotations

from assay.scanner.model.crypto import Act, Credential, CredentialSource, HashUse, Keeping, PasswordUse
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_STORAGE = "https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html"


@rule("SEC301", severity=Severity.CRITICAL, cwe=(256, 916), references=("CWE-916", _STORAGE))
def weak_password_storage(password: PasswordUse, service: Service) -> Verdict:
    """A login's password is kept as it was typed, or in a form from which it is soon found.

    Why: whoever gets hold of the table logs in as its users, here and wherever they use the password again; a graphics
    card tries billions of md5 or SHA-256 digests a second.
    Fix: hash with argon2id, scrypt or bcrypt, through the framework or `argon2-cffi`; hash old ones anew at the next
    login.
    """
    if password.aside is not None:
        return not_applicable(password.aside, *password.evidence)
    wrong = _wrong_keeping(password)
    if wrong is not None and password.question is not None:
        return review(password.question, *password.evidence)
    if wrong is not None:
        return fail(f"{wrong}; hash it with argon2id, scrypt or bcrypt", *password.evidence)
    if password.keeping is Keeping.UNKNOWN:
        return review("is this password hashed before it is stored?", *password.evidence)
    how = "compares it with a hash made" if password.act is Act.COMPARE else "hashes it in a way made"
    return passed(f"`{password.by}` {how} for passwords", *password.evidence)


def _wrong_keeping(password: PasswordUse) -> str | None:
    match password.keeping:
        case Keeping.PLAIN:
            act = "compares" if password.act is Act.COMPARE else "stores"
            return f"it {act} a password as it was typed"
        case Keeping.REVERSIBLE:
            return f"what `{password.by}` makes of a password can be turned back"
        case Keeping.DIGEST:
            return f"a password is guessed from its digest ({password.by}) by the billion a second"
        case Keeping.TOO_CHEAP:
            return f"{password.by} takes too little work to guess"
    return None


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
    if digest.aside is not None:
        return not_applicable(digest.aside)
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


_SECRETS = "https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html"


@rule("SEC309", severity=Severity.CRITICAL, cwe=(798,), references=("CWE-798", _SECRETS))
def hardcoded_credential(credential: Credential, service: Service) -> Verdict:
    """A password, key or token is written in the code.

    Why: whoever can read the code, or once could, is let in, and it can't be changed without a release.
    Fix: read it from the environment or a secret store, and change it: the old one stays in the history.
    """
    if credential.source is CredentialSource.OUTSIDE:
        return passed(f"`{credential.what}` comes from outside of the code")
    if credential.aside is not None:
        return not_applicable(credential.aside)
    if credential.question is not None:
        return review(credential.question)
    if credential.kind is not None:
        return fail(f"{credential.kind} is written in the code; revoke it and read the new one from a secret store")
    text = f"`{credential.what}` is written in the code ({credential.masked})"
    return fail(f"{text}; change it and read the new one from the environment or a secret store")
