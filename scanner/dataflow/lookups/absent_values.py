"""What expressions come to when an object that they speak of was not found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto

from assay.scanner.dataflow.lookups.chains import assigned_names
from assay.scanner.dataflow.lookups.misses import Kind, Miss
from assay.scanner.dataflow.lookups.outcomes import aborts
from assay.scanner.dataflow.responses.statuses import is_response
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_REFUSING_NONE = {
    "len": "TypeError", "iter": "TypeError", "int": "TypeError", "delete": "UnmappedInstanceError",
    "refresh": "UnmappedInstanceError", "expunge": "UnmappedInstanceError", "model_validate": "ValidationError",
    "from_orm": "ValidationError", "parse_obj": "ValidationError",
}  # fmt: skip
"""Functions of libraries that don't take None, and what they raise."""
_TESTING = frozenset({"isinstance", "hasattr", "callable", "bool"})
_TAKING_NONE = frozenset(
    """str repr print type id getattr format log debug info warning error exception append dict""".split()
)
_WRITING = frozenset({"update", "delete", "set", "inc", "upsert", "replace", "update_one", "delete_one"})
"""Steps that write what a query finds, and nothing where that is nothing."""
_SERIALIZERS = ("rest_framework.serializers.", "marshmallow.")

Called = Callable[[FunctionSymbol, frozenset[str]], Miss]
"""What a function of the project comes to when nothing was given for these parameters."""


class Held(Enum):
    """What an expression gives."""

    NONE = auto()
    """The object that was not found."""
    TRUE = auto()
    FALSE = auto()
    HOLLOW = auto()
    """Something with the missing object in it: `{"user": None}`."""
    PASSED = auto()
    """What code that can't be looked into made of it."""
    OTHER = auto()


class Ended(Exception):
    """A path through the code ends in the middle of an expression."""

    def __init__(self, miss: Miss) -> None:
        self.miss = miss


