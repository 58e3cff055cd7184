"""Texts of exceptions: which parts of an expression hold one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from assay.scanner.dataflow.blocks import is_debug_condition
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_TRACES = frozenset({"format_exc", "exc_info", "format_exception", "format_tb", "format_exception_only", "print_exc"})
_NAMES_ALONE = frozenset({"type", "isinstance", "hasattr", "issubclass", "bool", "len", "id"})
"""What says nothing of an exception's text."""
_WRITING = frozenset(
    """str repr format join ascii gettext _ ugettext lazy_gettext gettext_lazy t jsonify dumps dict list make_response
    render render_template escape strip getattr lower capitalize split replace get title first""".split()
)
"""Functions whose result says what they are given."""
_FOR_USERS = frozenset("user_message user_msg public_message client_message display_message safe_message".split())
"""Attributes whose very name says for whom the text is."""
_STATUSES = frozenset(
    "code status status_code errno pgcode http_status returncode headers retry_after wait name field".split()
)


@dataclass(frozen=True, slots=True)
class Caught:
    """An exception under a name, in a stretch of the function."""

    name: str | None
    types: tuple[ClassSymbol | External | None, ...]
    start: int
    end: int
    place: Evidence
    tried: list[form.Stmt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """Where text of an exception stands; `is_certain` is unset where a function makes something else of it."""

    caught: Caught
    node: form.Expr
    is_certain: bool = True


def texts(  # noqa: C901 - one case for each kind of expression
    node: form.Expr | form.Stmt, known: dict[str, Caught], around: list[Caught]
) -> Iterator[Told]:
    """The parts of an expression that hold an exception's text, each with the exception."""
    match node:
        case form.Name(id=name) if name in known:
            yield Told(known[name], node)
            return
        case form.Attr(value=form.Name(id=name), attr=attr) if name in known:
            if attr not in _STATUSES | _FOR_USERS and not attr.startswith("__"):
                yield Told(known[name], node)
            return
        case form.Attr(attr=attr) if attr in _STATUSES | _FOR_USERS or attr.startswith("__"):
            return
        case form.Call(func=func) if last_name(func) in _NAMES_ALONE:
            return
        case form.Call(args=args) if is_trace(node):
            if around and not any(isinstance(a.value, form.Name) and a.value.id not in known for a in args):
                yield Told(around[-1], node)
            return
        case form.Call(func=func, args=args) if not _writes(func):
            for argument in args:  # a function makes something of it
                is_whole = isinstance(argument.value, form.Name)
                yield from (
                    replace(told, is_certain=told.is_certain and not is_whole)
                    for told in texts(argument.value, known, around)
                )
            yield from texts(func, known, around)
            return
        case form.Conditional(test=test, orelse=orelse) if is_debug_condition(test):
            yield from texts(orelse, known, around)
            return
        case form.Compare() | form.Lambda():
            return
    for child in node.children():
        yield from texts(child, known, around)


def _writes(func: form.Expr) -> bool:
    """Whether what is called says what it is given: so do `str` and the classes of bodies."""
    name = last_name(func) or ""
    return name in _WRITING or name[:1].isupper()


def is_trace(node: form.Expr | form.Stmt) -> bool:
    """`traceback.format_exc()`, `sys.exc_info()`."""
    match node:
        case form.Call(func=form.Name(id=name) | form.Attr(value=form.Name(id="traceback" | "sys"), attr=name)):
            return name in _TRACES
    return False
