"""LibCST's tree lowered to the intermediate form in one read-only walk."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from assay.scanner.readers.python import form
from assay.scanner.readers.python.positions import Span, locate

_BINARY = {
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "Divide": "/",
    "FloorDivide": "//",
    "Modulo": "%",
    "Power": "**",
    "MatrixMultiply": "@",
    "BitAnd": "&",
    "BitOr": "|",
    "BitXor": "^",
    "LeftShift": "<<",
    "RightShift": ">>",
}
_COMPARE = {
    "Equal": "==",
    "NotEqual": "!=",
    "LessThan": "<",
    "LessThanEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanEqual": ">=",
    "In": "in",
    "NotIn": "not in",
    "Is": "is",
    "IsNot": "is not",
}
_UNARY = {"Minus": "-", "Plus": "+", "Not": "not", "BitInvert": "~"}
_CONSTANT_NAMES: dict[str, bool | None] = {"True": True, "False": False, "None": None}
_LONGEST_INTEGER = 100
"""In digits; Python itself refuses to convert a few thousand, and no larger value is kept anyway."""
_ESCAPE_OR_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_SOURCE = cst.Module([])


class BadLiteralError(Exception):
    """A string that Python doesn't take, such as one with half an escape. `offset` tells where it begins."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(offset, message)
        self.offset = offset
        self.message = message


