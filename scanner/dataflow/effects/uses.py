"""Which writes only note that something was used."""

from __future__ import annotations

import re

from assay.scanner.dataflow.effects.names import tells_of_use
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

_ONE_COLUMN = re.compile(r"\s*UPDATE\s+\S+\s+SET\s+(?P<column>\w+)\s*=[^,]*$", re.IGNORECASE)


def only_notes_use(call: form.Call, scope: Scope) -> str | None:
    """Why the call writes nothing but when or how often something was used; None where it writes more."""
    named = [a.name for a in call.args if a.name is not None and a.name != "synchronize_session"] + _keys(call)
    fields = call.keyword("update_fields")
    if isinstance(fields, form.Display):
        named = [i.value for i in fields.items if isinstance(i, form.Const) and isinstance(i.value, str)]
        named = [name for name in named if name not in ("updated_at", "modified", "modified_at")]
    elif not named and isinstance(call.func, form.Attr):
        named = _assigned(call.func.value, scope)
    if named and all(tells_of_use(name) for name in named):
        return f"only `{named[0]}` is noted"
    return None


def notes_use_in_values(statement: form.Expr, scope: Scope) -> str | None:
    """The same for a statement: `update(Post).values(views=Post.views + 1)`."""
    calls = (node for node in form.walk(statement) if isinstance(node, form.Call))
    return next((only_notes_use(c, scope) for c in calls if last_name(c.func) == "values"), None)


def notes_use_in_sql(text: str) -> str | None:
    """The same for SQL that sets one column."""
    found = _ONE_COLUMN.match(text)
    return f"only `{found['column']}` is noted" if found is not None and tells_of_use(found["column"]) else None


def _keys(call: form.Call) -> list[str]:
    """The columns of `update({"views": 1})` and `update({Post.views: Post.views + 1})`."""
    given = next(iter(call.positional), None)
    keys = given.keys if isinstance(given, form.Dict) else []
    named = (str(key.value) if isinstance(key, form.Const) else last_name(key) for key in keys if key is not None)
    return [name or "" for name in named]


def _assigned(owner: form.Expr, scope: Scope) -> list[str]:
    """The attributes of an object that the function around sets."""
    path = form.dotted(owner)
    function = scope.enclosing_function
    if path is None or function is None:
        return []
    targets = [t for n in function.nodes if isinstance(n, form.Assign) for t in n.targets]
    targets += [n.target for n in function.nodes if isinstance(n, form.AugAssign)]
    return [t.attr for t in targets if isinstance(t, form.Attr) and form.dotted(t.value) == path]
