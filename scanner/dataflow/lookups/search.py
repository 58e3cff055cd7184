"""The look-up that a handler makes for an id of the path, itself or in what it calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.lookups.absence import Walk
from assay.scanner.dataflow.lookups.calling import callee, function_of, handed, is_on_self
from assay.scanner.dataflow.lookups.chains import assigned_names
from assay.scanner.dataflow.lookups.checks import Checks
from assay.scanner.dataflow.lookups.decorators import wrappers
from assay.scanner.dataflow.lookups.held import Held
from assay.scanner.dataflow.lookups.labels import Labels, injected, labels_in, names_caller, names_id, names_object
from assay.scanner.dataflow.lookups.misses import NOT_FOUND, Kind, Miss
from assay.scanner.dataflow.lookups.models import model_called_on, model_of_repository, model_of_view
from assay.scanner.dataflow.lookups.owners import Owners
from assay.scanner.dataflow.lookups.picking import is_picked_by_id
from assay.scanner.dataflow.lookups.queries import VIEWS, query
from assay.scanner.dataflow.lookups.tests_before import answered_before
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

_DEEPEST = 4
_ACCESS_MODELS = frozenset({"member", "membership", "members", "permission", "role", "access", "collaborator", "grant"})
"""Words of models whose rows say who may do what: one asks for them on the way to the object."""
_SAID = {
    (Kind.NONE, None): "it gives None when there is none",
    (Kind.RAISES, None): "it raises when there is none",
    (Kind.RAISES, 404): "it answers 404 when there is none",
    (Kind.GOES_ON, None): "it writes nothing when there is none",
}
_ACTIONS = {
    "GET": ("retrieve",),
    "PUT": ("update",),
    "PATCH": ("partial_update", "update"),
    "DELETE": ("destroy",),
}
"""Methods of a view by which Django REST framework answers."""
_BEFORE = ("dispatch", "initial", "setup", "prepare", "check_permissions", "before_request")
"""Methods of a view that run before the one that answers."""
_HOOKS = {"PUT": "perform_update", "PATCH": "perform_update", "DELETE": "perform_destroy"}
"""What it calls with the object before it changes it."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A look-up as one function sees it: the call `node` in it, or a dependency whose result is the parameter `param`.

    `miss` is how that call ends when nothing is found; `scoped` is what holds the query to the caller, and `checked`
    where the code behind the call asks what the caller may do.
    """

    model: str
    miss: Miss
    node: form.Call | None = None
    location: Location | None = None
    param: str | None = None
    scoped: Evidence | None = None
    checked: Evidence | None = None
    is_of_view: bool = False
    """A library's view looks it up, and asks its object permissions."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a function looks up. `ending` is how the function ends when nothing is found."""

    lookup: Candidate
    ending: Miss
    checked: Evidence | None


