"""What a function's result hangs on: the request's parts and the parameters on the way to what it returns.

A slice backwards from what is returned: through names that are assigned, through conditions that decide, and through
functions of the project that are called for it. What is only logged or counted on the way isn't part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import get_args

from assay.scanner.caching.bodies import NOTHING, Body, Reading
from assay.scanner.caching.request_inputs import RequestInputs
from assay.scanner.dataflow.constants import Given
from assay.scanner.dataflow.ways import way_to
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.model.cached_result import Input
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 4
"""Calls followed: further away, what a function is told is no longer what the request said."""
_EXPRESSIONS = get_args(form.Expr)


@dataclass(frozen=True, slots=True)
class Result:
    """`parameters` are the function's own that the result hangs on; `templates` are shown with it."""

    inputs: tuple[Input, ...] = ()
    parameters: frozenset[str] = frozenset()
    templates: tuple[Evidence, ...] = ()
    classes: tuple[ClassSymbol, ...] = ()
    """Classes of the project that are named on the way: of tables, where rows are read."""


class Results:
    """Answers for one project, and remembers them by function."""

    def __init__(self, project: Project) -> None:
        self.requests = RequestInputs(project)
        self._project = project
        self._known: dict[FunctionSymbol, Result] = {}
        self._in_work: set[FunctionSymbol] = set()

    def of_function(self, function: FunctionSymbol) -> Result:
        """What decides about its result, conditions and refusals included."""
        if function in self._known:
            return self._known[function]
        if function in self._in_work or len(self._in_work) > _DEEPEST:
            return Result()
        self._in_work.add(function)
        body = Reading(function.scope, self._project).body()
        found = self._sliced(body.results, body, function.scope)
        self._in_work.discard(function)
        if not self._in_work:
            self._known[function] = found
        return found

    def of_key(self, nodes: Iterable[form.Expr], scope: Scope, given: Given = NOTHING) -> Result:
        """What is in a value: of the function around it, only what goes into it and not what decides. `given` are names
        that are known, so that branches they rule out don't count.
        """
        body = Reading(scope, self._project, given).body()
        return self._sliced(nodes, body, scope, given, with_conditions=False)

    def of_value(self, node: form.Expr, scope: Scope, reads: Iterable[form.Expr] = ()) -> Result:
        """What decides about a value that a function has at hand, and puts where `reads` look for it: these themselves,
        and what decides whether the function looks there at all, say nothing of it.
        """
        body = Reading(scope, self._project).body()
        around = {b.test for read in reads for b in way_to(scope.body, read.start) if b.test is not None}
        for name, tests in body.conditions.items():
            body.conditions[name] = [test for test in tests if test not in around]
        for name, values in body.assigned.items():
            body.assigned[name] = [v for v in values if not any(v.start <= r.start < v.end for r in reads)]
        return self._sliced([node], body, scope)

    def key_returned(self, function: FunctionSymbol, given: Given = NOTHING) -> Result:
        """What goes into the text that a function returns."""
        return self.of_key([r.value for r in function.returns if r.value is not None], function.scope, given)

    def of_methods(self, cls: ClassSymbol, wanted: Callable[[str], bool]) -> Result:
        """What decides about the results of a class's methods, its bases' in the project included."""
        found: dict[str, Result] = {}
        for base in self._project.mro(cls):
            for name, method in base.methods.items() if isinstance(base, ClassSymbol) else ():
                if wanted(name) and name not in found:
                    found[name] = self.of_function(method)
        return joined(found.values())

    # --- expressions ---

    def _sliced(
        self,
        wanted: Iterable[form.Expr],
        body: Body,
        scope: Scope,
        given: Given = NOTHING,
        with_conditions: bool = True,
    ) -> Result:
        parts: list[Result] = []
        names: set[str] = set()
        queue = list(wanted)
        own = scope.function
        parameters = {p.name for p in own.node.params} if own is not None else set()
        while queue:
            node = queue.pop()
            found, below = self._looked_into(node, scope, given)
            parts.append(found)
            queue += below
            if isinstance(node, form.Name) and node.id not in names:
                names.add(node.id)
                queue += body.assigned.get(node.id, ())
                queue += body.conditions.get(node.id, ()) if with_conditions else ()
                if node.id in parameters:
                    parts.append(Result(parameters=frozenset({node.id})))
                elif node.id not in body.assigned and own is not None:
                    parts.append(self._of_outer(node, scope, given))
        return joined(parts)

    def _of_outer(self, name: form.Name, scope: Scope, given: Given) -> Result:
        """A name of the function around, as a decorator's wrapper has: what is known of it."""
        bound = scope.lookup(name.id)
        known = given.get((bound[0].scope, name.id)) if bound else None
        if known is None or known[0] is name:
            return Result()
        inner = self.of_key([known[0]], known[1])
        return replace(inner, parameters=frozenset())

    def _looked_into(self, node: form.Expr, scope: Scope, given: Given) -> tuple[Result, list[form.Expr]]:
        """What the expression itself brings in, and what is to be looked at for the rest."""
        found = self.requests.of(node, scope)
        if found is not None:
            via = frozenset({found.via}) if found.via is not None else frozenset()
            return Result((found,), via), []
        taken = _taken_by_name(node, scope)
        if taken is not None:
            return Result(parameters=frozenset({taken})), []
        if isinstance(node, form.Conditional):
            decided = Reading(scope, self._project, given).decided(node.test)
            branches = [*([node.body] if decided is not False else []), *([node.orelse] if decided is not True else [])]
            return Result(), branches if given else [node.test, *branches]
        if isinstance(node, form.Call):
            return self._call(node, scope)
        if isinstance(node, form.Name | form.Attr) and (last_name(node) or "a")[0].isupper():
            named = self._project.infer(node, scope)
            return Result(classes=(named,) if isinstance(named, ClassSymbol) else ()), []
        return Result(), [child for child in node.children() if isinstance(child, _EXPRESSIONS)]

    def _call(self, call: form.Call, scope: Scope) -> tuple[Result, list[form.Expr]]:
        receiver = [call.func.value] if isinstance(call.func, form.Attr) else []
        if self.requests.shows_a_template(call, scope):
            shown = scope.module.evidence(call, "what is in this template?")
            return Result(templates=(shown,)), [a.value for a in call.args]
        value = self._project.infer(call.func, scope)
        if isinstance(value, ClassSymbol):
            made = self.of_methods(value, is_of_serializer) if self._is_serializer(value) else Result()
            return replace(made, parameters=frozenset()), [a.value for a in call.args]
        callee = self._project.callee_function(call, scope)
        if callee is None:
            return Result(), [*([call.func] if receiver else []), *(a.value for a in call.args)]
        inner = self.of_function(callee)
        followed: list[form.Expr] = []
        vias: dict[str, str | None] = {}
        for param in callee.parameters:
            argument = self._project.bound_argument(call, callee, param)
            if argument is not None and param.name in inner.parameters:
                followed.append(argument)
                vias[param.name] = argument.id if isinstance(argument, form.Name) else None
        followed += [a.value for a in call.args if a.star]
        inputs = tuple(
            replace(i, via=vias.get(i.via) if i.via is not None else None, calls=i.calls + 1) for i in inner.inputs
        )
        return Result(inputs, frozenset(), inner.templates, inner.classes), [*receiver, *followed]

    def _is_serializer(self, cls: ClassSymbol) -> bool:
        return any(name.startswith("rest_framework.") for name in self._project.base_names(cls))


