"""Statements: runs a function's body once, along all ways that can be taken, and sums it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from assay.scanner.dataflow.taint import containers
from assay.scanner.dataflow.taint.arguments import Arguments, default_name
from assay.scanner.dataflow.taint.evaluation import Evaluation
from assay.scanner.dataflow.taint.state import State, merge
from assay.scanner.dataflow.taint.summary import Cleared, Summary
from assay.scanner.dataflow.taint.values import (
    EVERYTHING,
    NONE,
    Cell,
    Const,
    Func,
    Klass,
    Ref,
    Slot,
    Thing,
    Tree,
    Value,
    frozen,
    joined,
)
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.engine import Engine

_ROUNDS = 2
"""How often a loop's body is run: what an earlier round leaves behind shows in the second."""
_MOST_ITEMS = 8
"""A loop over so many known items is run item by item."""


@dataclass(slots=True)
class _Loop:
    breaks: list[State] = field(default_factory=list)
    continues: list[State] = field(default_factory=list)


class Run:
    """One run of a body in a scope, with variables given."""

    def __init__(self, engine: Engine, scope: Scope, given: Mapping[str, Value]) -> None:
        self.summary = Summary()
        self._eval = Evaluation(engine, scope, self.summary)
        self._eval.state.env.update(given)
        self._returned: list[tuple[Value, State, form.Expr | None]] = []
        self._loops: list[_Loop] = []
        self._engine = engine

    def of(self, body: Sequence[form.Stmt]) -> Summary:
        """What running the body does."""
        end = self._body(body, self._eval.state)
        if end is not None:
            self._returned.append((NONE, end, None))
        self._sum_up()
        return self.summary

    def expression(self, node: form.Expr) -> Value:
        """The value of an expression alone, as it is outside of the run."""
        return self._eval.frozen(self._eval.value(node))

    def decorated(self, decorator: form.Expr, value: Value) -> Value:
        """What a decorator makes of a function."""
        return self._decorated(value, decorator)

    # --- summing up ---

    def _sum_up(self) -> None:
        states = [state for _, state, _ in self._returned]
        if not states:
            self.summary.result = None
            return
        results = [frozen(value, state.heap) for value, state, _ in self._returned]
        if self._eval.yielded:
            end = merge(states)
            assert end is not None
            yielded = joined(frozen(v, end.heap) for v in self._eval.yielded)
            results = [Tree("list", (), yielded)]
        self.summary.result = joined(results)
        self._sum_up_writes(states)
        proved = [state.proved for state in states]
        self.summary.always = _common(proved)
        outcomes = [self._outcomes(*returned) for returned in self._returned]
        self.summary.if_true = _common([t for t, _ in outcomes if t is not None])
        self.summary.if_false = _common([f for _, f in outcomes if f is not None])

    def _sum_up_writes(self, states: Sequence[State]) -> None:
        end = merge(states)
        assert end is not None
        for slot, cell in end.overlay.items():
            entries = {k: frozen(v, end.heap) for k, v in cell.entries.items()}
            changed = {k: v for k, v in entries.items() if v != Slot(slot.owner, slot.name, (*slot.path, k))}
            rest = frozen(cell.rest, end.heap) if cell.rest is not None else None
            if changed or rest is not None:
                self.summary.writes[slot] = Cell("object", changed, rest)
        for name in sorted(self._eval.scope.nonlocals):
            if name in end.env:
                self.summary.rebinds[name] = frozen(end.env[name], end.heap)

    def _outcomes(self, value: Value, state: State, node: form.Expr | None) -> tuple[Cleared | None, Cleared | None]:
        """What is proved where the returned value is true, and where it is false; None where it can't be."""
        truth = self._eval.truth(value) if node is not None else False
        if truth is not None or node is None:
            return (state.proved if truth else None), (None if truth else state.proved)
        if not _is_answer(value, node):
            return state.proved, state.proved
        self._eval.state = state
        found = [self._eval.guards.refined(node, outcome) for outcome in (True, False)]
        return tuple(s.proved if s is not None else None for s in found)  # type: ignore[return-value]

    # --- statements ---

    def _body(self, body: Sequence[form.Stmt], state: State | None) -> State | None:
        for statement in body:
            if state is None:
                return None
            state = self._statement(statement, state)
        return state

    def _statement(self, node: form.Stmt, state: State) -> State | None:
        run = self._BY_KIND.get(type(node))
        if run is None:
            return state
        self._eval.state = state
        self._eval.leaves = False
        found = run(self, node)
        if self._eval.leaves and isinstance(node, form.ExprStmt | form.Assign | form.Return):
            if isinstance(node, form.Return):
                self._returned.pop()
            self._eval.leaves = False
            return None
        return found

    def _expression(self, node: form.ExprStmt) -> State:
        self._eval.value(node.value)
        self._validated(node.value)
        return self._eval.state

    def _validated(self, node: form.Expr) -> None:
        """`int(x)` that doesn't raise has shown that x is a number, `Color(x)` that it is one of its values."""
        if isinstance(node, form.Call) and isinstance(node.func, form.Name | form.Attr) and len(node.args) == 1:
            callee = self._engine.project.infer(node.func, self._eval.scope)
            is_number = isinstance(callee, External) and callee.name in self._engine.validating
            if is_number or (isinstance(callee, ClassSymbol) and self._engine.is_enumeration(callee)):
                self._eval.guards.clear(node.args[0].value, EVERYTHING)

    def _assign(self, node: form.Assign) -> State:
        state = self._eval.state
        if node.value is None:
            return state
        value = self._eval.value(node.value)
        if isinstance(node.value, form.Call) and not self._eval.leaves:
            self._validated(node.value)
        for target in node.targets:
            name = form.dotted(target)
            text = f"`{name}` holds it" if name is not None else "it is kept"
            self._eval.targets.bind(target, self._eval.handed_on(value, node, text))
        if isinstance(node.value, form.Call | form.Await):
            self._eval.guards.looked_up(node.targets, node.value, value)
        return self._eval.state

    def _augmented(self, node: form.AugAssign) -> State:
        old = self._eval.value(node.target)
        new = self._eval.value(node.value)
        op = node.op.removesuffix("=")
        cell = self._eval.cell(old)
        if isinstance(old, Ref) and cell is not None and op == "+":
            containers.call(self._eval.state, old, cell, "extend", [new], {})
            return self._eval.state
        if isinstance(old, Ref) and cell is not None and op == "|":
            containers.call(self._eval.state, old, cell, "update", [new], {})
            return self._eval.state
        found = self._eval.binary(op, old, new, node)
        name = form.dotted(node.target)
        text = f"`{name}` holds it" if name is not None else "it is kept"
        self._eval.targets.bind(node.target, self._eval.handed_on(found, node, text))
        return self._eval.state

    def _return(self, node: form.Return) -> None:
        value = self._eval.value(node.value) if node.value is not None else NONE
        self._engine.answered(node, value, self._eval)
        value = self._eval.handed_on(value, node, "it is returned")
        self._returned.append((value, self._eval.state, node.value))

    def _raise(self, node: form.Raise) -> None:
        for part in (node.exc, node.cause):
            self._eval.maybe(part)

    def _assert(self, node: form.Assert) -> State | None:
        # Asserts are stripped by `python -O`: what they show proves nothing.
        self._eval.value(node.test)
        return self._eval.state

    def _delete(self, node: form.Delete) -> State:
        state = self._eval.state
        target = node.target
        if isinstance(target, form.Subscript):
            owner = self._eval.value(target.value)
            cell = self._eval.cell(owner)
            if isinstance(owner, Ref) and cell is not None and not isinstance(target.index, form.Slice):
                key = self._eval.value(target.index)
                self._eval.state.heap[owner.site] = containers.without_item(cell, key)
        elif isinstance(target, form.Name):
            state.env.pop(target.id, None)
        return self._eval.state

    def _jump(self, node: form.Jump) -> State | None:
        state = self._eval.state
        if node.keyword == "break" and self._loops:
            self._loops[-1].breaks.append(state)
            return None
        if node.keyword == "continue" and self._loops:
            self._loops[-1].continues.append(state)
            return None
        return state

    def _if(self, node: form.If) -> State | None:
        truth = self._eval.truth(self._eval.tested(node.test))
        after = self._eval.state
        ends: list[State | None] = []
        for wanted, body in ((True, node.body), (False, node.orelse)):
            if truth is (not wanted):
                continue
            self._eval.state = after
            narrowed = self._eval.guards.refined(node.test, wanted)
            if narrowed is not None:
                ends.append(self._body(body, narrowed))
        return merge(ends)

    def _for(self, node: form.For) -> State | None:
        iterated = self._eval.value(node.iter)
        cell = self._eval.cell(iterated) if not isinstance(iterated, Slot) else None
        if cell is not None and cell.is_sequence and cell.rest is None and len(cell.entries) <= _MOST_ITEMS:
            return self._known_rounds(node, list(cell.entries.values()))
        element = self._eval.element(iterated)
        return self._rounds(node, node.body, node.orelse, lambda: self._bind_element(node, element), lambda: None)

    def _bind_element(self, node: form.For, element: Value) -> None:
        self._eval.targets.bind(node.target, self._eval.handed_on(element, node.target, "the loop takes it out"))

    def _known_rounds(self, node: form.For, items: Sequence[Value]) -> State | None:
        """A loop over items that are known one by one."""
        loop = _Loop()
        self._loops.append(loop)
        state: State | None = self._eval.state
        for item in items:
            if state is None:
                break
            self._eval.state = state
            self._bind_element(node, item)
            end = self._body(node.body, self._eval.state)
            state = merge([end, *loop.continues])
            loop.continues.clear()
        self._loops.pop()
        if state is not None:
            state = self._body(node.orelse, state)
        return merge([state, *loop.breaks])

    def _while(self, node: form.While) -> State | None:
        def enter() -> None:
            self._eval.tested(node.test)

        def narrowed(outcome: bool) -> State | None:
            truth = self._eval.truth(self._eval.value(node.test))
            if truth is (not outcome):
                return None
            return self._eval.guards.refined(node.test, outcome)

        return self._rounds(node, node.body, node.orelse, enter, narrowed)

    def _rounds(
        self,
        node: form.For | form.While,
        body: Sequence[form.Stmt],
        orelse: Sequence[form.Stmt],
        enter: Callable[[], None],
        narrowed: Callable[[bool], State | None] | Callable[[], None],
    ) -> State | None:
        """A loop of which it isn't known how often it runs."""
        loop = _Loop()
        self._loops.append(loop)
        exits: list[State | None] = []
        state: State | None = self._eval.state
        for _ in range(_ROUNDS + 1):
            if state is None:
                break
            self._eval.state = state
            if isinstance(node, form.While):
                enter()
                exits.append(narrowed(False))  # type: ignore[call-arg]
                inside = narrowed(True)  # type: ignore[call-arg]
            else:
                exits.append(state.copy())
                enter()
                inside = self._eval.state
            if inside is None:
                break
            end = self._body(body, inside.copy())
            after = merge([end, *loop.continues])
            loop.continues.clear()
            state = merge([inside, after]) if isinstance(node, form.For) and after is not None else after
        if state is not None and isinstance(node, form.For):
            exits.append(state)
        elif state is not None:
            self._eval.state = state
            exits.append(narrowed(False))  # type: ignore[call-arg]
        self._loops.pop()
        left = self._body(orelse, merge(exits)) if orelse else merge(exits)
        return merge([left, *loop.breaks])

    def _try(self, node: form.Try) -> State | None:
        state = self._eval.state
        start = state.copy()
        points: list[State | None] = [start]
        current: State | None = state
        for statement in node.body:
            if current is None:
                break
            current = self._statement(statement, current)
            if current is not None:
                points.append(current.copy())
        failed = merge(points)
        ends: list[State | None] = [self._body(node.orelse, current) if current is not None else None]
        for handler in node.handlers:
            if failed is None:
                break
            caught = failed.copy()
            if handler.name is not None:
                caught.assign(handler.name, Thing("builtins.Exception"))
            ends.append(self._body(handler.body, caught))
        end = merge(ends)
        if not node.final:
            return end
        if end is None:
            # The block runs, and what was on its way out goes on.
            self._body(node.final, (failed or start).copy())
            return None
        return self._body(node.final, end)

    def _with(self, node: form.With) -> State | None:
        for item in node.items:
            value = self._eval.value(item.value)
            entered = self._entered(value, item.value)
            if item.target is not None:
                self._eval.targets.bind(item.target, entered)
        return self._body(node.body, self._eval.state)

    def _entered(self, manager: Value, node: form.Expr) -> Value:
        cell = self._eval.cell(manager) if not isinstance(manager, Slot) else None
        if cell is not None and cell.cls is not None:
            for name in ("__enter__", "__aenter__"):
                method = self._engine.project.method(cell.cls, name)
                if method is not None:
                    return self._eval.functions.call(node, Func(method, manager), Arguments.none())
        if cell is not None and cell.kind == "list" and isinstance(node, form.Call):
            return cell.all  # of a generator that is a context manager: what it yields
        return manager

    def _match(self, node: form.Match) -> State | None:
        subject = self._eval.value(node.subject)
        ends: list[State | None] = []
        rest: State | None = self._eval.state
        for case in node.cases:
            if rest is None:
                break
            self._eval.state = rest.copy()
            values = [self._eval.value(v) for v in case.values]
            is_literal = bool(values) and not case.binds
            if is_literal and isinstance(subject, Const) and all(isinstance(v, Const) for v in values):
                if subject not in values:
                    continue
                rest = None
            elif is_literal:
                self._eval.want(subject)
                for value in values:
                    if isinstance(node.subject, form.Name) and isinstance(value, Const):
                        self._eval.state.env[node.subject.id] = joined(values)
            for name in case.binds:
                self._eval.targets.bind(name, subject)
            if case.guard is not None:
                self._eval.value(case.guard)
            elif not case.values and rest is not None:
                ends.append(self._body(case.body, self._eval.state))
                rest = None
                continue
            ends.append(self._body(case.body, self._eval.state))
        return merge([*ends, rest])

    def _function(self, node: form.Function) -> State:
        state = self._eval.state
        symbol = self._symbol_of(node)
        if symbol is not None:
            value: Value = Func(symbol, None, self._closed_over(symbol, state))
            for decorator in reversed(node.decorators):
                value = self._decorated(value, decorator)
            self._eval.state.assign(node.name, value)
        return self._eval.state

    def _decorated(self, value: Value, decorator: form.Expr) -> Value:
        callee = self._eval.value(decorator)
        if isinstance(callee, Func) or callee == self._engine.identity:
            found = self._eval.calls.apply(decorator, callee, Arguments((value,), {}))
            self._eval.leaves = False
            return found if isinstance(found, Func) else value
        return value

    def _symbol_of(self, node: form.Function) -> FunctionSymbol | None:
        for binding in self._eval.scope.bindings.get(node.name, ()):
            if binding.function is not None and binding.function.node is node:
                return binding.function
        return None

    def _closed_over(self, symbol: FunctionSymbol, state: State) -> tuple[tuple[str, Value], ...]:
        """The variables around a nested function that it speaks of, and its parameters' defaults."""
        names = self._engine.free_names(symbol)
        around = tuple((n, state.env[n]) for n in names if n in state.env)
        defaults = tuple((default_name(p), self._eval.value(p.default)) for p in symbol.node.params if p.default)
        return (*around, *defaults)

    def _class(self, node: form.Class) -> State:
        state = self._eval.state
        for binding in self._eval.scope.bindings.get(node.name, ()):
            if binding.cls is not None and binding.cls.node is node:
                state.assign(node.name, Klass(binding.cls))
        return state

    def _import(self, node: form.Stmt) -> State:
        state = self._eval.state
        for name in _imported(node):
            state.env.pop(name, None)
        return state

    _BY_KIND: ClassVar[Mapping[type[form.Node], Callable[..., State | None]]] = {
        form.ExprStmt: _expression,
        form.Assign: _assign,
        form.AugAssign: _augmented,
        form.Return: _return,
        form.Raise: _raise,
        form.Assert: _assert,
        form.Delete: _delete,
        form.Jump: _jump,
        form.If: _if,
        form.For: _for,
        form.While: _while,
        form.Try: _try,
        form.With: _with,
        form.Match: _match,
        form.Function: _function,
        form.Class: _class,
        form.Import: _import,
        form.ImportFrom: _import,
    }


_PREDICATES = ("all", "any", "bool", "endswith", "has", "is", "match", "fullmatch", "startswith", "url_has")


def _is_answer(value: Value, node: form.Expr) -> bool:
    """Whether it says yes or no: of a library's function, its name tells."""
    if isinstance(value, Thing) and value.type_name in ("builtins.bool", "re.Match"):
        return True
    return isinstance(node, form.Call) and (last_name(node.func) or "").startswith(_PREDICATES)


def _imported(node: form.Stmt) -> list[str]:
    match node:
        case form.Import(names=names):
            return [alias or name.split(".", 1)[0] for name, alias in names]
        case form.ImportFrom(names=names):
            return [alias or name for name, alias in names]
    return []


def _common(proved: Sequence[Cleared]) -> Cleared:
    """What all of them prove."""
    if not proved:
        return {}
    first, *others = proved
    found = {}
    for slot, kinds in first.items():
        shared = kinds
        for other in others:
            shared &= other.get(slot, frozenset())
        if shared:
            found[slot] = shared
    return found
