"""What the sides of a comparison are called, and whether the names speak of secrets."""

from __future__ import annotations

from assay.scanner.dataflow.keys.sent import SHAPING
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.secrets.destinations import own_name
from assay.scanner.dataflow.secrets.names import is_password_hash, is_signature, secrecy
from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form

_DIGESTING = frozenset(
    {"hexdigest", "digest", "finalize", "b64encode", "hexlify", "urlsafe_b64encode", "standard_b64encode"}
)
TRANSPARENT = SHAPING | _DIGESTING
"""Calls that give the same text in another shape."""
_CODES = frozenset(
    {
        "activation", "confirmation", "coupon", "gift", "invitation", "invite", "login", "magic", "otp", "recovery",
        "reset", "verification", "voucher",
    }
)  # fmt: skip
"""What a code is for that lets somebody in."""
_VARIABLES = frozenset({"getenv", "config", "env", "environ_get"})
"""Calls that read a variable, which their first argument names."""


def is_named_secret(name: str) -> bool:
    """Whether the name is one of a secret, of what is made of one, or of a code that lets somebody in. The id of a
    session may be that of a talk or a payment as well.
    """
    parts = words(name)
    if parts[-2:] == ("session", "id"):
        return False
    if parts[-1:] in (("code",), ("credentials",)):
        return not _CODES.isdisjoint(parts)
    return secrecy(name) is not None or is_password_hash(name) or is_signature(name)


def name_of(node: form.Expr) -> str:
    """What the expression calls its value: the variable's name of `os.getenv("KEY")`, else what is called."""
    if isinstance(node, form.Call) and last_name(node.func) in _VARIABLES and node.positional:
        first = node.positional[0]
        return first.value if isinstance(first, form.Const) and isinstance(first.value, str) else ""
    if isinstance(node, form.Call) and last_name(node.func) == "getattr" and len(node.positional) > 1:
        return str(getattr(node.positional[1], "value", ""))
    if isinstance(node, form.Attr) and node.attr == "code":
        return f"{last_name(node.value) or ''}_code"  # of what the code is
    return own_name(node) or (last_name(node.func) if isinstance(node, form.Call) else "") or ""


def is_of_session(node: form.Expr) -> bool:
    """Whether it is read from a session."""
    names = (last_name(n) for n in form.walk(node) if isinstance(n, form.Name | form.Attr))
    return "session" in names and isinstance(node, form.Call | form.Subscript)


def stripped(node: form.Expr) -> form.Expr:
    """Without what only gives the text in another shape, or puts a fixed text before it: `f"Bearer {key}"`."""
    while True:
        match node:
            case form.Await(value=inner):
                node = inner
            case form.Call(func=form.Attr(value=inner, attr=method)) if method in TRANSPARENT:
                node = inner
            case form.Call(func=form.Name(id=name), args=[form.Arg(value=inner), *_]) if name in TRANSPARENT:
                node = inner
            case form.Binary(op="+", left=form.Const(), right=inner):
                node = inner
            case form.Template(holes=[form.Hole(value=inner)]):
                node = inner
            case _:
                return node


def may_matter(node: form.Expr) -> bool:
    """Whether a side speaks of a secret or a digest: a quick look before a thorough one."""
    bare = stripped(node)
    if isinstance(bare, form.Const):
        return False
    name = name_of(bare)
    if isinstance(node, form.Call) and last_name(node.func) in _DIGESTING | {"get_secret_value"}:
        return True
    if isinstance(node, form.Template):
        return any(may_matter(e) for hole in node.holes for e in hole.expressions())
    return is_named_secret(name) or not {"code", "hmac", "digest", "mac", "hash", "hashed"}.isdisjoint(words(name))
