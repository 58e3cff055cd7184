"""URLconfs: the tree of `path()` and `include()`, flattened to full patterns.

https://docs.djangoproject.com/en/stable/topics/http/urls/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from assay.scanner.dataflow.constants import Given
from assay.scanner.dataflow.expansion import arguments, turns
from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import Evaluator, definition, module_binding
from assay.scanner.frameworks.django.lists import assembled
from assay.scanner.frameworks.django.settings import Settings, all_settings, settings_for
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_LEAVES = frozenset({"path", "re_path", "url"})
_LEFT_OUT = frozenset({"static", "staticfiles_urlpatterns"})
_PASSED_THROUGH = frozenset({"format_suffix_patterns", "list", "tuple", "sorted", "reversed", "patterns",
    "sum", "chain"})  # fmt: skip
_DEEPEST = 30


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One URL pattern with all prefixes, and the expression that is its view.

    `wrappers` are decorators that an including URLconf puts around every view.
    """

    path: str
    view: Sited
    location: Location
    given: Given = field(default_factory=dict)
    wrappers: tuple[Sited, ...] = ()
    settings: Settings | None = None
    name: str | None = None
    made_by: str | None = None
    """The project function that makes the pattern, where one does; `location` is then its outermost call."""
    computed_at: Location | None = None
    """Where a part of the path is made that only run time tells."""
    root: Sited | None = None
    """The list that all patterns of the site are in."""
    steps: tuple[Sited, ...] = ()
    """The calls that lead to it from there, its own last."""


@dataclass(frozen=True, slots=True, eq=False)
class Mount:
    """A list of patterns that an object makes: `router.urls`."""

    prefix: str
    owner: Sited
    value: Instance | External | None
    location: Location
    wrappers: tuple[Sited, ...] = ()
    settings: Settings | None = None
    root: Sited | None = None
    steps: tuple[Sited, ...] = ()


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A place that adds routes which static reading can't tell."""

    location: Location
    message: str


@dataclass(slots=True)
class Urlconf:
    """All that the URLconfs of a project hold, in order."""

    patterns: list[Pattern] = field(default_factory=list)
    mounts: list[Mount] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where in the tree the walk is. `builder` is the outermost call of a project function that makes patterns.

    `computed_at` is where a part of the prefix is made that only run time tells.
    """

    prefix: str
    given: Given = field(default_factory=dict)
    wrappers: tuple[Sited, ...] = ()
    builder: tuple[form.Call, Scope] | None = None
    computed_at: Location | None = None
    depth: int = 0
    root: Sited | None = None
    steps: tuple[Sited, ...] = ()

    def under(self, prefix: str, step: Sited) -> _Place:
        return replace(self, prefix=self.prefix + prefix, depth=self.depth + 1, steps=(*self.steps, step))

    def wrapped(self, wrappers: tuple[Sited, ...]) -> _Place:
        return replace(self, wrappers=self.wrappers + wrappers, depth=self.depth + 1)

    def where(self, known: Given) -> _Place:
        """The same, with more names known."""
        return replace(self, given={**self.given, **known})

    def built_by(self, call: form.Call, scope: Scope, known: Given) -> _Place:
        return replace(self.where(known), builder=self.builder or (call, scope), depth=self.depth + 1)


_REMEMBERED: WeakKeyDictionary[Project, Urlconf] = WeakKeyDictionary()


def urlconf(project: Project) -> Urlconf:
    """Every pattern of the project: from each site's ROOT_URLCONF, or from the URLconfs nothing includes."""
    if project not in _REMEMBERED:
        found = _REMEMBERED[project] = Urlconf()
        for module, settings in _roots(project):
            start = _Place("", root=_table(module))
            _Walk(project, settings, found).list_named(module.scope, "urlpatterns", start)
    return _REMEMBERED[project]


def _table(module: Module) -> Sited | None:
    """What the module's list of patterns is first bound to."""
    bound = [b.value for b in module.scope.bindings.get("urlpatterns", ()) if b.value is not None]
    return Sited(bound[0], module.scope) if bound else None


def _roots(project: Project) -> Iterator[tuple[Module, Settings | None]]:
    from_settings: dict[str, tuple[Module, Settings | None]] = {}
    for settings in all_settings(project):
        root = settings.get("ROOT_URLCONF")
        text = Evaluator(project, settings).text(root) if root is not None else None
        module = project.module_named(text, settings.module.path) if text is not None else None
        if isinstance(module, Module):
            from_settings.setdefault(module.path, (module, settings))
    if from_settings:
        yield from from_settings.values()
        return
    included = _included(project)
    for module in project.modules.values():
        if "urlpatterns" in module.scope.bindings and module.path not in included and module.role is not Role.TEST:
            yield module, settings_for(project, module.path)