class Lowering:
    """Lowers one module; raises BadLiteralError. Nodes are dispatched on their class's name."""

    def __init__(self, spans: dict[int, Span]) -> None:
        self._spans = spans
        self.string_spans: list[Span] = []
        """Spans of f-strings, where text may look like a comment."""
        self.mentions = form.Mentions([], [])

    def module(self, module: cst.Module) -> list[form.Stmt]:
        return self._statements(module.body)

    # --- statements ---

    def _suite(self, suite: cst.BaseSuite) -> list[form.Stmt]:
        return self._statements(suite.body)

    def _statements(self, nodes: Sequence[cst.CSTNode]) -> list[form.Stmt]:
        lowered: list[form.Stmt] = []
        for node in nodes:
            if isinstance(node, cst.SimpleStatementLine):
                lowered.extend(self._statements(node.body))
            else:
                lower: Callable[[Any], form.Stmt] = getattr(self, "_stmt_" + type(node).__name__)
                lowered.append(lower(node))
        return lowered

    def _stmt_FunctionDef(self, node: cst.FunctionDef) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Function(
            start=start,
            end=end,
            name=node.name.value,
            params=self._params(node.params),
            decorators=[self.expr(d.decorator) for d in node.decorators],
            returns=self.expr(node.returns.annotation) if node.returns else None,
            body=self._suite(node.body),
            is_async=node.asynchronous is not None,
            type_params=self._type_params(node.type_parameters),
        )

    def _stmt_ClassDef(self, node: cst.ClassDef) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Class(
            start=start,
            end=end,
            name=node.name.value,
            bases=[self._arg(a) for a in (*node.bases, *node.keywords)],
            decorators=[self.expr(d.decorator) for d in node.decorators],
            body=self._suite(node.body),
            type_params=self._type_params(node.type_parameters),
        )

    def _stmt_If(self, node: cst.If) -> form.Stmt:
        start, end = self._spans[id(node)]
        orelse: list[form.Stmt] = []
        if isinstance(node.orelse, cst.If):
            orelse = [self._stmt_If(node.orelse)]
        elif node.orelse is not None:
            orelse = self._suite(node.orelse.body)
        return form.If(start=start, end=end, test=self.expr(node.test), body=self._suite(node.body), orelse=orelse)

    def _stmt_For(self, node: cst.For) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.For(
            start=start,
            end=end,
            target=self.expr(node.target),
            iter=self.expr(node.iter),
            body=self._suite(node.body),
            orelse=self._suite(node.orelse.body) if node.orelse else [],
        )

    def _stmt_While(self, node: cst.While) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.While(
            start=start,
            end=end,
            test=self.expr(node.test),
            body=self._suite(node.body),
            orelse=self._suite(node.orelse.body) if node.orelse else [],
        )

    def _stmt_Try(self, node: cst.Try | cst.TryStar) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Try(
            start=start,
            end=end,
            body=self._suite(node.body),
            handlers=[self._handler(h) for h in node.handlers],
            orelse=self._suite(node.orelse.body) if node.orelse else [],
            final=self._suite(node.finalbody.body) if node.finalbody else [],
        )

    _stmt_TryStar = _stmt_Try

    def _handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> form.Handler:
        start, end = self._spans[id(node)]
        name = node.name.name if node.name else None
        return form.Handler(
            start=start,
            end=end,
            type=self.expr(node.type) if node.type else None,
            name=name.value if isinstance(name, cst.Name) else None,
            body=self._suite(node.body),
        )

    def _stmt_With(self, node: cst.With) -> form.Stmt:
        start, end = self._spans[id(node)]
        items = [form.WithItem(self.expr(i.item), self.expr(i.asname.name) if i.asname else None) for i in node.items]
        return form.With(start=start, end=end, items=items, body=self._suite(node.body))

    def _stmt_Match(self, node: cst.Match) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Match(
            start=start, end=end, subject=self.expr(node.subject), cases=[self._case(c) for c in node.cases]
        )

    def _case(self, node: cst.MatchCase) -> form.Case:
        binds: list[form.Name] = []
        values: list[form.Expr] = []
        self._pattern(node.pattern, binds, values)
        return form.Case(binds, values, self.expr(node.guard) if node.guard else None, self._suite(node.body))

    def _pattern(self, node: cst.CSTNode, binds: list[form.Name], values: list[form.Expr]) -> None:
        if isinstance(node, cst.MatchValue | cst.MatchSingleton):
            values.append(self.expr(node.value))
        elif isinstance(node, cst.MatchClass):
            values.append(self.expr(node.cls))
        elif isinstance(node, cst.MatchAs | cst.MatchStar) and node.name is not None:
            name = self.expr(node.name)
            assert isinstance(name, form.Name)
            binds.append(name)
        elif isinstance(node, cst.MatchMappingElement):
            values.append(self.expr(node.key))
        elif isinstance(node, cst.MatchMapping) and node.rest is not None:
            name = self.expr(node.rest)
            assert isinstance(name, form.Name)
            binds.append(name)
        for child in node.children:
            if isinstance(child, _PATTERNS):
                self._pattern(child, binds, values)

    def _stmt_Expr(self, node: cst.Expr) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.ExprStmt(start=start, end=end, value=self.expr(node.value))

    def _stmt_Assign(self, node: cst.Assign) -> form.Stmt:
        start, end = self._spans[id(node)]
        targets = [self.expr(t.target) for t in node.targets]
        return form.Assign(start=start, end=end, targets=targets, value=self.expr(node.value))

    def _stmt_AnnAssign(self, node: cst.AnnAssign) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Assign(
            start=start,
            end=end,
            targets=[self.expr(node.target)],
            value=self.expr(node.value) if node.value else None,
            annotation=self.expr(node.annotation.annotation),
        )

    def _stmt_TypeAlias(self, node: cst.TypeAlias) -> form.Stmt:
        start, end = self._spans[id(node)]
        name = self.expr(node.name)
        assert isinstance(name, form.Name)
        params = self._type_params(node.type_parameters)
        return form.TypeAlias(start=start, end=end, name=name, type_params=params, value=self.expr(node.value))

    def _stmt_AugAssign(self, node: cst.AugAssign) -> form.Stmt:
        start, end = self._spans[id(node)]
        op = _BINARY[type(node.operator).__name__.removesuffix("Assign")]
        return form.AugAssign(start=start, end=end, target=self.expr(node.target), op=op, value=self.expr(node.value))

    def _stmt_Return(self, node: cst.Return) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Return(start=start, end=end, value=self.expr(node.value) if node.value else None)

    def _stmt_Raise(self, node: cst.Raise) -> form.Stmt:
        start, end = self._spans[id(node)]
        cause = node.cause.item if node.cause else None
        return form.Raise(
            start=start,
            end=end,
            exc=self.expr(node.exc) if node.exc else None,
            cause=self.expr(cause) if cause else None,
        )

    def _stmt_Assert(self, node: cst.Assert) -> form.Stmt:
        start, end = self._spans[id(node)]
        message = self.expr(node.msg) if node.msg else None
        return form.Assert(start=start, end=end, test=self.expr(node.test), message=message)

    def _stmt_Del(self, node: cst.Del) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Delete(start=start, end=end, target=self.expr(node.target))

    def _stmt_Pass(self, node: cst.Pass) -> form.Stmt:
        return self._jump(node, "pass")

    def _stmt_Break(self, node: cst.Break) -> form.Stmt:
        return self._jump(node, "break")

    def _stmt_Continue(self, node: cst.Continue) -> form.Stmt:
        return self._jump(node, "continue")

    def _jump(self, node: cst.CSTNode, keyword: str) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Jump(start=start, end=end, keyword=keyword)

    def _stmt_Global(self, node: cst.Global) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Scope(start=start, end=end, keyword="global", names=[n.name.value for n in node.names])

    def _stmt_Nonlocal(self, node: cst.Nonlocal) -> form.Stmt:
        start, end = self._spans[id(node)]
        return form.Scope(start=start, end=end, keyword="nonlocal", names=[n.name.value for n in node.names])

    def _stmt_Import(self, node: cst.Import) -> form.Stmt:
        start, end = self._spans[id(node)]
        names = [_alias(a) for a in node.names]
        self.mentions.imports += [(name, 0, []) for name, _ in names]
        return form.Import(start=start, end=end, names=names)

    def _stmt_ImportFrom(self, node: cst.ImportFrom) -> form.Stmt:
        start, end = self._spans[id(node)]
        names: list[tuple[str, str | None]] = [("*", None)]
        if not isinstance(node.names, cst.ImportStar):
            names = [_alias(a) for a in node.names]
        module = _dotted_name(node.module) if node.module else ""
        level = len(node.relative)
        self.mentions.imports.append((module, level, [name for name, _ in names]))
        return form.ImportFrom(start=start, end=end, module=module, level=level, names=names)

    # --- expressions ---

    def expr(self, node: cst.BaseExpression) -> form.Expr:
        lower: Callable[[Any], form.Expr] | None = getattr(self, "_expr_" + type(node).__name__, None)
        return lower(node) if lower else self._opaque(node)

    def _opaque(self, node: cst.CSTNode) -> form.Expr:
        start, end = self._spans.get(id(node), (0, 0))
        return form.Opaque(start=start, end=end)

    def _expr_Name(self, node: cst.Name) -> form.Expr:
        start, end = self._spans[id(node)]
        if node.value in _CONSTANT_NAMES:
            return form.Const(start=start, end=end, value=_CONSTANT_NAMES[node.value])
        return form.Name(start=start, end=end, id=node.value)

    def _expr_Attribute(self, node: cst.Attribute) -> form.Expr:
        start, end = self._spans[id(node)]
        attr = node.attr.value
        attr_start = self._spans[id(node.attr)][0]
        return form.Attr(start=start, end=end, value=self.expr(node.value), attr=attr, attr_start=attr_start)

    def _expr_Call(self, node: cst.Call) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Call(start=start, end=end, func=self.expr(node.func), args=[self._arg(a) for a in node.args])

    def _arg(self, node: cst.Arg) -> form.Arg:
        return form.Arg(self.expr(node.value), node.keyword.value if node.keyword else None, len(node.star))

    def _expr_SimpleString(self, node: cst.SimpleString) -> form.Expr:
        start, end = self._spans[id(node)]
        value = _string_value(node.value, start)
        if value is None:
            return form.Opaque(start=start, end=end)
        if form.is_dotted_name(value):
            self.mentions.strings.append(value)
        return form.Const(start=start, end=end, value=value)

    def _expr_FormattedString(self, node: cst.FormattedString | cst.TemplatedString) -> form.Expr:
        start, end = self._spans[id(node)]
        self.string_spans.append((start, end))
        return form.Template(start=start, end=end, parts=self._content(node.parts, "r" in node.start.lower(), start))

    _expr_TemplatedString = _expr_FormattedString

    def _content(self, nodes: Sequence[cst.CSTNode], raw: bool, start: int) -> list[str | form.Hole]:
        parts: list[str | form.Hole] = []
        for node in nodes:
            if isinstance(node, cst.FormattedStringText | cst.TemplatedStringText):
                text = _normal_lines(node.value.replace("{{", "{").replace("}}", "}"))
                parts.append(text if raw or "\\" not in text else _unescaped(text, start))
            else:
                assert isinstance(node, cst.FormattedStringExpression | cst.TemplatedStringExpression)
                parts += self._hole(node, raw, start)
        return parts

    def _hole(
        self, node: cst.FormattedStringExpression | cst.TemplatedStringExpression, raw: bool, start: int
    ) -> list[str | form.Hole]:
        spec = self._content(node.format_spec, raw, start) if node.format_spec is not None else None
        if node.equal is None:
            return [form.Hole(self.expr(node.expression), node.conversion, spec)]
        # `{ x = }` shows its own source, and what it stands for as repr() unless it is told otherwise.
        pieces = (node.whitespace_before_expression, node.expression, node.equal, node.whitespace_after_expression)
        shown = "".join(_SOURCE.code_for_node(piece) for piece in pieces)
        conversion = node.conversion or ("r" if spec is None else None)
        return [_normal_lines(shown), form.Hole(self.expr(node.expression), conversion, spec)]

    def _expr_ConcatenatedString(self, node: cst.ConcatenatedString) -> form.Expr:
        start, end = self._spans[id(node)]
        parts: list[str | form.Hole] = []
        todo: list[cst.BaseExpression] = [node]
        while todo:
            piece = todo.pop()
            if isinstance(piece, cst.ConcatenatedString):
                todo += [piece.right, piece.left]
                continue
            lowered = self.expr(piece)
            if isinstance(lowered, form.Template):
                parts += lowered.parts
            elif isinstance(lowered, form.Const) and isinstance(lowered.value, str):
                parts.append(lowered.value)
            else:
                return form.Opaque(start=start, end=end)
        if any(isinstance(p, form.Hole) for p in parts):
            return form.Template(start=start, end=end, parts=parts)
        return form.Const(start=start, end=end, value="".join(p for p in parts if isinstance(p, str)))

    def _expr_Integer(self, node: cst.Integer) -> form.Expr:
        start, end = self._spans[id(node)]
        if len(node.value) > _LONGEST_INTEGER or (value := int(node.value, 0)) > form.LARGEST_INTEGER:
            return form.Opaque(start=start, end=end)
        return form.Const(start=start, end=end, value=value)

    def _expr_Float(self, node: cst.Float) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Const(start=start, end=end, value=float(node.value))

    def _expr_BinaryOperation(self, node: cst.BinaryOperation) -> form.Expr:
        # A long sum leans to the left; it is lowered without recursion so that its length is no limit.
        spine: list[cst.BinaryOperation] = []
        left: cst.BaseExpression = node
        while isinstance(left, cst.BinaryOperation):
            spine.append(left)
            left = left.left
        lowered = self.expr(left)
        for operation in reversed(spine):
            start, end = self._spans[id(operation)]
            op = _BINARY[type(operation.operator).__name__]
            lowered = form.Binary(start=start, end=end, op=op, left=lowered, right=self.expr(operation.right))
        return lowered

    def _expr_BooleanOperation(self, node: cst.BooleanOperation) -> form.Expr:
        start, end = self._spans[id(node)]
        op = "and" if isinstance(node.operator, cst.And) else "or"
        values: list[form.Expr] = []
        for side in (node.left, node.right):
            lowered = self.expr(side)
            if isinstance(lowered, form.Boolean) and lowered.op == op and not side.lpar:
                values += lowered.values
            else:
                values.append(lowered)
        return form.Boolean(start=start, end=end, op=op, values=values)

    def _expr_Comparison(self, node: cst.Comparison) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Compare(
            start=start,
            end=end,
            left=self.expr(node.left),
            ops=[_COMPARE[type(c.operator).__name__] for c in node.comparisons],
            rights=[self.expr(c.comparator) for c in node.comparisons],
        )

    def _expr_UnaryOperation(self, node: cst.UnaryOperation) -> form.Expr:
        start, end = self._spans[id(node)]
        op = _UNARY[type(node.operator).__name__]
        operand = self.expr(node.expression)
        if op == "-" and isinstance(operand, form.Const) and type(operand.value) in (int, float):
            return form.Const(start=start, end=end, value=-operand.value)  # type: ignore[operator]
        return form.Unary(start=start, end=end, op=op, operand=operand)

    def _display(self, node: cst.Tuple | cst.List | cst.Set, kind: str) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Display(start=start, end=end, kind=kind, items=[self._element(e) for e in node.elements])

    def _element(self, node: cst.BaseElement) -> form.Expr:
        value = self.expr(node.value)
        if isinstance(node, cst.StarredElement):
            start, end = self._spans.get(id(node), (value.start, value.end))
            return form.Starred(start=start, end=end, value=value)
        return value

    def _expr_Tuple(self, node: cst.Tuple) -> form.Expr:
        return self._display(node, "tuple")

    def _expr_List(self, node: cst.List) -> form.Expr:
        return self._display(node, "list")

    def _expr_Set(self, node: cst.Set) -> form.Expr:
        return self._display(node, "set")

    def _expr_StarredElement(self, node: cst.StarredElement) -> form.Expr:
        return self._element(node)

    def _expr_Dict(self, node: cst.Dict) -> form.Expr:
        start, end = self._spans[id(node)]
        keys = [self.expr(e.key) if isinstance(e, cst.DictElement) else None for e in node.elements]
        return form.Dict(start=start, end=end, keys=keys, values=[self.expr(e.value) for e in node.elements])

    def _expr_Subscript(self, node: cst.Subscript) -> form.Expr:
        start, end = self._spans[id(node)]
        indices = [self._index(e) for e in node.slice]
        index = indices[0]
        if len(indices) > 1:
            index = form.Display(start=indices[0].start, end=indices[-1].end, kind="tuple", items=indices)
        return form.Subscript(start=start, end=end, value=self.expr(node.value), index=index)

    def _index(self, element: cst.SubscriptElement) -> form.Expr:
        node = element.slice
        if isinstance(node, cst.Index):
            value = self.expr(node.value)
            return form.Starred(start=self._spans[id(element)][0], end=value.end, value=value) if node.star else value
        assert isinstance(node, cst.Slice)
        start, end = self._spans[id(element)]
        lower, upper, step = (self.expr(x) if x else None for x in (node.lower, node.upper, node.step))
        return form.Slice(start=start, end=end, lower=lower, upper=upper, step=step)

    def _generators(self, node: cst.CompFor) -> list[form.Generator]:
        generators: list[form.Generator] = []
        current: cst.CompFor | None = node
        while current is not None:
            ifs = [self.expr(i.test) for i in current.ifs]
            generators.append(form.Generator(self.expr(current.target), self.expr(current.iter), ifs))
            current = current.inner_for_in
        return generators

    def _comprehension(self, node: cst.BaseSimpleComp, kind: str) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Comprehension(
            start=start,
            end=end,
            kind=kind,
            element=self.expr(node.elt),
            value=None,
            generators=self._generators(node.for_in),
        )

    def _expr_ListComp(self, node: cst.ListComp) -> form.Expr:
        return self._comprehension(node, "list")

    def _expr_SetComp(self, node: cst.SetComp) -> form.Expr:
        return self._comprehension(node, "set")

    def _expr_GeneratorExp(self, node: cst.GeneratorExp) -> form.Expr:
        return self._comprehension(node, "generator")

    def _expr_DictComp(self, node: cst.DictComp) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Comprehension(
            start=start,
            end=end,
            kind="dict",
            element=self.expr(node.key),
            value=self.expr(node.value),
            generators=self._generators(node.for_in),
        )

    def _expr_Lambda(self, node: cst.Lambda) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Lambda(start=start, end=end, params=self._params(node.params), body=self.expr(node.body))

    def _expr_IfExp(self, node: cst.IfExp) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Conditional(
            start=start,
            end=end,
            test=self.expr(node.test),
            body=self.expr(node.body),
            orelse=self.expr(node.orelse),
        )

    def _expr_Await(self, node: cst.Await) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Await(start=start, end=end, value=self.expr(node.expression))

    def _expr_Yield(self, node: cst.Yield) -> form.Expr:
        start, end = self._spans[id(node)]
        if isinstance(node.value, cst.From):
            return form.Yield(start=start, end=end, value=self.expr(node.value.item), is_from=True)
        return form.Yield(start=start, end=end, value=self.expr(node.value) if node.value else None, is_from=False)

    def _expr_NamedExpr(self, node: cst.NamedExpr) -> form.Expr:
        start, end = self._spans[id(node)]
        return form.Walrus(start=start, end=end, target=self.expr(node.target), value=self.expr(node.value))

    # --- parameters ---

    def _type_params(self, node: cst.TypeParameters | None) -> list[form.TypeParam]:
        if node is None:
            return []
        return [
            form.TypeParam(
                p.param.name.value,
                self.expr(p.param.bound) if isinstance(p.param, cst.TypeVar) and p.param.bound else None,
                self.expr(p.default) if p.default else None,
            )
            for p in node.params
        ]

    def _params(self, node: cst.Parameters) -> list[form.Param]:
        kinds = form.ParamKind
        params = [self._param(p, kinds.POSITIONAL_ONLY) for p in node.posonly_params]
        params += [self._param(p, kinds.NORMAL) for p in node.params]
        if isinstance(node.star_arg, cst.Param):
            params.append(self._param(node.star_arg, kinds.VAR_POSITIONAL))
        params += [self._param(p, kinds.KEYWORD_ONLY) for p in node.kwonly_params]
        if node.star_kwarg is not None:
            params.append(self._param(node.star_kwarg, kinds.VAR_KEYWORD))
        return params

    def _param(self, node: cst.Param, kind: form.ParamKind) -> form.Param:
        start, end = self._spans[id(node.name)]
        return form.Param(
            name=node.name.value,
            start=start,
            end=end,
            annotation=self.expr(node.annotation.annotation) if node.annotation else None,
            default=self.expr(node.default) if node.default else None,
            kind=kind,
        )


