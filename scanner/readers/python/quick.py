"""A test's bytes to `ModuleFacts`, by Python's own parser: several times as fast as LibCST, and a suite is often as
long as what it tests.

Only what rules about tests ask for is kept: what objects are made of, and other data without a path in it, is opaque.
What this Python's grammar is too old for is left to LibCST.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any, ClassVar, TypeAlias

import msgspec

from assay.scanner.readers.python import depth, form

_IGNORING = b"assay:"
"""Comments that speak to Assay are in LibCST's tree alone."""
_LARGEST = 2**63 - 1
_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not", ast.And: "and", ast.Or: "or", ast.USub: "-",
    ast.UAdd: "+", ast.Not: "not", ast.Invert: "~",
}  # fmt: skip
_MAKING = frozenset({"create", "bulk_create", "get_or_create", "update_or_create", "make", "create_batch", "build",
    "add_all", "add", "insert", "values", "filter", "exclude", "update"})  # fmt: skip
"""Methods whose arguments are rows."""
_TELLING_COMMENT = re.compile(r"#[^\n\"']*\b(?:raise|raises|error|errors|exception|crash|fail)[^\n]*")
"""Comments that may say why a test asserts nothing. A text may look like one; nothing comes of it."""
_TELLING = ("url", "path", "uri", "method", "endpoint", "status")
"""Words of keys whose values matter."""

Node: TypeAlias = Any
"""Of `ast`, whose classes have too little in common for types to help."""


class TestFacts(msgspec.Struct, array_like=True, eq=False, gc=False):
    """A test's code, apart from the service's."""

    __test__ = False

    module: form.ModuleFacts


def read(_: str, data: bytes) -> TestFacts:
    """Raises ReadProblem for bytes that are no Python text, no Python, or nested too deeply to be walked."""
    if _IGNORING not in data:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(data)
            with depth.while_reading():
                return TestFacts(_Lowering(data).module(tree))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    from assay.scanner.readers.python.reader import read as read_slowly

    return TestFacts(read_slowly(data))


