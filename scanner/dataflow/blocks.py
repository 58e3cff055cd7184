"""Which compound statements stand around a place in a module, from the innermost outwards."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.readers.python import form

Header: TypeAlias = form.Handler | form.If | form.With | form.Try | form.Function | form.Class | form.For | form.While


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A list of statements that runs under `header`; `start` and `end` are offsets.

    `is_otherwise` is set for the `else` of an `If`. `owner` is the try statement of a handler. `scope` is the namespace
    in which the statements run.
    """

    header: Header | None
    body: list[form.Stmt]
    start: int
    end: int
    scope: Scope
    outer: Block | None
    is_otherwise: bool = False
    owner: form.Try | None = None

    def outwards(self) -> Iterator[Block]:
        """This block and those around it, definitions' bodies and the module's included."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.outer

    def within_function(self) -> Iterator[Block]:
        """This block and those around it, up to the body of the definition it runs in."""
        for block in self.outwards():
            yield block
            if isinstance(block.header, form.Function | form.Class):
                return


class ModuleBlocks:
    """All blocks of one module; statements are walked once, expressions not at all."""

    def __init__(self, module: Module) -> None:
        self._functions = {id(f.node): f for f in module.functions}
        self._classes = {id(c.node): c for c in module.classes}
        self.blocks: list[Block] = []
        body = module.facts.body
        end = body[-1].end if body else 0
        self._add(Block(None, body, 0, end, module.scope, None))
        self.blocks.sort(key=lambda b: (b.start, -b.end))
        self._starts = [b.start for b in self.blocks]

    def innermost(self, offset: int) -> Block:
        """The block in which the statement at the offset stands."""
        candidate: Block | None = self.blocks[max(bisect_right(self._starts, offset) - 1, 0)]
        while candidate is not None and candidate.outer is not None and not candidate.start <= offset < candidate.end:
            candidate = candidate.outer
        assert candidate is not None
        return candidate

    @property
    def handlers(self) -> Iterator[tuple[form.Handler, Block]]:
        """Every `except` clause with its body."""
        for block in self.blocks:
            if isinstance(block.header, form.Handler):
                yield block.header, block

    def function(self, node: form.Function) -> FunctionSymbol:
        return self._functions[id(node)]

    def _add(self, block: Block) -> None:
        self.blocks.append(block)
        for statement in block.body:
            for header, body, otherwise, owner in _bodies(statement):
                if body:
                    scope = self._scope_of(header, block.scope)
                    self._add(Block(header, body, _start(body[0]), body[-1].end, scope, block, otherwise, owner))

    def _scope_of(self, header: Header, current: Scope) -> Scope:
        if isinstance(header, form.Function):
            return self._functions[id(header)].scope
        if isinstance(header, form.Class):
            return self._classes[id(header)].scope
        return current


def _start(statement: form.Stmt) -> int:
    """Where it begins, decorators included."""
    decorators = statement.decorators if isinstance(statement, form.Function | form.Class) else []
    return min((statement.start, *(d.start for d in decorators)))


def _bodies(node: form.Stmt) -> Iterator[tuple[Header, list[form.Stmt], bool, form.Try | None]]:
    match node:
        case form.Function() | form.Class():
            yield node, node.body, False, None
        case form.If() | form.For() | form.While():
            yield node, node.body, False, None
            yield node, node.orelse, True, None
        case form.With():
            yield node, node.body, False, None
        case form.Try():
            yield node, node.body, False, None
            for handler in node.handlers:
                yield handler, handler.body, False, node
            yield node, node.orelse, True, None
            yield node, node.final, True, None
        case form.Match():
            for case in node.cases:
                # A case adds no condition that any question here asks for: its body counts as the surrounding block's.
                for statement in case.body:
                    yield from _bodies(statement)


def is_debug_condition(test: form.Expr) -> bool:
    """Whether the expression is true in debug mode only: `settings.DEBUG`, `app.debug and ...`, `getenv("DEBUG")`."""
    match test:
        case form.Name(id=name) | form.Attr(attr=name):
            return _is_debug_name(name)
        case form.Boolean(op="and", values=values):
            return any(is_debug_condition(v) for v in values)
        case form.Call(func=form.Name(id=name) | form.Attr(attr=name)):
            if _is_debug_name(name):
                return True
            named = [a.value for a in test.args if isinstance(a.value, form.Const) and isinstance(a.value.value, str)]
            return name in ("getattr", "getenv", "get", "getboolean", "config", "env") and any(
                _is_debug_name(str(n.value)) for n in named
            )
        case form.Compare(left=left, ops=["==" | "is"], rights=[form.Const(value=True)]):
            return is_debug_condition(left)
        case form.Subscript(index=form.Const(value=str() as name)):
            return _is_debug_name(name)
    return False


def _is_debug_name(name: str) -> bool:
    words = name.lower().strip("_").split("_")
    return "debug" in words or words == ["isenabledfor"]


def is_main_guard(test: form.Expr) -> bool:
    """`__name__ == "__main__"`."""
    return (
        isinstance(test, form.Compare)
        and test.ops == ["=="]
        and any(isinstance(side, form.Name) and side.id == "__name__" for side in (test.left, *test.rights))
    )
