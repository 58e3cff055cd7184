"""Lacks: what a condition says is missing of a caller: an identity, a password, an open account, a right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.refusals.credentials import names_credentials
from assay.scanner.dataflow.responses.callers import (
    JARS,
    Callers,
    callers_in,
    compared_password,
    is_caller,
    is_password_check,
    is_read_from_jar,
    is_sent,
    is_set_apart,
    is_sign_in,
    reads_token,
    says_who,
)
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.answer import Lack
from assay.scanner.readers.python import form

_RIGHTS = frozenset(
    "admin admins superuser superadmin staff role roles permission permissions perms scope scopes privileges".split()
)
_FLAGS = frozenset({"admin", "superuser", "superadmin", "staff"})
"""Rights by whose bare name an attribute says that a caller has them."""
_ASKING = ("is_", "has_", "can_", "may_")
_ASKING_FOR_RIGHTS = frozenset({"can", "has", "is", "check", "may", "user", "allowed"})
_OF_RIGHTS = frozenset(
    """permission permissions perm perms role roles admin superuser staff access privilege privileges scope scopes
    owner moderator manager""".split()
)
_OPEN = frozenset("active enabled verified confirmed approved activated".split())
_CLOSED = frozenset("disabled banned blocked suspended inactive deactivated deleted".split())
_OF_ACCOUNTS = frozenset({"is", "account", "user", "email", "was", "been", "has"})
"""Words that leave it an account's state: `two_factor_enabled` is none."""
_VOID = frozenset({"revoked", "blacklisted", "blacklist", "denylist", "blocklist", "expired", "revoke", "denied"})
_NOBODY = frozenset({"is_anonymous", "is_guest", "is_expired"})
_COMPARERS = frozenset({"compare_digest", "constant_time_compare", "safe_str_cmp"})
_SENT_ALONG = frozenset({"auth", "authorization", "credentials", "basic"})
_SCHEMES = frozenset({"bearer", "basic", "token", "jwt"})
_PROFILES = frozenset({"profile", "userprofile", "user_profile", "account"})
_OWNERS = frozenset("owner user author creator account customer member seller buyer created".split())


@dataclass(frozen=True, slots=True)
class Lacks:
    """What is missing where a condition holds; `is_all` says that nothing else leads there."""

    what: frozenset[Lack]
    is_all: bool = True


