"""Which stretches of a function's text run again and again, and what ends or spares the repetition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assay.scanner.linker.scopes import FunctionSymbol, How
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A `for` loop or one `for` of a comprehension: what it goes through, and the stretches that run for each element.

    `body` are the statements of a `for` loop, none for a comprehension.
    """

    node: form.For | form.Comprehension
    iter: form.Expr
    target: form.Expr
    stretches: tuple[tuple[int, int], ...]
    body: Sequence[form.Stmt] = ()

    def repeats(self, offset: int) -> bool:
        return any(start <= offset < end for start, end in self.stretches)


@dataclass(slots=True)
class Regions:
    """The loops of a function, outermost first, and the stretches that run only after a failure or when asked to."""

    loops: list[Loop] = field(default_factory=list)
    handlers: list[tuple[int, int]] = field(default_factory=list)
    lambdas: list[tuple[int, int]] = field(default_factory=list)

    def around(self, offset: int) -> list[Loop]:
        """The loops that repeat the place, the outermost first."""
        return [loop for loop in self.loops if loop.repeats(offset)]

    def is_exceptional(self, offset: int) -> bool:
        return any(start <= offset < end for start, end in self.handlers)

    def is_deferred(self, offset: int, loop: Loop | None = None) -> bool:
        """Whether a lambda has the place, within the loop: whoever is given it may call it once, or never."""
        return any(start <= offset < end and (loop is None or loop.repeats(start)) for start, end in self.lambdas)


def may_loop(function: FunctionSymbol) -> bool:
    """Whether any loop or comprehension binds a name in the function."""
    scope = function.scope
    return bool(scope.comprehended) or any(b.how is How.FOR for bs in scope.bindings.values() for b in bs)


def regions_of(function: FunctionSymbol) -> Regions:
    """Found in one walk over the function."""
    found = Regions()
    for node in function.nodes:
        match node:
            case form.For(body=body) if body:
                stretch = ((body[0].start, body[-1].end),)
                found.loops.append(Loop(node, node.iter, node.target, stretch, body))
            case form.Comprehension():
                found.loops += _of_comprehension(node)
            case form.Try(handlers=handlers):
                found.handlers += [(h.start, h.end) for h in handlers]
            case form.Lambda():
                found.lambdas.append((node.start, node.end))
    return found


def _of_comprehension(node: form.Comprehension) -> Iterator[Loop]:
    for index, generator in enumerate(node.generators):
        repeated = [node.element, *([node.value] if node.value is not None else []), *generator.ifs]
        for later in node.generators[index + 1 :]:
            repeated += [later.iter, *later.ifs]
        yield Loop(node, generator.iter, generator.target, tuple((part.start, part.end) for part in repeated))


def statements_around(body: Sequence[form.Stmt], offset: int) -> list[tuple[Sequence[form.Stmt], int]]:
    """The statement lists on the way to the place, outermost first, each with the index of the statement it is in."""
    way: list[tuple[Sequence[form.Stmt], int]] = []
    current: Sequence[form.Stmt] | None = body
    while current is not None:
        index = next((i for i, s in enumerate(current) if s.start <= offset < s.end), None)
        if index is None:
            return way
        way.append((current, index))
        current = next((block for block in _blocks(current[index]) if _covers(block, offset)), None)
    return way


def _covers(block: Sequence[form.Stmt], offset: int) -> bool:
    return bool(block) and block[0].start <= offset < block[-1].end


def _blocks(statement: form.Stmt) -> list[Sequence[form.Stmt]]:
    match statement:
        case (
            form.If(body=body, orelse=orelse)
            | form.While(body=body, orelse=orelse)
            | form.For(body=body, orelse=orelse)
        ):
            return [body, orelse]
        case form.With(body=body):
            return [body]
        case form.Try(body=body, handlers=handlers, orelse=orelse, final=final):
            return [body, *[h.body for h in handlers], orelse, final]
        case form.Match(cases=cases):
            return [case.body for case in cases]
    return []


def leaves(block: Sequence[form.Stmt]) -> bool:
    """Whether a run of the block ends the loop around it for good."""
    return any(isinstance(s, form.Return) or (isinstance(s, form.Jump) and s.keyword == "break") for s in block)
