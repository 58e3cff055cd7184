"""What conditions ask of a body, and whether code goes on if the answer is no."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.bodies.requests.handling import Check
from assay.scanner.dataflow.bodies.requests.sent import ANY_FIELD
from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form

_ENDING = frozenset({"abort", "fail", "bad_request", "send_error", "flash", "add_error", "halt", "exit", "write_error"})
"""Calls that turn a request away, or note that it is wrong."""
_EXCUSED = frozenset(
    {
        "KeyError", "TypeError", "ValueError", "AttributeError", "Exception", "BaseException", "LookupError",
        "MultiValueDictKeyError", "BadRequestKeyError",
    }
)  # fmt: skip
"""What is raised for a body that isn't as expected."""
_MEASURES = frozenset({"len", "type", "isinstance", "set", "keys", "str"})


def leaves(body: list[form.Stmt]) -> bool:
    """Whether a branch ends the work for this request, or notes that the request is wrong."""
    for node in body:
        if isinstance(node, form.Raise | form.Return) or (isinstance(node, form.Jump) and node.keyword != "pass"):
            return True
        call = node.value if isinstance(node, form.ExprStmt) else None
        if isinstance(call, form.Call) and (last_name(call.func) in _ENDING or _notes_error(call)):
            return True
        if isinstance(node, form.Assign) and any("err" in (last_name(target) or "").lower() for target in node.targets):
            return True
    return False


def _notes_error(call: form.Call) -> bool:
    """`errors.append("no name")`."""
    owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
    return owner is not None and "err" in owner.lower()


def excuses(handler: form.Handler) -> bool:
    """Whether the handler of an exception is there for bodies that aren't as expected, among others."""
    if handler.type is None:
        return True
    names = {last_name(n) or "" for n in form.walk(handler.type) if isinstance(n, form.Name | form.Attr)}
    return not names.isdisjoint(_EXCUSED) or any("valid" in name.lower() for name in names)


def kind_of(test: form.Expr) -> Check:
    """How much a condition says of the field that it looks at."""
    if isinstance(test, form.Compare) and len(test.ops) == 1:
        right = test.rights[0]
        is_nothing = isinstance(right, form.Const) and right.value in (None, "")
        return Check.PRESENCE if is_nothing else Check.KIND
    return Check.KIND


def settles(test: form.Expr) -> bool:
    """Whether the branch that follows is one where a value is known to be right: `theme in THEMES`, `age.isdigit()`."""
    match test:
        case form.Compare(ops=["in"]):
            return True
        case form.Call():
            name = last_name(test.func) or ""
            return name in ("isinstance", "match", "fullmatch", "search") or name.startswith(
                ("is_valid", "isd", "isal")
            )
    return False


def operands(test: form.Expr) -> Iterator[form.Expr]:
    """The expressions that a condition looks at; of `len(name) > 3`, the name."""
    sides: list[form.Expr] = [test.left, *test.rights] if isinstance(test, form.Compare) else [test]
    for side in sides:
        if isinstance(side, form.Call) and last_name(side.func) in _MEASURES:
            if isinstance(side.func, form.Attr):
                yield side.func.value
            yield from (arg.value for arg in side.args)
        elif isinstance(test, form.Compare):
            yield side


def named(test: form.Expr, body: form.Expr) -> str | None:
    """The field that a test of the whole body asks for: `"name" in data`; any, where a variable stands there."""
    if not isinstance(test, form.Compare):
        return None
    if test.ops[0] not in ("in", "not in"):
        return ANY_FIELD if test.ops[0] in ("<=", ">=", "!=", "==") else None  # `set(data) == NAMES`
    if not any(body in form.walk(right) for right in test.rights):
        return None
    asked = test.left.value if isinstance(test.left, form.Const) else None
    return asked if isinstance(asked, str) else ANY_FIELD
