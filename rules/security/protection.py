"""SEC3: sensitive data is encrypted, and sensitive acts leave an audit record."""

from __future__ import annotations

from assay.scanner.model.crypto import Act, Credential, CredentialSource, HashUse, Keeping, PasswordUse
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.key import ColumnKeeping, SensitiveColumn
from assay.scanner.model.service import Service
from assay.scanner.model.transport import Place, Transport
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


@rule(
    "SEC302",
    severity=Severity.HIGH,
    cwe=(311, 312),
    references=(
        "OWASP A02:2021",
        "https://cheatsheetseries.owasp.org/cheatsheets/Cryptographic_Storage_Cheat_Sheet.html",
    ),
)
def plaintext_sensitive_column(column: SensitiveColumn, service: Service) -> Verdict:
    """Data that harms whom it is about, or opens another service, lies readable in the database.

    Why: a backup, a replica, an injected query or a curious colleague shows all of it, and nothing takes it back.
    Fix: encrypt the column with a key from outside the database (`StringEncryptedType`, `EncryptedTextField`, a KMS),
    or store only what is needed: the last four digits, a provider's reference.
    """
    if column.aside is not None:
        return not_applicable(column.aside, *column.evidence)
    if column.keeping is ColumnKeeping.PLAIN and column.is_certain:
        said = f"{column.subject_id} holds {column.holds} as plain text"
        return fail(f"{said}; encrypt it with a key from outside the database", *column.evidence)
    if column.keeping is not ColumnKeeping.ENCRYPTED:
        return review(f"{column.subject_id} seems to hold {column.holds}: is it encrypted?", *column.evidence)
    return passed(f"{column.holds} is stored so that nobody can read it", *column.evidence)


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


@rule(
    "SEC308",
    severity=Severity.MEDIUM,
    cwe=(319, 523),
    references=(
        "OWASP A02:2021 Cryptographic Failures",
        "https://cheatsheetseries.owasp.org/cheatsheets/Transport_Layer_Security_Cheat_Sheet.html",
    ),
)
def plaintext_transport(transport: Transport, service: Service) -> Verdict:
    """Credentials cross the network without encryption.

    Why: every machine on the way can read them, and change what is said.
    Fix: use the protocol's TLS form: `https://`, `SMTP_SSL` or `starttls()`, `FTP_TLS`, `ldaps://`.
    """
    if transport.place is Place.LOCAL:
        return not_applicable("it stays on the same machine")
    if transport.encrypted.is_safe:
        unless = ", unless it is configured otherwise" if transport.encrypted.is_default else ""
        return passed(f"it is encrypted{unless}", *transport.encrypted.evidence)
    if transport.place is Place.NEAR:
        return not_applicable("it stays in the same network")
    proof = (*transport.encrypted.evidence, *transport.carries)
    if transport.encrypted.is_safe is None and transport.carries:
        return review(f"is {transport.protocol} encrypted where this is deployed?", *proof)
    is_far = transport.place is Place.WORLD
    if transport.carries and (is_far or transport.protocol != "HTTP"):
        return fail(f"credentials go over {transport.protocol} in the clear; use TLS", *proof)
    if transport.carries:
        return review("do these credentials leave the own network by plain http?", *proof)
    if is_far:
        return review("may somebody on the way read and change what is said here? It isn't encrypted", *proof)
    return not_applicable("no credentials are seen to go over it")


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


@rule(
    "SEC306",
    severity=Severity.HIGH,
    cwe=(778, 223),
    references=(
        "OWASP A09:2021",
        "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#which-events-to-log",
    ),
)
def sensitive_operation_without_audit(endpoint: Endpoint, service: Service) -> Verdict:
    """Something sensitive is done, and no record says who did it.

    Why: after a stolen account or a quarrel nobody can tell who signed in, handed out rights or moved money, and when.
    Fix: write an audit record of who did what to whom, when and from where, with what result; not only a log line.
    """
    act = endpoint.act
    if act is None:
        return not_applicable("it does nothing that has to be on record")
    if act.records:
        return passed("an audit record is written", *act.records)
    if act.captures:
        return passed("changes are put on record by themselves", *act.captures)
    if act.logs:
        return review(f"{endpoint.label}: {act.what}; does this log keep who did it, safe from change?", *act.logs)
    return fail(f"{endpoint.label}: {act.what}, and nothing records who did; write an audit record", *act.evidence)
