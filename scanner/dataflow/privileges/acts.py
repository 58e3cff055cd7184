"""Which endpoints do what has to be on record: sign-ins, passwords, rights, keys, money."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.route_names import said_by_handler, static_segments
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.privileges.reasons import change_for_few
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.privilege import SensitiveAct

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})
_SIGNING_IN = "it signs somebody in"
_OF_KEYS = "it issues or revokes a key"
_REGISTERING = frozenset("sign_up signup register registration magic_sign_up create_account setup".split())
_ACTS = {
    _SIGNING_IN: """login log_in logon signin sign_in authenticate access_token login_access_token auth_token
        obtain_token token_obtain token_obtain_pair obtain_auth_token user_login login_user api_login
        login_for_access_token""",
    "it changes or resets a password": """change_password password_change reset_password password_reset set_password
        update_password password_update new_password set_new_password reset_password_confirm password_reset_confirm
        update_password_me change_my_password admin_reset_password password me_password my_password account_password
        user_password update_my_password""",
    "it changes a second factor": """enable_mfa disable_mfa enable_2fa disable_2fa mfa_setup setup_mfa mfa_disable
        mfa_enable two_factor_setup two_factor_disable totp_setup totp_disable reset_mfa reset_2fa""",
    "it lets somebody act as another person": "impersonate impersonation stop_impersonating hijack login_as",
    "it moves money": """withdraw withdrawal withdrawals payout payouts refund refunds transfer_money
        transfer_funds money_transfer fund_transfer bank_transfer make_transfer payments_transfer accounts_transfer
        wallet_transfer wallets_transfer send_money""",
    _OF_KEYS: """api_key api_keys apikey apikeys api_token api_tokens personal_access_tokens
        access_keys create_api_key delete_api_key revoke_api_key regenerate_api_key create_token revoke_token""",
}  # fmt: skip
_EVENTS = (("event",), ("events",), ("activity",), ("history",), ("log",), ("journal",))
_MEANING = {word: what for what, several in _ACTS.items() for word in several.split()}


def sensitive_act(endpoint: Endpoint, *, checks_password: bool = False) -> SensitiveAct | None:
    """What the endpoint does that has to be on record; None where it does no such thing.

    `checks_password` says that its handler does, which signs somebody in where nobody has to be signed in before.
    """
    if endpoint.method not in _CHANGING:
        return None
    changes = [e for e in endpoint.effects if e.kind is not EffectKind.AUDIT and e.excuse is None]
    said = list(_said(endpoint))
    if not _REGISTERING.isdisjoint(said):
        return None
    what = next((_MEANING[word] for word in said if word in _MEANING), None)
    if what == _OF_KEYS and endpoint.method not in ("POST", "DELETE"):
        return None
    login = next((e for e in changes if e.kind is EffectKind.SESSION and e.action == "login" and not e.doubt), None)
    change = login
    if what is None and (login is not None or (checks_password and not endpoint.auth)):
        what = _SIGNING_IN
    elif what is None:
        reason = change_for_few(endpoint)
        what, change = (reason.what, reason.change) if reason is not None else (None, None)
    if what is None or (what != _SIGNING_IN and not changes):
        return None
    records = [e.evidence for e in endpoint.effects if e.kind is EffectKind.AUDIT or _adds_event(e)]
    proof = change.steps if change is not None else ()
    return SensitiveAct(what, proof, tuple(records[:3]), what == _SIGNING_IN)


def _adds_event(effect: Effect) -> bool:
    """Whether a row is added that says, beside such an act, that it happened: `Event(action="deleted", ...)`."""
    return effect.kind is EffectKind.WRITE and effect.action == "create" and words(effect.target)[-1:] in _EVENTS


def _said(endpoint: Endpoint) -> Iterator[str]:
    """The handler's names, and what the path ends with: `reset`, `password_reset`."""
    yield from said_by_handler(endpoint.handler)
    static = static_segments(endpoint.path)
    yield from static[-1:]
    if len(static) > 1 and static[-2] not in ("api", "auth"):
        yield "_".join(static[-2:])
