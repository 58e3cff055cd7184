"""What `app.config["NAME"]` comes to where a path is made of it: the one value that the configuration states."""

from __future__ import annotations

from ast import literal_eval
from functools import cached_property

from assay.scanner.framework import Context
from assay.scanner.frameworks.flask.config import FLASK_CONFIG
from assay.scanner.linker.project import last_name
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form


class FlaskConfig:
    """The configuration of one project, looked into only where something asks for it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def text(self, node: form.Expr) -> str | None:
        """The string that an item of `app.config` holds; None for anything else, and where two values are stated."""
        key = _key(node)
        found = self._values.get(key, set()) if key is not None else set()
        value = literal_eval(next(iter(found))) if len(found) == 1 else None
        return value if isinstance(value, str) else None

    @cached_property
    def _values(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for setting in FLASK_CONFIG.settings(self._context):
            if setting.value is not None and setting.role is Role.PROD:
                found.setdefault(setting.name, set()).add(setting.value)
        return found


def _key(node: form.Expr) -> str | None:
    """`NAME` of `app.config["NAME"]` and `app.config.get("NAME")`."""
    match node:
        case form.Subscript(value=owner, index=form.Const(value=str() as key)) if last_name(owner) == "config":
            return key
        case form.Call(func=form.Attr(value=owner, attr="get"), args=[first, *_]) if last_name(owner) == "config":
            known = first.value.value if isinstance(first.value, form.Const) else None
            return known if isinstance(known, str) else None
    return None