class AbsentValues:
    """The expressions of one function, in the order in which they run.

    `sources` are the look-ups that find nothing, each with how it ends itself. What is before the first of them has
    nothing to do with the object, so `has_met` tells whether one has run. `has_asked` is set as soon as the code looks
    at what it was given, and `passed` is where it was handed to code that can't be looked into.
    """

    def __init__(
        self,
        function: FunctionSymbol,
        sources: Mapping[form.Expr, Miss],
        missing: frozenset[str],
        called: Called,
        project: Project,
    ) -> None:
        self.known: dict[str, Held] = dict.fromkeys(missing, Held.NONE)
        self.has_met = not sources or bool(missing)
        self.has_asked = False
        self.passed: Evidence | None = None
        self.caught: str | None = None
        self._function = function
        self._scope = function.scope
        self._sources = sources
        self._called = called
        self._project = project

    def evidence(self, node: form.Node, text: str) -> Evidence:
        return self._function.module.evidence(node, text)

    def assign(self, targets: list[form.Expr], value: Held, node: form.Expr) -> None:
        for target in targets:
            if isinstance(target, form.Name):
                self.known[target.id] = value
            elif isinstance(target, form.Display):
                if value is Held.NONE:
                    raise self._crash(node, "TypeError")
                for name in assigned_names(target):
                    self.known.pop(name, None)
            else:
                self.of(target)

    def truth(self, test: form.Expr) -> bool | None:
        """What a test turns out as; None where it has nothing to do with the object."""
        value = self.of(test)
        if value not in (Held.NONE, Held.FALSE, Held.TRUE):
            return None
        self.has_asked = self.has_asked or self.has_met
        return value is Held.TRUE

    def of(self, node: form.Expr) -> Held:  # noqa: C901 - one case for each kind of expression
        if node in self._sources:
            return self._source(node)
        match node:
            case form.Name(id=name):
                return self.known.get(name, Held.OTHER) if self.has_met else Held.OTHER
            case form.Const(value=value):
                is_plain = value is None or value is False
                return (Held.NONE if value is None else Held.FALSE) if is_plain else Held.OTHER
            case form.Await(value=form.Call(func=form.Attr(value=inner, attr=step))) if inner in self._sources:
                return self._built(inner, step)
            case form.Await(value=inner) | form.Starred(value=inner):
                return self.of(inner)
            case form.Walrus(target=target, value=inner):
                held = self.of(inner)
                self.assign([target], held, inner)
                return held
            case form.Boolean(op=op, values=values):
                return self._boolean(op, values)
            case form.Unary(op="not", operand=operand):
                held = self.of(operand)
                if held in (Held.NONE, Held.FALSE):
                    return Held.TRUE
                return Held.FALSE if held is Held.TRUE else Held.OTHER
            case form.Compare():
                return self._comparison(node)
            case form.Conditional(test=test, body=body, orelse=orelse):
                truth = self.truth(test)
                if truth is None:
                    first, second = self.of(body), self.of(orelse)
                    return first if first is second else Held.OTHER
                return self.of(body if truth else orelse)
            case form.Attr(value=base) | form.Subscript(value=base):
                held = self.of(base)
                if held is Held.NONE:
                    raise self._crash(node, "AttributeError" if isinstance(node, form.Attr) else "TypeError")
                return held if held in (Held.PASSED, Held.HOLLOW) else Held.OTHER
            case form.Call():
                return self._call(node)
            case form.Dict(values=values) | form.Display(items=values):
                inside = [self.of(v) for v in values]
                return Held.HOLLOW if Held.NONE in inside or Held.HOLLOW in inside else Held.OTHER
            case form.Comprehension():
                return self._comprehension(node)
            case form.Lambda():
                return Held.OTHER
        inside = [self.of(child) for child in _expressions_in(node)]
        return Held.PASSED if Held.PASSED in inside else Held.OTHER

    def _comprehension(self, node: form.Comprehension) -> Held:
        first = node.generators[0].iter if node.generators else None
        if first is not None and self.of(first) is Held.NONE:
            raise self._crash(first, "TypeError")
        if self.holds_source(node.element):
            self.of(node.element)
        return Held.OTHER

    def holds_source(self, node: form.Node) -> bool:
        """Whether a look-up is in it."""
        return any(node.start <= source.start and source.end <= node.end for source in self._sources)

    def _source(self, node: form.Expr) -> Held:
        self.has_met = True
        for inner in form.walk(node):  # `by_id(order_id := request.args["id"])`
            if isinstance(inner, form.Walrus):
                self.of(inner)
        ending = self._sources[node]
        match ending.kind:
            case Kind.NONE:
                return Held.NONE
            case Kind.UNKNOWN:
                self.passed = ending.evidence or self.evidence(node, "what it gives then can't be told")
                return Held.PASSED
            case Kind.GOES_ON:
                self.has_asked = True
                return Held.OTHER
        # What answers for itself is returned by whoever called it, as a rule.
        raise Ended(ending)

    def _built(self, node: form.Expr, step: str) -> Held:
        """A step of a query that is run afterwards: `await Order.get_or_none(id=order_id).only("total")`."""
        held = self.of(node)
        if step in _WRITING:
            self.has_asked = True
            return Held.OTHER
        return held

    def _boolean(self, op: str, values: list[form.Expr]) -> Held:
        held, is_open = Held.OTHER, False
        for value in values:
            held = self.of(value)
            is_false = held in (Held.NONE, Held.FALSE)
            self.has_asked = self.has_asked or (self.has_met and (is_false or held is Held.TRUE))
            if op == "and" and is_false:
                return Held.FALSE if held is not Held.NONE or is_open else Held.NONE
            if op == "or" and held is Held.TRUE:
                return held
            is_open = is_open or not (is_false or held is Held.TRUE)
        return Held.OTHER if is_open else held

    def _comparison(self, node: form.Compare) -> Held:
        left, rights = self.of(node.left), [self.of(r) for r in node.rights]
        if len(rights) != 1:
            return Held.OTHER
        right, op = rights[0], node.ops[0]
        if left is Held.NONE and right is Held.NONE:
            return Held.TRUE if op in ("is", "==") else Held.FALSE if op in ("is not", "!=") else Held.OTHER
        if op in ("in", "not in") and right is Held.NONE:
            raise self._crash(node, "TypeError")
        return Held.OTHER

    # --- calls ---

    def _call(self, node: form.Call) -> Held:
        if isinstance(node.func, form.Attr):
            if self.of(node.func.value) is Held.NONE:
                raise self._crash(node.func, "AttributeError")
        elif not isinstance(node.func, form.Name):
            self.of(node.func)
        given = [self.of(a.value) for a in node.args]
        if not self.has_met:
            return Held.OTHER
        lost = [a for a, held in zip(node.args, given, strict=True) if held is Held.NONE]
        if lost:
            return self._handed_nothing(node, lost)
        if self.has_asked and (ending := aborts(node, self._scope, self._project)) is not None:
            raise Ended(_at(ending, self.evidence(node, "what it answers then")))
        if self._hands_on_exception(node):
            raise Ended(
                Miss(Kind.UNKNOWN, evidence=self.evidence(node, "what it makes of the exception can't be told"))
            )
        if Held.HOLLOW in given and is_response(node, self._scope, self._project):
            return Held.HOLLOW
        return Held.PASSED if Held.PASSED in given else Held.OTHER

    def _hands_on_exception(self, node: form.Call) -> bool:
        """Whether a function of the project gets the exception, and raises something itself."""
        if self.caught is None or not any(isinstance(v, form.Name) and v.id == self.caught for v in node.positional):
            return False
        callee = self._project.callee_function(node, self._scope)
        return callee is not None and any(isinstance(n, form.Raise) for n in callee.nodes)

    def _handed_nothing(self, node: form.Call, lost: list[form.Arg]) -> Held:
        """A call that gets the missing object as an argument."""
        name = last_name(node.func) or ""
        callee = self._project.callee_function(node, self._scope)
        if callee is not None and callee is not self._function and callee.name != "__init__":
            return self._looked_into(node, callee)
        if name in _TESTING:
            return Held.FALSE
        if name in _REFUSING_NONE:
            raise self._crash(node, _REFUSING_NONE[name])
        if name in _TAKING_NONE or any(isinstance(a.value, form.Const) for a in lost):
            return Held.OTHER
        cls = self._project.infer(node.func, self._scope)
        bases = self._project.base_names(cls) if isinstance(cls, ClassSymbol) else frozenset()
        is_written = name in ("dump", "dumps") or any(base.startswith(_SERIALIZERS) for base in bases)
        if is_written or (lost[0] is node.args[0] and is_response(node, self._scope, self._project)):
            return Held.HOLLOW
        self.passed = self.evidence(node, "what it does with nothing can't be told")
        return Held.PASSED

    def _looked_into(self, node: form.Call, callee: FunctionSymbol) -> Held:
        missing = frozenset(
            p.name
            for p in callee.parameters
            if (argument := self._project.bound_argument(node, callee, p)) is not None
            and self.of(argument) is Held.NONE
        )
        ending = self._called(callee, missing)
        match ending.kind:
            case Kind.NONE:
                return Held.NONE
            case Kind.UNKNOWN:
                self.passed = self.evidence(node, "what it does with nothing can't be told")
                return Held.PASSED
            case Kind.GOES_ON:
                return Held.OTHER
        raise Ended(ending)

    def _crash(self, node: form.Expr, exception: str) -> Ended:
        return Ended(Miss(Kind.CRASHES, 500, exception, evidence=self.evidence(node, "it fails here on None")))


def _at(miss: Miss, evidence: Evidence) -> Miss:
    return Miss(miss.kind, miss.status, miss.exception, miss.cls, evidence)


def _expressions_in(node: form.Expr) -> Iterator[form.Expr]:
    for child in node.children():
        if isinstance(child, form.Expr):
            yield child