def lowered_alone(expression: str, offset: int) -> tuple[form.Expr, form.Mentions]:
    """An expression by itself, and what it mentions; `offset` is where it stands in its module."""
    source = f"({expression})"
    module = cst.parse_module(source)
    shift = offset - 1
    lowering = Lowering(
        {node: (start + shift, end + shift) for node, (start, end) in locate(module, source)[0].items()}
    )
    (statement,) = lowering.module(module)
    assert isinstance(statement, form.ExprStmt)
    return statement.value, lowering.mentions


_PATTERNS = (
    cst.MatchPattern,
    cst.MatchSequenceElement,
    cst.MatchStar,
    cst.MatchMappingElement,
    cst.MatchKeywordElement,
    cst.MatchOrElement,
)


def _dotted_name(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted_name(node.value)}.{node.attr.value}"
    assert isinstance(node, cst.Name)
    return node.value


def _alias(node: cst.ImportAlias) -> tuple[str, str | None]:
    alias = node.asname.name if node.asname else None
    return _dotted_name(node.name), alias.value if isinstance(alias, cst.Name) else None


def _string_value(source: str, start: int) -> str | None:
    """The value of one string token; None for bytes."""
    quote = min(i for i in (source.find("'"), source.find('"')) if i >= 0)
    prefix = source[:quote].lower()
    if "b" in prefix:
        return None
    width = 3 if source.startswith(("'''", '"""'), quote) else 1
    if "r" in prefix or "\\" not in source:
        return _normal_lines(source[quote + width : -width])
    return _evaluated(source, start)


def _unescaped(text: str, start: int) -> str:
    """Escapes of f-string text resolved as a plain string's would be."""
    quoted = _ESCAPE_OR_QUOTE.sub(lambda match: match[0] if len(match[0]) > 1 else '\\"', text)
    return _evaluated(f'"""{quoted}"""', start)


def _evaluated(source: str, start: int) -> str:
    try:
        value = ast.literal_eval(source)
    except (SyntaxError, ValueError) as error:
        raise BadLiteralError(start, error.msg if isinstance(error, SyntaxError) else str(error)) from error
    assert isinstance(value, str)
    # A lone surrogate can't be told to anyone in UTF-8.
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _normal_lines(text: str) -> str:
    """Line ends inside a string are single line feeds to Python, whatever they are in the file."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