class Search:
    """The look-ups of one project; what a function looks up is worked out once for what it is given."""

    def __init__(self, project: Project, owners: Owners) -> None:
        self._project = project
        self._owners = owners
        self._checks = Checks(project)
        self._found: dict[object, Found | None] = {}
        self._endings: dict[object, Miss] = {}
        self.held = Held(project)

    def of(
        self, function: FunctionSymbol, wanted: str, given: Labels, view: ClassSymbol | None, depth: int = _DEEPEST
    ) -> Found | None:
        """The look-up by the path's parameter `wanted` that the function makes."""
        key = (function, wanted, given.key, view)
        if key not in self._found:
            self._found[key] = None  # for functions that call each other
            self._found[key] = self._of(function, wanted, given, view, depth)
        return self._found[key]

    def of_view(self, view: ClassSymbol, method: str, wanted: str) -> Found | None:
        """What a library's view looks up for a method, where none of its own answers that method."""
        for name in _ACTIONS.get(method, ()):
            own = self._project.method(view, name)
            found = self.of(own, wanted, Labels({wanted}), view) if own is not None else None
            if found is not None:
                return found
        own = self._project.method(view, "get_object")
        if own is not None:
            return self.of(own, wanted, Labels({wanted}), view, _DEEPEST - 1)
        if not any(base.startswith(VIEWS) for base in self._project.base_names(view)):
            return None
        model, scoped = model_of_view(view, self._project), self.held.view(view)
        lookup = Candidate(model.name if model is not None else "", NOT_FOUND, scoped=scoped, is_of_view=True)
        hook = self._project.method(view, _HOOKS.get(method, ""))
        objects = Labels(objects={p.name for p in hook.parameters}) if hook is not None else Labels()
        checked = self._checks.of(hook, wanted, objects, view) if hook is not None else None
        return Found(lookup, NOT_FOUND, checked)

    def _of(
        self, function: FunctionSymbol, wanted: str, given: Labels, view: ClassSymbol | None, depth: int
    ) -> Found | None:
        labels = labels_in(function, wanted, given, self._project)
        candidates = list(self._candidates(function, wanted, labels, view, depth))
        if not candidates:
            return None
        objects = (c for c in candidates if _ACCESS_MODELS.isdisjoint(words(c.model)))
        chosen = next(objects, candidates[0])
        _label_objects(function, chosen, labels)
        ending = self._ending(function, candidates, labels, wanted, is_handler=depth == _DEEPEST)
        checked = chosen.checked or self._checks.of(function, wanted, labels, view)
        if depth == _DEEPEST:
            around = [f for f in self._around(function, view) if f is not function]
            if checked is None:
                checked = next(filter(None, (self._checked_in(f, wanted, view) for f in around)), None)
            if ending.status is None and ending.kind in (Kind.NONE, Kind.RAISES, Kind.CRASHES):
                ending = next(filter(None, (self._answered_in(f, wanted, view) for f in around)), ending)
        return Found(chosen, ending, checked)

    # --- what runs before ---

    def _around(self, function: FunctionSymbol, view: ClassSymbol | None) -> Iterator[FunctionSymbol]:
        """The project's decorators of a handler, and what its view does before."""
        yield from wrappers(function, self._project)
        for name in _BEFORE if view is not None else ():
            method = self._project.method(view, name) if view is not None else None
            if method is not None:
                yield method

    def _checked_in(self, function: FunctionSymbol, wanted: str, view: ClassSymbol | None) -> Evidence | None:
        """Where what runs before looks the object up itself, and asks whether the caller may have it."""
        given = Labels({p.name for p in function.parameters if p.name == wanted})
        found = self.of(function, wanted, given, view, _DEEPEST - 1)
        if found is not None:
            return found.checked or found.lookup.scoped
        labels = labels_in(function, wanted, given, self._project)
        is_about = any(names_id(node, labels, wanted) for node in function.nodes)
        return self._checks.of(function, wanted, labels, view) if is_about else None

    def _answered_in(self, function: FunctionSymbol, wanted: str, view: ClassSymbol | None) -> Miss | None:
        given = Labels({p.name for p in function.parameters if p.name == wanted})
        found = self.of(function, wanted, given, view, _DEEPEST - 1)
        return found.ending if found is not None and found.ending.status == NOT_FOUND.status else None

    # --- candidates ---

    def _candidates(
        self, function: FunctionSymbol, wanted: str, labels: Labels, view: ClassSymbol | None, depth: int
    ) -> Iterator[Candidate]:
        if depth:
            yield from self._injected(function, wanted, depth)
        for node in function.nodes:
            if not isinstance(node, form.Call):
                continue
            found = query(node, function.scope, self._project, view)
            if found is not None:
                if is_picked_by_id(found, labels, wanted, view, self._owners):
                    scoped = self.held.query(found.parts, function.scope, labels, view)
                    if scoped is None and found.is_of_view and view is not None:
                        scoped = self.held.view(view)
                    model = found.model.name if found.model is not None else ""
                    place = function.module.evidence(node, _SAID[found.miss.kind, found.miss.status])
                    miss = replace(found.miss, evidence=place)
                    yield Candidate(model, miss, node, place.location, scoped=scoped, is_of_view=found.is_of_view)
            elif depth and (is_on_self(node) or any(names_id(a.value, labels, wanted) for a in node.args)):
                yield from self._called(node, function.scope, wanted, labels, view, depth)

    def _injected(self, function: FunctionSymbol, wanted: str, depth: int) -> Iterator[Candidate]:
        """What dependencies of the function look up: their result is a parameter, or nothing but a refusal."""
        for param, provider in injected(function, self._project):
            inner = function_of(provider.node, provider.scope, self._project)
            if inner is None or inner is function:
                continue
            given = Labels({p.name for p in inner.parameters if p.name == wanted})
            found = self.of(inner, wanted, given, None, depth - 1)
            if found is not None:
                lookup = found.lookup
                yield Candidate(
                    lookup.model, found.ending, param=param.name, scoped=lookup.scoped, checked=found.checked
                )

    def _called(
        self, call: form.Call, scope: Scope, wanted: str, labels: Labels, view: ClassSymbol | None, depth: int
    ) -> Iterator[Candidate]:
        inner = callee(call, scope, view, self._project)
        if inner is None or inner.scope is scope:
            return
        given = handed(call, inner, labels, wanted, self._project)
        of_view = view if inner.owner is not None and is_on_self(call) else None
        if not given.ids and of_view is None:
            return
        found = self.of(inner, wanted, given, of_view, depth - 1)
        if found is None:
            return
        lookup, scoped = found.lookup, found.lookup.scoped
        if scoped is None and not lookup.model and names_caller(call, labels):
            scoped = scope.module.evidence(call, "the caller goes into the look-up")
        model = lookup.model
        if inner.owner is not None and model in ("", inner.owner.name):
            model = model_called_on(call, scope, self._project) or model
        model = model or model_of_repository(call, scope, self._project)
        location = scope.module.location(call)
        checked, of_library = found.checked, lookup.is_of_view
        yield Candidate(model, found.ending, call, location, None, scoped, checked, of_library)

    # --- what happens when nothing is found ---

    def _ending(
        self, function: FunctionSymbol, candidates: list[Candidate], labels: Labels, wanted: str, *, is_handler: bool
    ) -> Miss:
        refused = next((c.miss for c in candidates if c.node is None and c.miss.kind is not Kind.NONE), None)
        if refused is not None:
            return refused
        sources: dict[form.Expr, Miss] = {c.node: c.miss for c in candidates if c.node is not None}
        missing = frozenset(c.param for c in candidates if c.param is not None)
        walk = Walk(function, sources, missing, self._without, self._project, is_handler=is_handler)
        ending = walk.ending()
        if ending.kind is Kind.RAISES and ending.status is not None:
            return ending
        if ending.kind is Kind.NONE and not missing and all(m.kind is Kind.GOES_ON for m in sources.values()):
            return Miss(Kind.GOES_ON)
        if ending.kind in (Kind.ANSWERS, Kind.GOES_ON):
            return ending
        first = min((node.start for node in sources), default=None)
        asked = _names_asked_by(function, labels, wanted)
        before = answered_before(
            function, first, lambda test: names_id(test, Labels(labels.ids | asked), wanted), wanted, self._project
        )
        return before or ending

    def _without(self, function: FunctionSymbol, missing: frozenset[str]) -> Miss:
        key = (function, missing)
        if key not in self._endings:
            self._endings[key] = Miss(Kind.UNKNOWN)  # for functions that call each other
            self._endings[key] = Walk(function, {}, missing, self._without, self._project).ending()
        return self._endings[key]


