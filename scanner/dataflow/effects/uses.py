"""Which writes only note that something was used."""

from __future__ import annotations

from assay.scanner.dataflow.effects.names import tells_of_use
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form


def only_notes_use(call: form.Call, scope: Scope) -> str | None:
    """Why the call writes nothing but when or how often something was used; None where it writes more."""
    named = [a.name for a in call.args if a.name is not None]
    fields = call.keyword("update_fields")
    if isinstance(fields, form.Display):
        named = [i.value for i in fields.items if isinstance(i, form.Const) and isinstance(i.value, str)]
        named = [name for name in named if name not in ("updated_at", "modified", "modified_at")]
    elif not named and isinstance(call.func, form.Attr):
        named = _assigned(call.func.value, scope)
    if named and all(tells_of_use(name) for name in named):
        return f"only `{named[0]}` is noted"
    return None


def _assigned(owner: form.Expr, scope: Scope) -> list[str]:
    """The attributes of an object that the function around sets."""
    path = form.dotted(owner)
    function = scope.enclosing_function
    if path is None or function is None:
        return []
    targets = [t for n in function.nodes if isinstance(n, form.Assign) for t in n.targets]
    targets += [n.target for n in function.nodes if isinstance(n, form.AugAssign)]
    return [t.attr for t in targets if isinstance(t, form.Attr) and form.dotted(t.value) == path]
