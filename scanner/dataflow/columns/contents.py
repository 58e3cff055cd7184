"""What a column holds that somebody could be harmed with, told by the words of its name and of its table's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.dataflow.lexicon import words
from assay.scanner.model.table import Column, Table


class Certainty(Enum):
    """How much a name tells."""

    CERTAIN = auto()
    ELSEWHERE = auto()
    """It is what the name says where the table is about an account at another service."""
    DOUBTFUL = auto()
    """It may be something harmless."""


@dataclass(frozen=True, slots=True)
class Contents:
    """`described` says in words what is in the column, with its article."""

    described: str
    certainty: Certainty
    may_be_number: bool = False
    may_be_own: bool = False
    """Whether a service may have made it up itself, and gives it to its own clients."""
    is_long: bool = False
    """Whether it has more digits than an ordinary integer holds."""


def _phrases(
    described: str,
    certainty: Certainty,
    names: str,
    *,
    may_be_number: bool = False,
    may_be_own: bool = False,
    is_long: bool = False,
) -> dict[str, Contents]:
    contents = Contents(described, certainty, may_be_number, may_be_own, is_long)
    return dict.fromkeys(names.split(), contents)


_MEANINGS: Mapping[str, Contents] = {
    **_phrases(
        "a national identity number",
        Certainty.CERTAIN,
        """ssn social_security social_security_number social_security_no national_id_number national_identity_number
        national_id national_insurance_number national_insurance_no social_insurance_number passport_number
        passport_no passport drivers_license driver_license drivers_license_number
        driver_license_number driving_licence_number id_card_number identity_card_number cpf aadhaar aadhaar_number
        pesel tax_identification_number""",
        may_be_number=True,
    ),
    **_phrases(
        "a payment card's number",
        Certainty.CERTAIN,
        """credit_card credit_card_number creditcard creditcard_number card_number card_no card_num cc_number ccn
        debit_card_number payment_card_number""",
        may_be_number=True,
        is_long=True,
    ),
    **_phrases(
        "a payment card's security code",
        Certainty.CERTAIN,
        "cvv cvc cvv2 card_cvv card_cvc card_security_code",
        may_be_number=True,
    ),
    **_phrases(
        "a bank account",
        Certainty.CERTAIN,
        "iban iban_number bank_account bank_account_number bank_account_no",
        may_be_number=True,
    ),
    **_phrases(
        "a private key", Certainty.CERTAIN, "private_key rsa_private_key ssh_private_key signing_private_key privkey"
    ),
    **_phrases(
        "the secret of a second factor",
        Certainty.CERTAIN,
        """otp_secret totp_secret mfa_secret two_factor_secret twofactor_secret tfa_secret totp_seed otp_seed
        otp_secret_key totp_key otp_key two_fa_secret""",
    ),
    **_phrases(
        "a secret for another service",
        Certainty.CERTAIN,
        """client_secret oauth_client_secret api_secret secret_access_key aws_secret_access_key consumer_secret
        app_secret smtp_password imap_password ftp_password sftp_password ldap_password bind_password ssh_password
        proxy_password db_password database_password mail_password email_host_password smtp_pass imap_pass ftp_pass
        db_pass oauth_token oauth_token_secret
        oauth_refresh_token oauth_access_token github_token gitlab_token slack_token google_token facebook_token
        twitter_token stripe_secret stripe_secret_key plaid_access_token bot_token""",
        may_be_own=True,
    ),
    **_phrases(
        "a token for another service", Certainty.ELSEWHERE, "access_token refresh_token token_data", may_be_own=True
    ),
    **_phrases(
        "what a doctor would write down",
        Certainty.DOUBTFUL,
        "diagnosis medical_history medical_record health_record hiv_status medical_condition medical_conditions",
    ),
    **_phrases(
        "a secret",
        Certainty.DOUBTFUL,
        "webhook_secret shared_secret hmac_secret signing_secret secret_key passphrase",
        may_be_own=True,
    ),
}
_PROTECTED = Contents("what the code itself counts among secrets", Certainty.CERTAIN)
ENCRYPTING = frozenset(
    """encrypt encrypts encrypted encryption encryptor fernet seal sealed kms cipher pgp vault tokenize hash hashed hmac
    digest hexdigest hashpw crypto encipher""".split()
)
"""Words of functions, methods and types that leave nothing to read."""
_LONGEST = 5
_ELSEWHERE = frozenset(
    """oauth oauth2 oidc provider social integration integrations connection connector external third connected linked
    github gitlab slack google facebook twitter microsoft azure stripe plaid spotify strava dropbox discord notion jira
    zoom salesforce hubspot shopify""".split()
)
"""Words of tables and columns about accounts at other services."""
_OWN_SERVER = frozenset({"grant", "application", "authorization", "client", "code"})
"""Words of tables of a service that gives out tokens itself."""
_CLIENTS = (("client",), ("application",))
_ABOUT = frozenset(
    """credit_card debit_card payment_card smtp imap ftp sftp ldap proxy db database mail ssh aws stripe""".split()
)
"""What tables are about whose columns need no more than `number`, `password`."""
_HOLDERS = frozenset(
    {"settings", "setting", "config", "configuration", "server", "account", "credential", "credentials"}
)
_WRITTEN = frozenset(
    {"value", "text", "str", "string", "plain", "raw", "data", "json", "pem", "encrypted", "enc", "cipher"}
)


def contents_of(table: Table, column: Column) -> Contents | None:
    """None for what may be read by anybody, as far as names tell."""
    named = words(column.name)
    if is_encrypted_type(column.type):
        return _PROTECTED
    while len(named) > 1 and named[-1] in _WRITTEN and "_".join(named) not in _MEANINGS:
        named = named[:-1]
    if named and named[0] in ("encrypted", "enc"):
        named = named[1:]
    for start in range(max(0, len(named) - _LONGEST), len(named)):
        found = _MEANINGS.get("_".join(named[start:]))
        if found is not None and (found.certainty is not Certainty.ELSEWHERE or _ELSEWHERE.issuperset(named[:start])):
            return found
    return _by_table(table, named)


def _by_table(table: Table, named: tuple[str, ...]) -> Contents | None:
    """Of a column whose table says what it is about: `CreditCard.number`, `SmtpSettings.password`."""
    about = words(table.model)
    while len(about) > 1 and about[-1] in _HOLDERS and "_".join((*about, *named)) not in _MEANINGS:
        about = about[:-1]
    return _MEANINGS.get("_".join((*about, *named))) if "_".join(about) in _ABOUT else None


def is_encrypted_type(name: str) -> bool:
    """`StringEncryptedType`, `EncryptedCharField`."""
    return not ENCRYPTING.isdisjoint(words(name))


def is_given_out(table: Table, column: Column) -> bool:
    """Whether it may be the secret of one of the service's own clients, which it gave them."""
    is_secret = words(column.name) == ("client", "secret")
    return is_secret and not _OWN_SERVER.isdisjoint({*words(table.model)[-1:]})


def is_about_another_service(table: Table) -> bool:
    """Whether the rows are accounts at other services, and not what this one gives out to its own clients."""
    of_table = {*words(table.model), *words(table.name)}
    has_secret = any(words(c.name)[-2:] == ("client", "secret") for c in table.columns)
    has_clients = any(
        words(c.name)[:1] in _CLIENTS and (c.fk_to is not None or (words(c.name)[1:] == ("id",) and not has_secret))
        for c in table.columns
    )
    if has_clients or not _OWN_SERVER.isdisjoint(of_table):
        return False
    return not _ELSEWHERE.isdisjoint(of_table | {word for column in table.columns for word in words(column.name)})
