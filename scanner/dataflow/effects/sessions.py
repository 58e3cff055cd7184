"""Sessions that code keeps by hand: who is signed in stands in a dict."""

from __future__ import annotations

from assay.scanner.dataflow.effects.change import Change
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.effect import EffectKind
from assay.scanner.readers.python import form

_IDENTITIES = frozenset({"user", "username", "userid", "uid", "account", "email", "login", "authenticated"})


def signed_in(target: form.Subscript, node: form.Assign | form.AugAssign, function: FunctionSymbol) -> Change | None:
    """`session["user_id"] = user.id`."""
    if (last_name(target.value) or "").lower() != "session" or not isinstance(target.index, form.Const):
        return None
    if _IDENTITIES.isdisjoint(words(str(target.index.value))):
        return None
    nothing = isinstance(node.value, form.Const) and not node.value.value
    return Change(EffectKind.SESSION, "", "logout" if nothing else "login", node, function.scope)


def signed_out(call: form.Call, function: FunctionSymbol) -> Change | None:
    """`session.clear()`, `session.pop("user_id")`."""
    if not isinstance(call.func, form.Attr):
        return None
    if (last_name(call.func.value) or "").lower() == "session":
        given = next(iter(call.positional), None)
        named = words(str(given.value)) if isinstance(given, form.Const) else ()
        if call.func.attr in ("clear", "flush") or not _IDENTITIES.isdisjoint(named):
            return Change(EffectKind.SESSION, "", "logout", call, function.scope)
    return None