def _names_asked_by(function: FunctionSymbol, labels: Labels, wanted: str) -> set[str]:
    """Names of what was got by the id in some way: `orders = Order.objects.filter(pk=pk)`, `is_known = exists(pk)`."""
    found: set[str] = set()
    for node in function.nodes:
        if isinstance(node, form.Assign) and node.value is not None and names_id(node.value, labels, wanted):
            found.update(name for target in node.targets for name in assigned_names(target))
    return found


def _label_objects(function: FunctionSymbol, chosen: Candidate, labels: Labels) -> None:
    """Let the names that hold what is found stand for it, and those made of them."""
    if chosen.param is not None:
        labels.objects.add(chosen.param)
    for node in function.nodes:
        match node:
            case form.Assign(targets=targets, value=value) if value is not None:
                names = [n for t in targets for n in assigned_names(t)]
            case form.Walrus(target=target, value=value):
                names = list(assigned_names(target))
            case form.With(items=[form.WithItem(value=value, target=target)]) if target is not None:
                names = list(assigned_names(target))
            case form.Match(subject=value, cases=cases):
                names = [name.id for case in cases for name in case.binds]
            case _:
                continue
        holds = chosen.node is not None and value.start <= chosen.node.start and chosen.node.end <= value.end
        if holds or names_object(value, labels):
            labels.objects.update(names)