class _Lowering:
    """Lowers one module; nodes are dispatched on their class."""

    def __init__(self, data: bytes) -> None:
        data = data.removeprefix(b"\xef\xbb\xbf")
        lines = data.splitlines(keepends=True)
        if data.isascii():
            self._wide: dict[int, bytes] = {}
            self._starts = [0, *accumulate(map(len, lines))]
        else:
            text = data.decode()
            self._wide = {at: line for at, line in enumerate(lines, 1) if not line.isascii()}
            widths = (len(self._wide[n].decode()) if n in self._wide else len(line) for n, line in enumerate(lines, 1))
            self._starts = [0, *accumulate(widths)]
            if self._starts[-1] != len(text):
                raise ValueError("lines of another kind")
        found = _TELLING_COMMENT.finditer(data.decode())
        self._comments = [form.Comment(comment.start(), comment[0]) for comment in found]

    def module(self, tree: ast.Module) -> form.ModuleFacts:
        body = self._body(tree.body)
        return form.ModuleFacts(form.Mentions([], []), body, self._starts, self._comments)

    def _at(self, line: int, column: int) -> int:
        if line in self._wide:
            column = len(self._wide[line][:column].decode())
        return self._starts[line - 1] + column

    def _span(self, node: Node) -> tuple[int, int]:
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    # --- statements ---

    def _body(self, nodes: list[ast.stmt]) -> list[form.Stmt]:
        return [self._STATEMENTS[type(node)](self, node) for node in nodes]

    def _function(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Function(
            start=start,
            end=end,
            name=node.name,
            params=self._params(node.args),
            decorators=[self.whole(d) for d in node.decorator_list],
            returns=self._maybe(node.returns),
            body=self._body(node.body),
            is_async=isinstance(node, ast.AsyncFunctionDef),
        )

    def _class(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        bases = [*(self._arg(b) for b in node.bases), *(self._keyword(k) for k in node.keywords)]
        decorators = [self.whole(d) for d in node.decorator_list]
        return form.Class(
            start=start, end=end, name=node.name, bases=bases, decorators=decorators, body=self._body(node.body)
        )

    def _assign(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        targets = [self.expr(t) for t in node.targets]
        return form.Assign(start=start, end=end, targets=targets, value=self.expr(node.value))

    def _annotated(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        annotation, value = self.expr(node.annotation), self._maybe(node.value)
        return form.Assign(start=start, end=end, targets=[self.expr(node.target)], value=value, annotation=annotation)

    def _augmented(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        op = _OPERATORS[type(node.op)]
        return form.AugAssign(start=start, end=end, target=self.expr(node.target), op=op, value=self.expr(node.value))

    def _alone(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.ExprStmt(start=start, end=end, value=self.expr(node.value))

    def _return(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Return(start=start, end=end, value=self._maybe(node.value))

    def _raise(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Raise(start=start, end=end, exc=self._maybe(node.exc), cause=self._maybe(node.cause))

    def _assert(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Assert(start=start, end=end, test=self.expr(node.test), message=self._maybe(node.msg))

    def _delete(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        target = node.targets[0] if len(node.targets) == 1 else ast.copy_location(ast.Tuple(node.targets), node)
        return form.Delete(start=start, end=end, target=self.expr(target))

    def _jump(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Jump(start=start, end=end, keyword=type(node).__name__.lower())

    def _declared(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Scope(start=start, end=end, keyword=type(node).__name__.lower(), names=node.names)

    def _import(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Import(start=start, end=end, names=[(n.name, n.asname) for n in node.names])

    def _import_from(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        names = [(n.name, n.asname) for n in node.names]
        return form.ImportFrom(start=start, end=end, module=node.module or "", level=node.level, names=names)

    def _if(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        body, orelse = self._body(node.body), self._body(node.orelse)
        return form.If(start=start, end=end, test=self.expr(node.test), body=body, orelse=orelse)

    def _for(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        target, iterated = self.expr(node.target), self.whole(node.iter)
        body, orelse = self._body(node.body), self._body(node.orelse)
        return form.For(start=start, end=end, target=target, iter=iterated, body=body, orelse=orelse)

    def _while(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        body, orelse = self._body(node.body), self._body(node.orelse)
        return form.While(start=start, end=end, test=self.expr(node.test), body=body, orelse=orelse)

    def _try(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        handlers = []
        for handler in node.handlers:
            at, to = self._span(handler)
            caught = self._maybe(handler.type)
            handlers.append(
                form.Handler(start=at, end=to, type=caught, name=handler.name, body=self._body(handler.body))
            )
        body, orelse, final = self._body(node.body), self._body(node.orelse), self._body(node.finalbody)
        return form.Try(start=start, end=end, body=body, handlers=handlers, orelse=orelse, final=final)

    def _with(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        items = [form.WithItem(self.expr(i.context_expr), self._maybe(i.optional_vars)) for i in node.items]
        return form.With(start=start, end=end, items=items, body=self._body(node.body))

    def _match(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        cases = [form.Case([], [], self._maybe(c.guard), self._body(c.body)) for c in node.cases]
        return form.Match(start=start, end=end, subject=self.expr(node.subject), cases=cases)

    # --- expressions ---

    def expr(self, node: Node) -> form.Expr:
        return self._EXPRESSIONS.get(type(node), _Lowering._opaque)(self, node)

    def _maybe(self, node: Node) -> form.Expr | None:
        return self.expr(node) if node is not None else None

    def whole(self, node: Node) -> form.Expr:
        """With all its data: what a test is run with, what a loop goes through."""
        if isinstance(node, ast.Dict):
            return self._all_of_dict(node)
        return self.expr(node)

    def _opaque(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Opaque(start=start, end=end)

    def _constant(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        value = node.value
        if value is not None and (
            not isinstance(value, str | int | float) or (isinstance(value, int) and abs(value) > _LARGEST)
        ):
            return form.Opaque(start=start, end=end)
        if isinstance(value, str) and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            return form.Opaque(start=start, end=end)
        return form.Const(start=start, end=end, value=value)

    def _name(self, node: Node) -> form.Expr:
        start = self._at(node.lineno, node.col_offset)
        return form.Name(start=start, end=start + len(node.id), id=node.id)

    def _attribute(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        attr = node.attr
        return form.Attr(start=start, end=end, value=self.expr(node.value), attr=attr, attr_start=end - len(attr))

    def _call(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        func = node.func
        kind = type(func)
        name = func.id if kind is ast.Name else func.attr if kind is ast.Attribute else ""
        if name in _MAKING or (
            name[:1].isupper()
            and not name.isupper()
            and "lient" not in name
            and "url" not in name.lower()
            and "Communicator" not in name
        ):
            args = [a for a in map(self._lean, node.args) if a is not None]
            # What rows are made of is nobody's question here.
            return form.Call(start=start, end=end, func=self.expr(func), args=args)
        args = [self._arg(a) for a in node.args]
        args += [self._keyword(k) for k in node.keywords]
        return form.Call(start=start, end=end, func=self.expr(func), args=args)

    def _lean(self, node: Node) -> form.Arg | None:
        return self._arg(node) if isinstance(node, ast.Call | ast.Name | ast.Starred | ast.Constant) else None

    def _arg(self, node: Node) -> form.Arg:
        if isinstance(node, ast.Starred):
            return form.Arg(self.expr(node.value), None, 1)
        return form.Arg(self.expr(node))

    def _keyword(self, node: Node) -> form.Arg:
        return form.Arg(self.expr(node.value), node.arg, 0 if node.arg is not None else 2)

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

    def _binary(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        op = _OPERATORS[type(node.op)]
        return form.Binary(start=start, end=end, op=op, left=self.expr(node.left), right=self.expr(node.right))

    def _boolean(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Boolean(
            start=start, end=end, op=_OPERATORS[type(node.op)], values=list(map(self.expr, node.values))
        )

    def _compare(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        ops = [_OPERATORS[type(op)] for op in node.ops]
        rights = list(map(self.expr, node.comparators))
        return form.Compare(start=start, end=end, left=self.expr(node.left), ops=ops, rights=rights)

    def _unary(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Unary(start=start, end=end, op=_OPERATORS[type(node.op)], operand=self.expr(node.operand))

    def _display(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Display(
            start=start, end=end, kind=type(node).__name__.lower(), items=list(map(self.whole, node.elts))
        )

    def _dict(self, node: Node) -> form.Expr:
        """Opaque where it looks like a row or a body; what holds paths or statuses is kept."""
        if any(_tells(k, v) for k, v in zip(node.keys, node.values, strict=True)):
            return self._all_of_dict(node)
        return self._opaque(node)

    def _all_of_dict(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        keys = [self._maybe(k) for k in node.keys]
        return form.Dict(start=start, end=end, keys=keys, values=list(map(self.expr, node.values)))

    def _subscript(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Subscript(start=start, end=end, value=self.expr(node.value), index=self.expr(node.slice))

    def _slice(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        lower, upper, step = self._maybe(node.lower), self._maybe(node.upper), self._maybe(node.step)
        return form.Slice(start=start, end=end, lower=lower, upper=upper, step=step)

    def _comprehension(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        is_dict = isinstance(node, ast.DictComp)
        kind = {ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict"}.get(type(node), "generator")
        generators = [
            form.Generator(self.expr(g.target), self.whole(g.iter), list(map(self.expr, g.ifs)))
            for g in node.generators
        ]
        element = self.expr(node.key if is_dict else node.elt)
        value = self.expr(node.value) if is_dict else None
        return form.Comprehension(start=start, end=end, kind=kind, element=element, value=value, generators=generators)

    def _lambda(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Lambda(start=start, end=end, params=self._params(node.args), body=self.expr(node.body))

    def _conditional(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        test, body, orelse = self.expr(node.test), self.expr(node.body), self.expr(node.orelse)
        return form.Conditional(start=start, end=end, test=test, body=body, orelse=orelse)

    def _await(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Await(start=start, end=end, value=self.expr(node.value))

    def _yield(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        is_from = isinstance(node, ast.YieldFrom)
        return form.Yield(start=start, end=end, value=self._maybe(node.value), is_from=is_from)

    def _starred(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Starred(start=start, end=end, value=self.expr(node.value))

    def _walrus(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Walrus(start=start, end=end, target=self.expr(node.target), value=self.expr(node.value))

    # --- parameters ---

    def _params(self, node: ast.arguments) -> list[form.Param]:
        found: list[form.Param] = []
        positional = [*node.posonlyargs, *node.args]
        defaults = [None] * (len(positional) - len(node.defaults)) + list(node.defaults)
        for at, (arg, default) in enumerate(zip(positional, defaults, strict=True)):
            only = at < len(node.posonlyargs)
            found.append(self._param(arg, default, form.ParamKind.POSITIONAL_ONLY if only else form.ParamKind.NORMAL))
        if node.vararg is not None:
            found.append(self._param(node.vararg, None, form.ParamKind.VAR_POSITIONAL))
        for arg, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            found.append(self._param(arg, default, form.ParamKind.KEYWORD_ONLY))
        if node.kwarg is not None:
            found.append(self._param(node.kwarg, None, form.ParamKind.VAR_KEYWORD))
        return found

    def _param(self, arg: ast.arg, default: Node, kind: form.ParamKind) -> form.Param:
        start, end = self._span(arg)
        return form.Param(arg.arg, start, end, self._maybe(arg.annotation), self._maybe(default), kind)

    _STATEMENTS: ClassVar[dict[type, Callable[..., form.Stmt]]] = {
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.ClassDef: _class,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augmented,
        ast.Expr: _alone,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.Assert: _assert,
        ast.Delete: _delete,
        ast.Pass: _jump,
        ast.Break: _jump,
        ast.Continue: _jump,
        ast.Global: _declared,
        ast.Nonlocal: _declared,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.If: _if,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.While: _while,
        ast.Try: _try,
        ast.TryStar: _try,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Match: _match,
    }
    _EXPRESSIONS: ClassVar[dict[type, Callable[..., form.Expr]]] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.JoinedStr: _template,
        ast.BinOp: _binary,
        ast.BoolOp: _boolean,
        ast.Compare: _compare,
        ast.UnaryOp: _unary,
        ast.List: _display,
        ast.Tuple: _display,
        ast.Set: _display,
        ast.Dict: _dict,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.Lambda: _lambda,
        ast.IfExp: _conditional,
        ast.Await: _await,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
        ast.Starred: _starred,
        ast.NamedExpr: _walrus,
    }


def _tells(key: Node, value: Node) -> bool:
    for part in (key, value):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.startswith(("/", "http")):
            return True
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return any(word in key.value for word in _TELLING)
    return key is None
