"""What a condition says of who is asking: a stranger, somebody known, or nothing."""

from __future__ import annotations

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form

CALLER_WORDS = ("auth", "user", "token", "login", "logged", "session", "identity", "credential", "permission", "admin",
    "api_key", "apikey", "signature", "jwt", "anonymous", "account", "role", "header", "cookie")  # fmt: skip
_PLACE_WORDS = ("path", "endpoint", "method", "blueprint", "url", "host", "remote_addr")
_ADDRESSES = ("host", "remote_addr", "client_ip", "ip")


def is_switch(function: FunctionSymbol) -> bool:
    """Whether it decides without knowing the caller: it takes nothing, and speaks of nobody."""
    body = function.node.body
    decides = any(isinstance(node, form.If) for node in body)
    return decides and not function.parameters and not any(has_word(node, CALLER_WORDS) for node in body)


def holds_for_strangers(test: form.Expr) -> bool:
    """`not token`, `user is None`, `"Authorization" not in request.headers`; a switch of the settings says nothing."""
    match test:
        case form.Boolean(op="or", values=values):
            return any(holds_for_strangers(value) for value in values)
        case form.Boolean(values=values):
            return all(holds_for_strangers(value) for value in values)
        case form.Unary(op="not", operand=form.Name() | form.Attr() as operand):
            return _is_about_caller(operand)
        case form.Compare(left=left, ops=["is"], rights=[form.Const(value=None)]):
            return _is_about_caller(left)
        case form.Compare(ops=["not in"], rights=[right]):
            return last_name(right) in ("headers", "cookies", "session")
    return False


def _is_about_caller(node: form.Expr) -> bool:
    names = (form.dotted(node) or "").split(".")
    is_setting = names[-1].isupper() or not {"settings", "config"}.isdisjoint(names)
    return not is_setting and has_word(node, CALLER_WORDS)


def is_about_place(test: form.Expr) -> bool:
    """A condition on what is asked for; a list of blocked addresses tells nothing of other callers."""
    return not is_block_list(test) and has_word(test, _PLACE_WORDS)


def is_block_list(test: form.Expr) -> bool:
    """`request.remote_addr in BLOCKED`."""
    parts = test.values if isinstance(test, form.Boolean) else [test]
    return any(
        isinstance(part, form.Compare) and part.ops == ["in"] and last_name(part.left) in _ADDRESSES for part in parts
    )


def has_word(test: form.Expr | form.Stmt, words: tuple[str, ...]) -> bool:
    """Whether any name in it holds one of the words."""
    names = (_named(node).lower() for node in form.walk(test))
    return any(word in name for name in names for word in words)


def _named(node: form.Expr | form.Stmt) -> str:
    """A name, an attribute's, or a key's: `user`, `request.user`, `scope["user"]`."""
    match node:
        case form.Name(id=name) | form.Attr(attr=name) | form.Subscript(index=form.Const(value=str() as name)):
            return name
    return ""


def holds_for_known_callers(test: form.Expr) -> bool:
    """`user`, `current_user.is_authenticated`, `user is not None and user.banned`."""
    match test:
        case form.Boolean(values=values):
            return all(holds_for_known_callers(v) for v in values if has_word(v, CALLER_WORDS))
        case form.Unary(op="not"):
            return False
        case form.Compare(ops=ops):
            return ops == ["is not"]
    return "anonymous" not in (last_name(test.func if isinstance(test, form.Call) else test) or "")