def _included(project: Project) -> set[str]:
    found = set()
    for call, scope in project.calls_named("include"):
        for node in form.walk(call):
            if isinstance(node, form.Const) and isinstance(node.value, str):
                module = project.module_named(node.value, scope.module.path)
            elif isinstance(node, form.Name | form.Attr):
                value = project.infer(node, scope)
                module = value if isinstance(value, Module) else None
            else:
                continue
            if isinstance(module, Module):
                found.add(module.path)
    for module in project.modules.values():
        for bindings in module.scope.bindings.values():
            for binding in bindings:
                if binding.how is How.IMPORT_FROM and binding.name == "urlpatterns":
                    source = project.import_module(binding.module, binding.level, module)
                    if isinstance(source, Module):
                        found.add(source.path)
    return found


class _Walk:
    """Follows list expressions and writes what they hold into an `Urlconf`."""

    def __init__(self, project: Project, settings: Settings | None, into: Urlconf) -> None:
        self._project = project
        self._settings = settings
        self._into = into
        self._evaluator = Evaluator(project, settings)
        self._active: set[tuple[int, str, str, int | None]] = set()

    # --- lists ---

    def list_named(self, scope: Scope, name: str, place: _Place, before: int | None = None) -> bool:
        """All that is put into the list by that name in its scope, up to the offset `before` where that is given.

        False when there is no such list.
        """
        key = (id(scope), name, place.prefix, before)
        if key in self._active or place.depth > _DEEPEST:
            return True
        self._active.add(key)
        parts = assembled(scope.body, name, before)
        for part in parts:
            for turn in self._turns([(loop.iter, scope) for loop in part.loops], place):
                if part.is_item:
                    self.item(Sited(part.node, scope), turn)
                else:
                    self.list_of(Sited(part.node, scope), turn)
        self._active.discard(key)
        return bool(parts) or self._list_from_elsewhere(scope, name, place)

    def _turns(self, loops: list[tuple[form.Expr, Scope]], place: _Place) -> Iterator[_Place]:
        """The place in each turn of nested loops, outermost first."""
        if not loops:
            yield place
            return
        (iterated, scope), *inner = loops
        found = turns(iterated, scope, self._project, place.given)
        if not found:
            self._unresolved(Sited(iterated, scope), place)
        for turn in found:
            yield from self._turns(inner, place.where(turn))

    def _list_from_elsewhere(self, scope: Scope, name: str, place: _Place) -> bool:
        bindings = scope.lookup(name)
        binding = bindings[-1] if bindings else module_binding(scope.module, name, self._project)
        if binding is None:
            return False
        if binding.how is How.IMPORT_FROM:
            source = self._project.import_module(binding.module, binding.level, binding.scope.module)
            return isinstance(source, Module) and self.list_named(source.scope, binding.name, place)
        if binding.scope is not scope:
            return self.list_named(binding.scope, name, place)
        known = place.given.get((scope, name))
        if known is not None:
            self.list_of(Sited(*known), place)
        return known is not None

    def list_of(self, sited: Sited, place: _Place) -> None:
        """Every pattern in a list expression."""
        node, scope = sited.node, sited.scope
        if place.depth > _DEEPEST:
            return
        match node:
            case form.Display(items=items):
                for item in items:
                    self.item(Sited(item, scope), place)
            case form.Starred(value=inner) | form.Walrus(value=inner):
                self.list_of(Sited(inner, scope), place)
            case form.Binary(op="+", left=left, right=right):
                self.list_of(Sited(left, scope), place)
                self.list_of(Sited(right, scope), place)
            case form.Conditional(body=body, orelse=orelse):
                self.list_of(Sited(body, scope), place)
                self.list_of(Sited(orelse, scope), place)
            case form.Comprehension(element=element, generators=generators):
                for turn in self._turns([(g.iter, scope) for g in generators], place):
                    self.item(Sited(element, scope), turn)
            case form.Const(value=None):
                return
            case _:
                self._list_behind(sited, place)

    def _list_behind(self, sited: Sited, place: _Place) -> None:
        """Every pattern in the list that a name, an attribute, an item or a call stands for."""
        node, scope = sited.node, sited.scope
        match node:
            case form.Name(id=name) if self.list_named(scope, name, place, before=node.start):
                return
            case form.Attr():
                self._attribute(sited, place)
            case form.Call():
                self._list_call(node, scope, place)
            case form.Subscript() if (followed := definition(sited, self._project, place.given)).node is not node:
                self.list_of(followed, place)
            case _:
                self._unresolved(sited, place)

    def _attribute(self, sited: Sited, place: _Place) -> None:
        node, scope = sited.node, sited.scope
        assert isinstance(node, form.Attr)
        owner = self._project.infer(node.value, scope)
        if isinstance(owner, Module):
            if not self.list_named(owner.scope, node.attr, place):
                self._unresolved(sited, place)
        elif node.attr in ("urls", "get_urls"):
            known = owner if isinstance(owner, Instance | External) else None
            self._mount(Sited(node.value, scope), known, place)
        elif not isinstance(owner, External):
            self._unresolved(sited, place)

    def _mount(self, owner: Sited, value: Instance | External | None, place: _Place) -> None:
        location = owner.module.location(owner.node)
        if place.computed_at is not None:
            self._into.unresolved.append(Unresolved(place.computed_at, COMPUTED_PATH))
        self._into.mounts.append(
            Mount(place.prefix, owner, value, location, place.wrappers, self._settings, place.root, place.steps)
        )

    def _list_call(self, call: form.Call, scope: Scope, place: _Place) -> None:
        name = last_name(call.func)
        callee = self._project.infer(call.func, scope)
        if name in _LEFT_OUT:
            return
        if name == "i18n_patterns":
            self._translated(call, scope, place)
        elif isinstance(callee, FunctionSymbol) and callee.owner is None:
            self._built(callee, call, scope, place)
        elif name in _PASSED_THROUGH or name == "reduce":
            for argument in call.positional[1 if name == "reduce" else 0 :]:
                if not isinstance(argument, form.Const):
                    self.list_of(Sited(argument, scope), place)
        elif name == "get_urls" and isinstance(call.func, form.Attr):
            self._attribute(Sited(call.func, scope), place)
        elif name == "include":
            self._include(call, scope, place)
        else:
            # `urlpatterns = with_toolbar(urlpatterns)`: what it is given is served still, and it may add some.
            for given in (a for a in call.positional if isinstance(a, form.Name)):
                self.list_named(scope, given.id, place, before=given.start)
            if not isinstance(callee, External):
                self._unresolved(Sited(call, scope), place)

    def _translated(self, call: form.Call, scope: Scope, place: _Place) -> None:
        """`i18n_patterns(...)`: behind the language's code, unless the default language goes without."""
        default = call.keyword("prefix_default_language")
        shown = not (isinstance(default, form.Const) and default.value is False)
        inside = place.under("<language>/", Sited(call, scope)) if shown else place
        for arg in call.args:
            if arg.star == 1:
                self.list_of(Sited(arg.value, scope), inside)
            elif arg.name is None:
                self.item(Sited(arg.value, scope), inside)

    def _built(self, function: FunctionSymbol, call: form.Call, scope: Scope, place: _Place) -> None:
        """A project function that returns patterns."""
        inside = arguments(call, scope, function, self._project)
        for node in function.returns:
            if node.value is not None:
                self.list_of(Sited(node.value, function.scope), place.built_by(call, scope, inside))

    # --- items ---

    def item(self, sited: Sited, place: _Place) -> None:
        """One element of a list of patterns."""
        if isinstance(sited.node, form.Starred):
            self.list_of(Sited(sited.node.value, sited.scope), place)
            return
        sited = definition(sited, self._project, place.given)
        node, scope = sited.node, sited.scope
        if isinstance(node, form.Conditional):
            self.item(Sited(node.body, scope), place)
            self.item(Sited(node.orelse, scope), place)
        elif isinstance(node, form.Display | form.Name):
            self.list_of(sited, place)  # of a list of lists that are joined
        elif not isinstance(node, form.Call):
            if not (isinstance(node, form.Const) and node.value is None):
                self._unresolved(sited, place)
        elif last_name(node.func) in _LEAVES:
            self._leaf(node, scope, place)
        else:
            callee = self._project.infer(node.func, scope)
            if isinstance(callee, FunctionSymbol) and callee.owner is None:
                self._item_built(callee, node, scope, place)
            elif not isinstance(callee, External):
                self._unresolved(sited, place)

    def _item_built(self, function: FunctionSymbol, call: form.Call, scope: Scope, place: _Place) -> None:
        """A project function that returns one pattern."""
        inside = arguments(call, scope, function, self._project)
        for node in function.returns:
            if node.value is not None:
                self.item(Sited(node.value, function.scope), place.built_by(call, scope, inside))

    def _leaf(self, call: form.Call, scope: Scope, place: _Place) -> None:
        route = call.argument(0, "route") or call.keyword("regex")
        view = call.argument(1, "view")
        if route is None or view is None:
            self._unresolved(Sited(call, scope), place)
            return
        text = self._evaluator.text(Sited(route, scope), place.given)
        if text is None:
            text = self._partial(Sited(route, scope), place.given)
            place = replace(place, computed_at=scope.module.location(route))
        self._target(Sited(view, scope), call, place.under(text, Sited(call, scope)))

    def _partial(self, route: Sited, given: Given) -> str:
        """The route with `<name>` where a part of it is only known at run time."""

        def part(node: form.Expr) -> str:
            return self._evaluator.text(Sited(node, route.scope), given) or f"<{last_name(_called(node)) or 'unknown'}>"

        match route.node:
            case form.Template(parts=parts):
                return "".join(p if isinstance(p, str) else part(p.value) for p in parts)
            case form.Binary(op="+", left=left, right=right):
                return part(left) + part(right)
            case form.Call(func=form.Attr(value=form.Const(value=str() as text), attr="format"), args=args):
                for arg in args:
                    text = text.replace("{}" if arg.name is None else f"{{{arg.name}}}", part(_called(arg.value)), 1)
                return text
        return part(route.node)

    def _target(self, view: Sited, call: form.Call, place: _Place) -> None:
        """What the second argument of `path()` leads to: another list, an object's patterns, or a view."""
        followed = definition(view, self._project, place.given)
        node = followed.node
        if isinstance(node, form.Call) and last_name(node.func) in ("include", "decorator_include"):
            self._include(node, followed.scope, place)
        elif isinstance(node, form.Display):
            self._included(Sited(node, followed.scope), place)
        elif isinstance(node, form.Attr) and node.attr == "urls":
            self._attribute(followed, place)
        else:
            outer, scope = place.builder or (call, view.scope)
            made_by = last_name(outer.func) if place.builder else None
            location, stated = scope.module.location(outer), call.keyword("name")
            name = self._evaluator.text(Sited(stated, view.scope), place.given) if stated is not None else None
            self._into.patterns.append(
                Pattern(
                    place.prefix,
                    view,
                    location,
                    place.given,
                    place.wrappers,
                    self._settings,
                    name,
                    made_by,
                    place.computed_at,
                    place.root,
                    place.steps,
                )
            )

    def _include(self, call: form.Call, scope: Scope, place: _Place) -> None:
        if last_name(call.func) == "decorator_include":
            decorators = call.argument(0, "decorators")
            target = call.argument(1, "arg")
            if decorators is not None:
                given = decorators.items if isinstance(decorators, form.Display) else [decorators]
                place = place.wrapped(tuple(Sited(d, scope) for d in given))
        else:
            target = call.argument(0, "arg")
        if target is not None:
            self._included(Sited(target, scope), place)

    def _included(self, target: Sited, place: _Place) -> None:
        value = self._project.infer(target.node, target.scope)
        if isinstance(value, Module):
            self.list_named(value.scope, "urlpatterns", place)
            return
        followed = definition(target, self._project, place.given)
        node = followed.node
        if isinstance(node, form.Display) and node.kind == "tuple" and not _holds_patterns(node.items):
            if node.items:
                self._included(Sited(node.items[0], followed.scope), place)
            return
        text = self._evaluator.text(followed, place.given)
        if text is not None:
            module = self._project.module_named(text, target.module.path)
            if isinstance(module, Module):
                self.list_named(module.scope, "urlpatterns", place)
            elif self._project.module_named(text.split(".", 1)[0], target.module.path) is not None:
                self._unresolved(target, place)
        elif isinstance(node, form.Attr) and node.attr == "urls":
            self._attribute(followed, place)
        elif isinstance(value, External):
            return
        elif isinstance(target.node, form.Name):
            self.list_of(target, place)
        else:
            self.list_of(followed, place)

    def _unresolved(self, sited: Sited, place: _Place) -> None:
        node, scope = place.builder or (sited.node, sited.scope)
        made_by = last_name(place.builder[0].func) if place.builder else None
        self._into.unresolved.append(Unresolved(scope.module.location(node), run_time_message(made_by)))


COMPUTED_PATH = "a part of this path is computed at run time"


def _called(node: form.Expr) -> form.Expr:
    return node.func if isinstance(node, form.Call) else node


def run_time_message(made_by: str | None) -> str:
    """What a diagnostic says about routes that `made_by`, or else an expression, adds."""
    return f"the routes that {f'{made_by}()' if made_by else 'an expression'} adds are only known at run time"


def _holds_patterns(items: Iterable[form.Expr]) -> bool:
    return any(isinstance(i, form.Call) and last_name(i.func) in _LEAVES for i in items)
