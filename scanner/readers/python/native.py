"""Python's own syntax tree lowered to the intermediate form: what LibCST's gives, to the last offset, in a tenth of the
time.

LibCST is left with what this Python's grammar is too old for, and with strings that are put together: only it says
where the pieces and the expressions in them stand.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeAlias

from assay.scanner.readers.python import depth, form

__all__ = ["Lowering", "Node", "UnlikeError", "facts_of", "parsed"]

_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not", ast.And: "and", ast.Or: "or", ast.USub: "-",
    ast.UAdd: "+", ast.Not: "not", ast.Invert: "~",
}  # fmt: skip
_TEXT_OR_COMMENT = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"""' r"|'''(?:[^'\\]++|\\.|'(?!''))*+'''"
    r'|"(?:[^"\\]++|\\.)*+"' r"|'(?:[^'\\]++|\\.)*+'" r"|#[^\r\n]*",
    re.DOTALL,
)  # fmt: skip
_BLANKS = re.compile(r"(?:[ \t\f\r\n\\]|#[^\r\n]*)*")
_PREFIX = 2
"""The most letters before a string's quotes."""

Node: TypeAlias = Any
"""Of `ast`, whose classes have too little in common for types to help."""


class UnlikeError(Exception):
    """The code holds something that LibCST alone says enough about."""


def facts_of(text: str) -> form.ModuleFacts | None:
    """None where LibCST has to read it, or to say what is wrong with it."""
    tree = parsed(text)
    if tree is None:
        return None
    line_starts = form.line_starts_of(text)
    try:
        with depth.while_reading():
            lowering = Lowering(text, line_starts)
            body = lowering.module(tree)
    except UnlikeError:
        return None
    return form.ModuleFacts(lowering.mentions, body, line_starts, lowering.comments)


def parsed(text: str) -> ast.Module | None:
    """Python's own tree; None for what isn't its Python, or is nested deeper than code is followed."""
    try:
        with warnings.catch_warnings(), depth.while_encoding():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Lowering:
    """Lowers one module; raises UnlikeError. Nodes are dispatched on their class."""

    def __init__(self, text: str, line_starts: list[int]) -> None:
        self._text = text
        self._starts = line_starts
        self._wide = {} if text.isascii() else dict(_wide_lines(text, line_starts))
        self._quotes: dict[int, int] = {}
        """Where the quotes of a string begin, by its end."""
        self.comments: list[form.Comment] = []
        self.mentions = form.Mentions([], [])
        between, at = [], 0
        for found in _TEXT_OR_COMMENT.finditer(text):
            start, end = found.span()
            if text[start] == "#":
                self.comments.append(form.Comment(start, found[0]))
            else:
                self._quotes[end] = start
            if self._wide:
                between.append(text[at:start])
                at = end
        # Python knows such names in another spelling than the one that stands there.
        if self._wide and not (text[at:].isascii() and all(map(str.isascii, between))):
            raise UnlikeError

    def module(self, tree: ast.Module) -> list[form.Stmt]:
        return self._body(tree.body)

    def _at(self, line: int, column: int) -> int:
        if line in self._wide:
            column = len(self._wide[line][:column].decode())
        return self._starts[line - 1] + column

    def _span(self, node: Node) -> tuple[int, int]:
        if self._wide:
            return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)
        starts = self._starts
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def _block(self, node: Node) -> tuple[int, int]:
        """The span of a statement with others in it, which a semicolon after the last one is no part of."""
        start, end = self._span(node)
        if self._text[end - 1] == ";":
            end = start + len(self._text[start:end].rstrip("; \t\f"))
        return start, end

    def _marks(self, start: int, end: int) -> str:
        """What stands there besides comments: brackets and commas around an expression."""
        found = self._text[start:end]
        return _BLANKS.sub("", found) if "#" in found else found

    def _within(self, start: int, end: int, last: Node) -> tuple[int, int]:
        """The span without the brackets around it; `last` is the last expression within."""
        text, inside = self._text, self._span(last)[1] if last is not None else end - 1
        at = inside
        while (at := _past_blanks(text, at)) < end - 1:
            at += 1
            inside = at
        return _past_blanks(text, start + 1), inside

    # --- statements ---

    def _body(self, nodes: list[ast.stmt]) -> list[form.Stmt]:
        statements = self._STATEMENTS
        try:
            return [statements[type(node)](self, node) for node in nodes]
        except KeyError as error:
            raise UnlikeError from error

    def _function(self, node: Node) -> form.Stmt:
        if getattr(node, "type_params", None):
            raise UnlikeError
        start, end = self._block(node)
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
        if getattr(node, "type_params", None):
            raise UnlikeError
        start, end = self._block(node)
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
        target, value = self.expr(node.target), self._maybe(node.value)
        annotation = self.expr(node.annotation)
        return form.Assign(start=start, end=end, targets=[target], value=value, annotation=annotation)

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
        message = self._maybe(node.msg)
        return form.Assert(start=start, end=end, test=self.expr(node.test), message=message)

    def _delete(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        targets = node.targets
        if len(targets) > 1 or "," in self._marks(self._span(targets[0])[1], end):
            at = _past_blanks(self._text, start + len("del"))
            items = [self.expr(t) for t in targets]
            target: form.Expr = form.Display(start=at, end=end, kind="tuple", items=items)
        else:
            target = self.expr(targets[0])
        return form.Delete(start=start, end=end, target=target)

    def _jump(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Jump(start=start, end=end, keyword=type(node).__name__.lower())

    def _declared(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        return form.Scope(start=start, end=end, keyword=type(node).__name__.lower(), names=node.names)

    def _import(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        names = [(n.name, n.asname) for n in node.names]
        self.mentions.imports += [(name, 0, []) for name, _ in names]
        return form.Import(start=start, end=end, names=names)

    def _import_from(self, node: Node) -> form.Stmt:
        start, end = self._span(node)
        names = [(n.name, n.asname) for n in node.names]
        module = node.module or ""
        self.mentions.imports.append((module, node.level, [name for name, _ in names]))
        return form.ImportFrom(start=start, end=end, module=module, level=node.level, names=names)

    def _if(self, node: Node) -> form.Stmt:
        start, end = self._block(node)
        orelse = self._body(node.orelse)
        return form.If(start=start, end=end, test=self.expr(node.test), body=self._body(node.body), orelse=orelse)

    def _for(self, node: Node) -> form.Stmt:
        start, end = self._block(node)
        target, iterated = self.expr(node.target), self.whole(node.iter)
        body, orelse = self._body(node.body), self._body(node.orelse)
        return form.For(start=start, end=end, target=target, iter=iterated, body=body, orelse=orelse)

    def _while(self, node: Node) -> form.Stmt:
        start, end = self._block(node)
        test = self.expr(node.test)
        body, orelse = self._body(node.body), self._body(node.orelse)
        return form.While(start=start, end=end, test=test, body=body, orelse=orelse)

    def _try(self, node: Node) -> form.Stmt:
        start, end = self._block(node)
        body = self._body(node.body)
        handlers = [self._handler(h) for h in node.handlers]
        orelse, final = self._body(node.orelse), self._body(node.finalbody)
        return form.Try(start=start, end=end, body=body, handlers=handlers, orelse=orelse, final=final)

    def _handler(self, node: Node) -> form.Handler:
        start, end = self._block(node)
        caught = self._maybe(node.type)
        return form.Handler(start=start, end=end, type=caught, name=node.name, body=self._body(node.body))

    def _with(self, node: Node) -> form.Stmt:
        start, end = self._block(node)
        items = [form.WithItem(self.expr(i.context_expr), self._maybe(i.optional_vars)) for i in node.items]
        return form.With(start=start, end=end, items=items, body=self._body(node.body))

    # --- expressions ---

    def expr(self, node: Node) -> form.Expr:
        lower = self._EXPRESSIONS.get(type(node))
        if lower is None:
            raise UnlikeError
        return lower(self, node)

    def whole(self, node: Node) -> form.Expr:
        """A decorator, an item, what a loop goes through: data that a reader of less keeps all of."""
        return self.expr(node)

    def _maybe(self, node: Node) -> form.Expr | None:
        return self.expr(node) if node is not None else None

    def _constant(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        value = node.value
        if isinstance(value, str):
            return self._string(value, start, end)
        if value is not None and (
            not isinstance(value, int | float) or (isinstance(value, int) and value > form.LARGEST_INTEGER)
        ):
            return form.Opaque(start=start, end=end)
        return form.Const(start=start, end=end, value=value)

    def _string(self, value: str, start: int, end: int) -> form.Expr:
        quotes = self._quotes.get(end)
        if quotes is None or quotes < start:
            raise UnlikeError
        if quotes - start > _PREFIX or not (quotes == start or self._text[start:quotes].isalpha()):
            return self._put_together(start, end)
        if form.is_dotted_name(value):
            self.mentions.strings.append(value)
        if not value.isascii():
            value = value.encode(errors="replace").decode()
        return form.Const(start=start, end=end, value=value)

    def _template(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return self._put_together(start, end)

    def _put_together(self, start: int, end: int) -> form.Expr:
        """A string of several, or with expressions in it."""
        if end not in self._quotes:
            raise UnlikeError
        from assay.scanner.readers.python.lower import lowered_alone  # it loads LibCST

        lowered, mentions = lowered_alone(self._text[start:end], start)
        self.mentions.strings += mentions.strings
        return lowered

    def _name(self, node: Node) -> form.Expr:
        start = self._at(node.lineno, node.col_offset)
        return form.Name(start=start, end=start + len(node.id), id=node.id)

    def _attribute(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        attr = node.attr
        return form.Attr(start=start, end=end, value=self.expr(node.value), attr=attr, attr_start=end - len(attr))

    def _call(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        func = self.expr(node.func)
        given: list[Node] = node.args
        if node.keywords:
            given = [*given, *node.keywords]
            if node.args:
                given.sort(key=_place)
        args = [self._keyword(a) if type(a) is ast.keyword else self._arg(a) for a in given]
        return form.Call(start=start, end=end, func=func, args=args)

    def _arg(self, node: Node) -> form.Arg:
        if type(node) is ast.Starred:
            return form.Arg(self.expr(node.value), None, 1)
        return form.Arg(self.expr(node))

    def _keyword(self, node: Node) -> form.Arg:
        return form.Arg(self.expr(node.value), node.arg, 0 if node.arg is not None else 2)

    def _binary(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        op = _OPERATORS[type(node.op)]
        return form.Binary(start=start, end=end, op=op, left=self.expr(node.left), right=self.expr(node.right))

    def _boolean(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        return form.Boolean(
            start=start, end=end, op=_OPERATORS[type(node.op)], values=[self.expr(v) for v in node.values]
        )

    def _compare(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        left = self.expr(node.left)
        ops = [_OPERATORS[type(op)] for op in node.ops]
        return form.Compare(start=start, end=end, left=left, ops=ops, rights=[self.expr(c) for c in node.comparators])

    def _unary(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        op = _OPERATORS[type(node.op)]
        operand = self.expr(node.operand)
        if op == "-" and isinstance(operand, form.Const) and type(operand.value) in (int, float):
            return form.Const(start=start, end=end, value=-operand.value)  # type: ignore[operator]
        return form.Unary(start=start, end=end, op=op, operand=operand)

    def _display(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        items = [self.whole(e) for e in node.elts]
        return form.Display(start=start, end=end, kind=type(node).__name__.lower(), items=items)

    def _tuple(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        if self._has_brackets(node, start):
            start, end = self._within(start, end, node.elts[-1] if node.elts else None)
        return form.Display(start=start, end=end, kind="tuple", items=[self.whole(e) for e in node.elts])

    def _has_brackets(self, node: Node, start: int) -> bool:
        """Whether the first bracket of the tuple is its own, not its first item's."""
        if not node.elts:
            return True
        if self._text[start] != "(":
            return False
        first, end = self._span(node.elts[0])
        after = self._marks(end, self._span(node)[1]).partition(",")[0]
        return self._marks(start, first).count("(") > after.count(")")

    def _dict(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        keys = [self._maybe(k) for k in node.keys]
        return form.Dict(start=start, end=end, keys=keys, values=[self.expr(v) for v in node.values])

    def _subscript(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        index = self._index(node.slice)
        return form.Subscript(start=start, end=end, value=self.expr(node.value), index=index)

    def _index(self, node: Node) -> form.Expr:
        if type(node) is not ast.Tuple or self._has_brackets(node, self._span(node)[0]):
            return self.expr(node)
        items = [self._expanded(e) if type(e) is ast.Starred else self.expr(e) for e in node.elts]
        if len(items) == 1:
            return items[0]
        return form.Display(start=items[0].start, end=items[-1].end, kind="tuple", items=items)

    def _expanded(self, node: Node) -> form.Expr:
        value = self.expr(node.value)
        return form.Starred(start=self._span(node)[0], end=value.end, value=value)

    def _slice(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        if self._text[end - 1] == ":":  # the blanks after it are a part of the colon to LibCST
            end = _past_blanks(self._text, end)
        lower, upper, step = self._maybe(node.lower), self._maybe(node.upper), self._maybe(node.step)
        return form.Slice(start=start, end=end, lower=lower, upper=upper, step=step)

    def _comprehension(self, node: Node) -> form.Expr:
        start, end = self._span(node)
        if type(node) is ast.GeneratorExp:
            last = node.generators[-1]
            start, end = self._within(start, end, last.ifs[-1] if last.ifs else last.iter)
        is_dict = type(node) is ast.DictComp
        element = self.expr(node.key if is_dict else node.elt)
        value = self.expr(node.value) if is_dict else None
        generators = [self._generator(g) for g in node.generators]
        kind = _COMPREHENSIONS[type(node)]
        return form.Comprehension(start=start, end=end, kind=kind, element=element, value=value, generators=generators)

    def _generator(self, node: Node) -> form.Generator:
        ifs = [self.expr(i) for i in node.ifs]
        return form.Generator(self.expr(node.target), self.whole(node.iter), ifs)

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
        kinds = form.ParamKind
        positional = [*node.posonlyargs, *node.args]
        defaults = [None] * (len(positional) - len(node.defaults)) + list(node.defaults)
        only = len(node.posonlyargs)
        found = [
            self._param(arg, default, kinds.POSITIONAL_ONLY if at < only else kinds.NORMAL)
            for at, (arg, default) in enumerate(zip(positional, defaults, strict=True))
        ]
        if node.vararg is not None:
            found.append(self._param(node.vararg, None, kinds.VAR_POSITIONAL))
        for arg, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            found.append(self._param(arg, default, kinds.KEYWORD_ONLY))
        if node.kwarg is not None:
            found.append(self._param(node.kwarg, None, kinds.VAR_KEYWORD))
        return found

    def _param(self, arg: ast.arg, default: Node, kind: form.ParamKind) -> form.Param:
        start = self._at(arg.lineno, arg.col_offset)
        annotation, value = self._maybe(arg.annotation), self._maybe(default)
        return form.Param(arg.arg, start, start + len(arg.arg), annotation, value, kind)

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
        ast.Tuple: _tuple,
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


_COMPREHENSIONS = {ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict", ast.GeneratorExp: "generator"}


def _past_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _place(node: Node) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _wide_lines(text: str, line_starts: list[int]) -> Iterable[tuple[int, bytes]]:
    """Those in which a byte is no character, by number from 1."""
    for number, (start, end) in enumerate(zip(line_starts, [*line_starts[1:], len(text)], strict=True), 1):
        line = text[start:end]
        if not line.isascii():
            yield number, line.encode()
