"""A test's bytes to `ModuleFacts`, leaner than a service's: a suite is often as long as what it tests.

Only what rules about tests ask for is kept: what objects are made of, and other data without a path in it, is opaque.
What this Python's grammar is too old for is kept whole.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from typing import ClassVar

import msgspec

from assay.scanner.readers.python import depth, form, native
from assay.scanner.readers.python.native import Node

_IGNORING = b"assay:"
"""Comments that speak to Assay are all kept, and what they stand at."""
_MAKING = frozenset({"create", "bulk_create", "get_or_create", "update_or_create", "make", "create_batch", "build",
    "add_all", "add", "insert", "values", "filter", "exclude", "update"})  # fmt: skip
"""Methods whose arguments are rows."""
_TELLING_COMMENT = re.compile(r"#[^\n\"']*\b(?:raise|raises|error|errors|exception|crash|fail)[^\n]*")
"""Comments that may say why a test asserts nothing."""
_TELLING = ("url", "path", "uri", "method", "endpoint", "status")
"""Words of keys whose values matter."""


class TestFacts(msgspec.Struct, array_like=True, eq=False, gc=False):
    """A test's code, apart from the service's."""

    __test__ = False

    module: form.ModuleFacts


def read(_: str, data: bytes) -> TestFacts:
    """Raises ReadProblem for bytes that are no Python text, no Python, or nested too deeply to be walked."""
    if _IGNORING not in data and (module := _lean(data)) is not None:
        return TestFacts(module)
    from assay.scanner.readers.python.reader import read as read_whole  # it loads LibCST

    return TestFacts(read_whole(data))


def _lean(data: bytes) -> form.ModuleFacts | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    tree = native.parsed(text)
    if tree is None:
        return None
    line_starts = form.line_starts_of(text)
    try:
        with depth.while_reading():
            lowering = _Lowering(text, line_starts)
            body = lowering.module(tree)
    except native.UnlikeError:
        return None
    comments = [c for c in lowering.comments if _TELLING_COMMENT.match(c.text)]
    return form.ModuleFacts(form.Mentions([], []), body, line_starts, comments)


class _Lowering(native.Lowering):
    """Leaves out the data in a module."""

    # --- statements ---

    def _match(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        cases = [form.Case([], [], self._maybe(c.guard), self._body(c.body)) for c in node.cases]
        return form.Match(start=start, end=end, subject=self.expr(node.subject), cases=cases)

    # --- expressions ---

    def expr(self, node: Node) -> form.Expr:
        lower = self._EXPRESSIONS.get(type(node))
        return lower(self, node) if lower else self._opaque(node)

    def whole(self, node: Node) -> form.Expr:
        """With all its data: what a test is run with, what a loop goes through."""
        if isinstance(node, ast.Dict):
            return self._all_of_dict(node)
        return self.expr(node)

    def _opaque(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Opaque(start=start, end=end)

    def _string(self, value: str, start: int, end: int) -> form.Expr:
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            return form.Opaque(start=start, end=end)
        return form.Const(start=start, end=end, value=value)

    def _call(self, node: Node) -> form.Expr:
        func = node.func
        kind = type(func)
        name = func.id if kind is ast.Name else func.attr if kind is ast.Attribute else ""
        if name in _MAKING or (
            name[:1].isupper()
            and not name.isupper()
            and "lient" not in name
            and "url" not in name.lower()
            and "Communicator" not in name
            and "Mock" not in name
        ):
            start, end = self._span(node)
            args = [a for a in map(self._lean, node.args) if a is not None]
            # What rows are made of is nobody's question here.
            return form.Call(start=start, end=end, func=self.expr(func), args=args)
        return super()._call(node)

    def _lean(self, node: Node) -> form.Arg | None:
        return self._arg(node) if isinstance(node, ast.Call | ast.Name | ast.Starred | ast.Constant) else None

    def _template(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Template(start=start, end=end, parts=self._parts(node.values))

    def _parts(self, nodes: Iterable[Node]) -> list[str | form.Hole]:
        parts: list[str | form.Hole] = []
        for node in nodes:
            if isinstance(node, ast.Constant):
                text = str(node.value)
                parts.append(text if text.isascii() else text.encode(errors="replace").decode())
            else:
                conversion = chr(node.conversion) if node.conversion != -1 else None
                spec = self._parts(node.format_spec.values) if node.format_spec is not None else None
                parts.append(form.Hole(self.expr(node.value), conversion, spec))
        return parts

    def _dict(self, node: Node) -> form.Expr:
        """Opaque where it looks like a row or a body; what holds paths or statuses is kept."""
        if any(_tells(k, v) for k, v in zip(node.keys, node.values, strict=True)):
            return self._all_of_dict(node)
        return self._opaque(node)

    def _all_of_dict(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        keys = [self._maybe(k) for k in node.keys]
        return form.Dict(start=start, end=end, keys=keys, values=list(map(self.expr, node.values)))

    _STATEMENTS: ClassVar[dict[type, Callable[..., form.Stmt]]] = {
        **native.Lowering._STATEMENTS,  # noqa: SLF001 - what is left out is left out of it
        ast.Match: _match,
    }
    _EXPRESSIONS: ClassVar[dict[type, Callable[..., form.Expr]]] = {
        **native.Lowering._EXPRESSIONS,  # noqa: SLF001
        ast.Call: _call,
        ast.JoinedStr: _template,
        ast.Dict: _dict,
    }


def _tells(key: Node, value: Node) -> bool:
    for part in (key, value):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.startswith(("/", "http")):
            return True
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return any(word in key.value for word in _TELLING)
    return key is None