_NOTHING = Lacks(frozenset(), False)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions of one function."""

    function: FunctionSymbol
    is_handler: bool
    project: Project

    @property
    def scope(self) -> Scope:
        return self.function.scope

    @property
    def callers(self) -> Callers:
        """Who is who."""
        return callers_in(self.function, self.is_handler, self.project)

    def lacks(self, test: form.Expr, *, holds: bool) -> Lacks:
        """What the caller lacks where the test holds, or doesn't."""
        match test:
            case form.Unary(op="not", operand=operand):
                return self.lacks(operand, holds=not holds)
            case form.Boolean(values=values):
                return _joined(self.lacks(value, holds=holds) for value in values)
            case form.Walrus(target=form.Name() as target):
                return self.lacks(target, holds=holds)
            case form.Await(value=inner):
                return self.lacks(inner, holds=holds)
            case form.Call(func=form.Name(id="bool" | "all" | "any"), args=[only]):
                return self.lacks(only.value, holds=holds)
            case form.Compare(left=left, ops=[op], rights=[right]):
                found = self._compared(left, op, right, holds=holds)
            case _:
                found = self._present(test) if holds else self._absent(test)
        return Lacks(frozenset({found})) if found is not None else _NOTHING

    def _compared(self, left: form.Expr, op: str, right: form.Expr, *, holds: bool) -> Lack | None:
        is_none = isinstance(right, form.Const) and right.value in (None, "", False)
        if is_none:
            return self._absent(left) if holds == (op in ("is", "==")) else None
        if isinstance(right, form.Const) and right.value is True:
            return self._absent(left) if holds != (op in ("is", "==")) else self._present(left)
        if op in ("in", "not in"):
            return self._contained(left, right) if holds == (op == "not in") else self._listed(left, right)
        if op in ("==", "!=") and holds == (op == "!="):
            return self._different(left, right) or self._different(right, left)
        return None

    def _contained(self, item: form.Expr, container: form.Expr) -> Lack | None:
        """`"Authorization" not in request.headers`, `user.role not in ALLOWED`, `"admin" not in user.roles`."""
        if last_name(container) in JARS and names_credentials(
            form.Subscript(start=item.start, end=container.end, value=container, index=item), self.scope, self.project
        ):
            return Lack.IDENTITY
        if self._right_of_caller(item) or self._right_of_caller(container):
            return Lack.RIGHTS
        return None

    def _listed(self, item: form.Expr, container: form.Expr) -> Lack | None:
        spoken = set(words(last_name(container) or ""))
        return Lack.IDENTITY if self._is_brought(item) and spoken & _VOID else None

    def _different(self, left: form.Expr, right: form.Expr) -> Lack | None:
        """`item.owner_id != user.id`, `user.role != "admin"`, `api_key != settings.API_KEY`, `scheme != "Bearer"`."""
        said = right.value if isinstance(right, form.Const) and isinstance(right.value, str) else ""
        if said.lower().strip() in _SCHEMES and self._is_brought(left):
            return Lack.IDENTITY
        if compared_password(left, right) in self.callers.signing_in:
            return Lack.PASSWORD
        if self._right_of_caller(left):
            return Lack.RIGHTS
        if self._is_id_of_caller(left) and isinstance(right, form.Attr) and set(words(right.attr)) & _OWNERS:
            return Lack.RIGHTS if not self._is_sent(right.value) else None
        is_key = isinstance(left, form.Name) and self._is_brought(left) and not set(words(left.id)) - _KEY_NAMES
        if is_key and isinstance(right, form.Attr | form.Name) and (last_name(right) or "").isupper():
            return Lack.IDENTITY
        return None

    # --- what isn't there, and what shouldn't be ---

    def _absent(self, node: form.Expr) -> Lack | None:
        match node:
            case form.Call():
                return self._call_fails(node)
            case form.Attr(value=base, attr=attr):
                if attr in ("is_authenticated", "is_logged_in", "logged_in"):
                    return Lack.IDENTITY
                if attr in ("username", "password") and set(words(last_name(base) or "")) & _SENT_ALONG:
                    return Lack.IDENTITY if self._is_brought(base) else None
                if self._is_somebody(base):
                    return _lack_of(attr)
            case form.Subscript(value=base, index=form.Const(value=str() as key)):
                if self._is_somebody(base) and _lack_of(key) is not None:
                    return _lack_of(key)
        if isinstance(node, form.Name) and node.id in self.callers.signing_in:
            return Lack.PASSWORD
        if is_caller(node, self.callers) or self._is_brought(node):
            return Lack.IDENTITY
        return None

    def _call_fails(self, call: form.Call) -> Lack | None:
        name = last_name(call.func) or ""
        spoken = set(words(name))
        if is_password_check(call) or is_sign_in(call):
            return Lack.PASSWORD
        if name in ("is_authenticated", "is_logged_in") or reads_token(call, self.scope, self.project):
            return Lack.IDENTITY
        if is_set_apart(name):
            return None
        parts = [*(a.value for a in call.args), *([call.func.value] if isinstance(call.func, form.Attr) else ())]
        if name in _COMPARERS:
            return Lack.IDENTITY if any(self._is_brought(part) for part in parts) else None
        if spoken & _ASKING_FOR_RIGHTS and spoken & _OF_RIGHTS:
            is_of_caller = any(self._mentions_caller(p) for p in parts)
            return Lack.RIGHTS if is_of_caller or names_credentials(call, self.scope, self.project) else None
        if name == "get" and isinstance(call.func, form.Attr) and call.args and self._is_somebody(call.func.value):
            key = call.args[0].value
            said = key.value if isinstance(key, form.Const) and isinstance(key.value, str) else ""
            return _lack_of(said) or (Lack.IDENTITY if says_who(said) else None)
        return Lack.IDENTITY if self._is_brought(call) or is_caller(call, self.callers) else None

    def _present(self, node: form.Expr) -> Lack | None:
        match node:
            case form.Attr(value=base, attr=attr):
                if attr in _NOBODY and (attr == "is_anonymous" or self._is_somebody(base)):
                    return Lack.IDENTITY
                if self._is_somebody(base) and _is_state(attr, _CLOSED):
                    return Lack.ACCOUNT
            case form.Call(func=func, args=args) if set(words(last_name(func) or "")) & _VOID:
                return Lack.IDENTITY if any(self._is_brought(a.value) for a in args) else None
        return None

    # --- who is who ---

    def _is_brought(self, node: form.Expr) -> bool:
        match node:
            case form.Name(id=name):
                return name in self.callers.brought
            case form.Attr(value=base, attr=attr):
                return self._is_brought(base) and says_who(attr)
            case form.Subscript(value=base, index=form.Const(value=str() as key)) if self._is_brought(base):
                return says_who(key)
            case form.Subscript(value=base) | form.Call(func=form.Attr(value=base)) if self._is_brought(base):
                return True
        return is_read_from_jar(node, self.scope, self.project)

    def _is_somebody(self, node: form.Expr) -> bool:
        if isinstance(node, form.Name) and node.id in self.callers.signing_in | self.callers.brought:
            return True
        return is_caller(node, self.callers)

    def _right_of_caller(self, node: form.Expr) -> bool:
        match node:
            case form.Attr(value=base, attr=name) | form.Subscript(value=base, index=form.Const(value=str() as name)):
                owner = base.value if isinstance(base, form.Attr) and base.attr in _PROFILES else base
                return self._right_of_caller(base) or (self._is_somebody(owner) and bool(set(words(name)) & _RIGHTS))
            case form.Call(
                func=form.Attr(value=base, attr="get"), args=[form.Arg(value=form.Const(value=str() as name)), *_]
            ):
                return self._is_somebody(base) and bool(set(words(name)) & _RIGHTS)
            case form.Call(func=form.Attr() as func):
                return self._right_of_caller(func)
        return False

    def _is_id_of_caller(self, node: form.Expr) -> bool:
        if isinstance(node, form.Attr) and node.attr in ("id", "pk", "uuid", "user_id", "email", "username"):
            return is_caller(node.value, self.callers)
        return is_caller(node, self.callers)

    def _is_sent(self, node: form.Expr) -> bool:
        return self.is_handler and isinstance(node, form.Name) and is_sent(node.id, self.function, self.project)

    def _mentions_caller(self, node: form.Expr) -> bool:
        return any(is_caller(inner, self.callers) for inner in form.walk(node))


_KEY_NAMES = frozenset("api key apikey token x auth secret credentials bearer provided given sent".split())


def _lack_of(attribute: str) -> Lack | None:
    if _is_state(attribute, _OPEN):
        return Lack.ACCOUNT
    spoken = set(words(attribute))
    is_right = attribute in _FLAGS or (attribute.startswith(_ASKING) and bool(spoken & (_RIGHTS | _OF_RIGHTS)))
    return Lack.RIGHTS if is_right or attribute.startswith("can_") else None


def _is_state(attribute: str, states: frozenset[str]) -> bool:
    """`is_active`, `email_verified`: the state of an account as a whole."""
    spoken = set(words(attribute))
    return bool(spoken & states) and spoken - states <= _OF_ACCOUNTS


def _joined(parts: Iterable[Lacks]) -> Lacks:
    found = list(parts)
    return Lacks(frozenset().union(*(p.what for p in found)), all(p.is_all for p in found))
