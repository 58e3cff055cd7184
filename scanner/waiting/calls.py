"""Which functions of the project a function's own body calls: not those that it only names, or hands to others."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_CONSTRUCTORS = ("__init__", "__post_init__")
_CACHING = frozenset({"cache", "lru_cache", "cached", "cached_property", "alru_cache", "memoize", "memoized"})
_MANAGING = frozenset({"contextmanager", "asynccontextmanager"})
_THREADS = ("threading.Thread", "multiprocessing.Process", "multiprocessing.context.Process", "threading.Timer")
_PLAIN = frozenset({"staticmethod", "classmethod", "override", "property", "final", "wraps"})
JOINING = frozenset({"gather", "wait_for", "shield", "wait", "run", "run_until_complete"})
"""Calls that wait for the coroutines that they are given."""
_HANDING_ON = frozenset(
    """thread threaded threads background async task job actor defer deferred executor spawn delay worker""".split()
)
"""Words of decorators after which a call hands the body to somebody else."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A call in a function's body, and the function of the project that runs."""

    call: form.Call
    caller: FunctionSymbol
    callee: FunctionSymbol


@dataclass(slots=True, eq=False)
class Body:
    """The calls of one function. `awaited` are those directly behind `await`; `passed_on` those whose result goes on to
    something that may await it, or enter it.
    """

    calls: list[form.Call] = field(default_factory=list)
    awaited: set[form.Expr] = field(default_factory=set)
    passed_on: set[form.Expr] = field(default_factory=set)
    iterated: set[form.Expr] = field(default_factory=set)
    given: dict[form.Expr, form.Call] = field(default_factory=dict)
    """Calls that are arguments, and the call that each is one of."""
    steps: list[Step] = field(default_factory=list)

    def is_waited_for(self, step: Step) -> bool:
        """Whether the function goes on only after the step, which isn't a coroutine that it leaves to somebody."""
        taker = self.given.get(step.call) if step.callee.node.is_async else None
        return taker is None or taker in self.awaited or last_name(taker.func) in JOINING


class DirectCalls:
    """Answers for one project; each function is looked at once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._bodies: dict[FunctionSymbol, Body] = {}
        self._generators: dict[FunctionSymbol, bool] = {}

    def of(self, function: FunctionSymbol) -> Body:
        """What the function calls."""
        body = self._bodies.get(function)
        if body is None:
            body = self._bodies[function] = _calls_in(function)
            for call in body.calls:
                callee = self._callee(call, function)
                if callee is not None and callee is not function and self._runs_here(call, callee, body):
                    body.steps.append(Step(call, function, callee))
        return body

    def _callee(self, call: form.Call, function: FunctionSymbol) -> FunctionSymbol | None:
        match self._project.infer(call.func, function.scope):
            case FunctionSymbol() as found:
                return found
            case BoundMethod(function=method, receiver=receiver):
                return self._implementation(method, receiver)
            case ClassSymbol() as cls:
                made = (self._project.method(cls, name) for name in _CONSTRUCTORS)
                return next((m for m in made if m is not None), None)
            case Instance(cls=ClassSymbol() as cls):
                return self._project.method(cls, "__call__")
        return None

    def _implementation(self, method: FunctionSymbol, receiver: Instance) -> FunctionSymbol:
        """Of a method that is only declared, the one that a single class below defines."""
        cls = receiver.cls or method.owner
        if cls is None or not is_declared_only(method):
            return method
        found = [m for c in self._project.subclasses(cls) if (m := c.methods.get(method.name)) is not None]
        return found[0] if len(found) == 1 else method

    def _runs_here(self, call: form.Call, callee: FunctionSymbol, body: Body) -> bool:
        """Whether the body runs where the call stands: not later, in a thread, or only the first time."""
        if callee.module.role is not Role.PROD:
            return False
        names = [last_name(d.func if isinstance(d, form.Call) else d) or "" for d in callee.decorators]
        if not _CACHING.isdisjoint(names) or any(not _HANDING_ON.isdisjoint(words(name)) for name in names):
            return False
        if callee.name == "run" and callee.owner is not None and self._project.is_subclass(callee.owner, *_THREADS):
            return False
        if callee.node.is_async:
            return True
        if call in body.awaited and not _PLAIN.issuperset(names):
            return False
        if callee not in self._generators:
            self._generators[callee] = is_generator(callee)
        if self._generators[callee]:
            return call in body.iterated or not _MANAGING.isdisjoint(names)
        return True


def is_generator(function: FunctionSymbol) -> bool:
    """Whether calling it runs nothing yet."""
    return any(isinstance(node, form.Yield) for node in function.nodes)


def is_declared_only(function: FunctionSymbol) -> bool:
    """Whether it has no code of its own: `...`, `pass`, `raise NotImplementedError`."""
    said = [s for s in function.node.body if not (isinstance(s, form.ExprStmt) and not _acts(s.value))]
    return all(isinstance(s, form.Jump) or (isinstance(s, form.Raise) and _is_refusal(s)) for s in said)


def _acts(node: form.Expr) -> bool:
    return not isinstance(node, form.Const | form.Opaque)


def _is_refusal(statement: form.Raise) -> bool:
    return statement.exc is not None and any(
        isinstance(n, form.Name) and n.id == "NotImplementedError" for n in form.walk(statement.exc)
    )


def _calls_in(function: FunctionSymbol) -> Body:
    body = Body()
    for node in function.nodes:
        match node:
            case form.Call():
                body.calls.append(node)
                handed = [a for arg in node.args for a in _handed(arg.value)]
                body.passed_on.update(handed)
                body.given.update((a, node) for a in handed if isinstance(a, form.Call))
            case form.Await(value=value):
                body.awaited.add(value)
            case form.With(items=items):
                body.passed_on.update(item.value for item in items)
            case form.For(iter=iterated):
                body.passed_on.add(iterated)
                body.iterated.add(iterated)
            case form.Comprehension(generators=generators):
                body.iterated.update(g.iter for g in generators)
            # Nobody awaits twice what an async function gives.
            case form.Return(value=value) if value is not None and not function.node.is_async:
                body.passed_on.update(_handed(value))
            case form.Yield(value=value) if value is not None:
                body.iterated.add(value)
    return body


def _handed(node: form.Expr) -> list[form.Expr]:
    """The expression itself, and those that a display or comprehension holds."""
    match node:
        case form.Display(items=items):
            return [inner for item in items for inner in _handed(item)]
        case form.Comprehension(element=element):
            return [element]
        case form.Starred(value=inner):
            return _handed(inner)
        case form.Conditional(body=then, orelse=orelse):
            return [then, orelse]
    return [node]