def _taken_by_name(node: form.Expr, scope: Scope) -> str | None:
    """The parameter that a wrapper takes out of all: `kwargs["user_id"]`, `kwargs.get("user_id")`."""
    match node:
        case form.Subscript(value=form.Name(id=name), index=form.Const(value=str() as key)):
            pass
        case form.Call(
            func=form.Attr(value=form.Name(id=name), attr="get"),
            args=[form.Arg(value=form.Const(value=str() as key)), *_],
        ):
            pass
        case _:
            return None
    bound = scope.bindings.get(name, ())
    is_rest = any(b.param is not None and b.param.kind is form.ParamKind.VAR_KEYWORD for b in bound)
    return key if is_rest or (name == "kwargs" and any(b.param is not None for b in bound)) else None


def is_of_serializer(name: str) -> bool:
    """Whether a serializer calls the method for what it writes."""
    return name.startswith("get_") or name == "to_representation"


def joined(results: Iterable[Result]) -> Result:
    """All that several results hang on."""
    known = list(results)
    inputs = dict.fromkeys(i for r in known for i in r.inputs)
    templates = dict.fromkeys(t for r in known for t in r.templates)
    parameters = frozenset(p for r in known for p in r.parameters)
    classes = dict.fromkeys(c for r in known for c in r.classes)
    ordered = tuple(sorted(inputs, key=lambda i: i.evidence.location))
    return Result(ordered, parameters, tuple(templates), tuple(classes))
