"""What a chain of calls on a session or connection sends: a read, or a write or lock."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form

OPENING = frozenset({"connect", "begin", "session", "acquire", "connection", "transaction", "__call__", "cursor"})
"""Methods of an engine, a pool or a session maker that give something to send statements through."""
_WRITING = frozenset(
    {
        "add", "add_all", "delete", "merge", "flush", "bulk_save_objects", "bulk_insert_mappings",
        "bulk_update_mappings", "copy_records_to_table",
    }
)  # fmt: skip
_QUERY_WRITES = frozenset({"update", "delete"})
SENDING = frozenset(
    {
        "execute", "exec", "scalar", "scalars", "stream", "stream_scalars", "query", "get", "fetch", "fetchrow",
        "fetchval", "fetch_all", "fetch_one", "get_one", "executemany", "iterate", "fetch_val",
    }
)  # fmt: skip
_STATEMENTS = frozenset({"insert", "update", "delete"})
_LOCKS = frozenset({"with_for_update"})
_SQL_WRITES = ("insert ", "update ", "delete ", "truncate ", "merge ", "alter ", "create ", "drop ")
_TABLE = re.compile(r"\b(?:into|update|from|join)\s+(\w+)", re.IGNORECASE)


def chain(call: form.Call, inner: set[form.Expr]) -> tuple[form.Expr, list[str]]:
    """What the chain of calls begins with, and the methods from there on; the calls in it aren't looked at again."""
    methods: list[str] = []
    node: form.Expr = call
    while True:
        match node:
            case form.Call(func=form.Attr(value=value, attr=attr)):
                inner.add(node)
                methods.insert(0, attr)
                if attr in OPENING and len(methods) == 1 and attr != "connection":
                    return node, []
                node = value
            case form.Await(value=value):
                node = value
            case _:
                return node, methods


def writes(call: form.Call, methods: list[str], parts: Iterable[form.Expr | form.Stmt]) -> bool:
    """Whether the chain, whose methods these are, changes or locks rows; `parts` are all that it is made of."""
    if methods[0] in _WRITING or (methods[0] == "query" and not _QUERY_WRITES.isdisjoint(methods)):
        return True
    for node in parts:
        if isinstance(node, form.Call):
            name = last_name(node.func)
            is_plain = isinstance(node.func, form.Name) or form.dotted(node.func) == f"sa.{name}"
            if name in _LOCKS or (name in _STATEMENTS and is_plain):
                return True
            if name == "text" and node.positional and is_writing_text(node.positional[0]):
                return True
    return methods[0] in SENDING and bool(call.positional) and is_writing_text(call.positional[0])


def tables(parts: Iterable[form.Expr | form.Stmt]) -> set[str]:
    """The tables that are named: by classes, and in SQL."""
    found: set[str] = set()
    for part in parts:
        match part:
            case form.Name(id=name) | form.Attr(attr=name) if name[:1].isupper() and not name.isupper():
                found.add(name)
            case form.Const(value=str() as text):
                found.update(_TABLE.findall(text))
    return found


def is_writing_text(node: form.Expr) -> bool:
    """Whether it is SQL that changes or locks rows, as far as it is written there."""
    if isinstance(node, form.Template):
        text = node.parts[0] if node.parts and isinstance(node.parts[0], str) else ""
    else:
        text = node.value if isinstance(node, form.Const) and isinstance(node.value, str) else ""
    return is_writing_sql(text)


def is_writing_sql(text: str) -> bool:
    """Whether SQL changes or locks rows."""
    said = text.lstrip().lower()
    return said.startswith(_SQL_WRITES) or " for update" in said
