"""A Django project's settings: which module holds them, and what each setting is over star imports and layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import Binding, How, Module
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.web.development import Development

_TELLTALE = ("ROOT_URLCONF", "INSTALLED_APPS", "MIDDLEWARE", "REST_FRAMEWORK")
_PREFERRED = ("prod", "production", "live", "deploy")
_AVOIDED = ("test", "tests", "testing", "local", "dev", "development", "ci", "debug", "example", "docker", "staging")
_SERVERS = ("wsgi", "asgi")
_DEEPEST = 6


class Settings(Mapping[str, Sited]):
    """The settings that one module gives, seen from its end: its own names, then those of its star imports."""

    def __init__(self, module: Module, project: Project) -> None:
        self.module = module
        self._project = project
        self._chain = list(_layers(module, project, set()))
        self._strings: dict[str, list[str]] = {}
        self._development = Development(project)
        self._entries: dict[tuple[str, str], Sited | None] = {}

    def __getitem__(self, name: str) -> Sited:
        assigned = self.assignments(name)
        if not assigned:
            raise KeyError(name)
        return assigned[-1]

    def __iter__(self) -> Iterator[str]:
        return iter({name for module in self._chain for name in module.scope.bindings if name.isupper()})

    def __len__(self) -> int:
        return len(list(iter(self)))

    @property
    def layers(self) -> tuple[Module, ...]:
        """The modules that give settings, base layers first."""
        return tuple(reversed(self._chain))

    def bindings(self, name: str) -> list[Binding]:
        """All that binds the setting, base layers first."""
        return [binding for module in self.layers for binding in module.scope.bindings.get(name, ())]

    def assignments(self, name: str) -> list[Sited]:
        """Everything that is assigned or added to the setting, base layers first, down to the last full assignment."""
        return [
            Sited(binding.value, binding.scope)
            for binding in self.bindings(name)
            if binding.value is not None and binding.how in (How.ASSIGN, How.AUGMENT)
        ]

    def strings(self, name: str) -> list[str]:
        """The strings of a list setting such as INSTALLED_APPS, of all layers and branches together."""
        if name not in self._strings:
            found = (text for sited in self.assignments(name) for text in _strings(sited, self._project, 0))
            self._strings[name] = list(dict.fromkeys(found))
        return self._strings[name]

    def entry(self, name: str, key: str) -> Sited | None:
        """`NAME["KEY"]` of a dict setting, however it got there: display, `update`, item assignment or `**`."""
        if (name, key) not in self._entries:
            self._entries[name, key] = self._find_entry(name, key)
        return self._entries[name, key]

    def _find_entry(self, name: str, key: str) -> Sited | None:
        for module in self._chain:
            for node in reversed(list(form.walk_body(module.facts.body, into_definitions=False))):
                value = _entry_set_by(node, name, key)
                if value is not None and self._development.condition(value, module.scope) is None:
                    return Sited(value, module.scope)
            for binding in reversed(module.scope.bindings.get(name, ())):
                found = self._entry_bound(binding, name, key)
                if found is not None:
                    return found
        return None

    def _entry_bound(self, binding: Binding, name: str, key: str) -> Sited | None:
        if binding.how is How.IMPORT_FROM:
            imported = form.Name(start=binding.offset, end=binding.offset, id=name)
            return _item(Sited(imported, binding.scope), key, self._project, 0)
        if binding.value is None or self._development.condition(binding.value, binding.scope) is not None:
            return None
        return _item(Sited(binding.value, binding.scope), key, self._project, 0)


def _layers(module: Module, project: Project, seen: set[str]) -> Iterator[Module]:
    if module.path in seen:
        return
    seen.add(module.path)
    yield module
    for star in reversed(module.star_imports):
        source = project.import_module(star.module, star.level, module)
        if isinstance(source, Module):
            yield from _layers(source, project, seen)
    for call, scope in module.calls:
        # django-split-settings: `include("components/base.py", optional("local.py"))`
        if scope is module.scope and project.callee_name(call, scope) == "split_settings.tools.include":
            folder = PurePosixPath(module.path).parent
            for argument in reversed(call.positional):
                if isinstance(argument, form.Const) and str(folder / str(argument.value)) in project.modules:
                    yield from _layers(project.modules[str(folder / str(argument.value))], project, seen)


def _strings(sited: Sited, project: Project, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    sited = definition(sited, project)
    parts: list[form.Expr] = []
    match sited.node:
        case form.Const(value=str() as text):
            yield text
        case form.Display(items=items) | form.Boolean(values=items):
            parts = items
        case form.Starred(value=inner):
            parts = [inner]
        case form.Binary(left=left, right=right):
            parts = [left, right]
        case form.Call(args=args):
            parts = [argument.value for argument in args]
    for part in parts:
        yield from _strings(Sited(part, sited.scope), project, depth + 1)


def _entry_set_by(node: form.Expr | form.Stmt, name: str, key: str) -> form.Expr | None:
    if isinstance(node, form.Assign):
        for target in node.targets:
            if (
                isinstance(target, form.Subscript)
                and form.dotted(target.value) == name
                and isinstance(target.index, form.Const)
                and target.index.value == key
            ):
                return node.value
    if isinstance(node, form.Call) and form.dotted(node.func) == f"{name}.update":
        for argument in node.args:
            if argument.name == key:
                return argument.value
            if isinstance(argument.value, form.Dict) and (value := _own_item(argument.value, key)) is not None:
                return value
    return None


def _own_item(node: form.Dict, key: str) -> form.Expr | None:
    for candidate, value in zip(node.keys, node.values, strict=True):
        if isinstance(candidate, form.Const) and candidate.value == key:
            return value
    return None


def _item(sited: Sited, key: str, project: Project, depth: int) -> Sited | None:
    sited = definition(sited, project)
    if depth > _DEEPEST:
        return None
    if isinstance(sited.node, form.Dict):
        own = _own_item(sited.node, key)
        if own is not None:
            return Sited(own, sited.scope)
        merged = [v for k, v in zip(sited.node.keys, sited.node.values, strict=True) if k is None]
        for value in reversed(merged):
            found = _item(Sited(value, sited.scope), key, project, depth + 1)
            if found is not None:
                return found
    if isinstance(sited.node, form.Call) and last_name(sited.node.func) == "dict":
        stated = sited.node.keyword(key)
        return Sited(stated, sited.scope) if stated is not None else None
    if isinstance(sited.node, form.Binary):
        for side in (sited.node.right, sited.node.left):
            found = _item(Sited(side, sited.scope), key, project, depth + 1)
            if found is not None:
                return found
    return None


@remembered
def all_settings(project: Project) -> list[Settings]:
    """One `Settings` for every Django site of the tree, the one production most likely runs with."""
    return _discover(project)


def settings_for(project: Project, path: str) -> Settings | None:
    """The settings that code in `path` runs with: those of the nearest site."""
    found = all_settings(project)
    if not found:
        return None
    return max(found, key=lambda s: len(_shared(PurePosixPath(s.module.path).parts, PurePosixPath(path).parts)))


def _shared(first: tuple[str, ...], second: tuple[str, ...]) -> list[str]:
    shared = []
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        shared.append(one)
    return shared


def _discover(project: Project) -> list[Settings]:
    named = _named_by_entry_points(project)
    best: dict[str, tuple[int, str, Settings]] = {}
    for module in project.modules.values():
        if not (_TELLTALE_SET & module.scope.bindings.keys() or module.star_imports) or module.role is Role.TEST:
            continue
        if any(word in ("migrations", "tests") for word in module.name.split(".")):
            continue
        settings = Settings(module, project)
        telltale = next((name for name in _TELLTALE if settings.assignments(name)), None)
        if telltale is None:
            continue
        root = settings.get("ROOT_URLCONF")
        text = root.node.value if root is not None and isinstance(root.node, form.Const) else None
        target = project.module_named(str(text), module.path) if text is not None else None
        site = target.path if isinstance(target, Module) else str(PurePosixPath(module.path).parent)
        rank = (_rank(module, named), module.path, settings)
        if site not in best or rank[:2] > best[site][:2]:
            best[site] = rank
    found = [settings for _, _, settings in best.values()]
    with_urls = [s for s in found if s.assignments("ROOT_URLCONF")]
    return sorted(with_urls or found, key=lambda s: s.module.path)


_TELLTALE_SET = frozenset(_TELLTALE)


def _rank(module: Module, named: Mapping[str, int]) -> int:
    words = module.name.lower().replace("_", ".").split(".")
    by_name = 2 if any(w in _PREFERRED for w in words) else -2 if any(w in _AVOIDED for w in words[-2:]) else 0
    return named.get(module.path, 0) + by_name + (0 if module.role is Role.PROD else -20)


def _named_by_entry_points(project: Project) -> dict[str, int]:
    """Settings modules that `os.environ.setdefault("DJANGO_SETTINGS_MODULE", ...)` names, servers before scripts."""
    found: dict[str, int] = {}
    for call, scope in project.calls_named("setdefault"):
        given = [a.value for a in call.positional if isinstance(a, form.Const)]
        if len(given) == 2 and given[0] == "DJANGO_SETTINGS_MODULE":
            module = project.module_named(str(given[1]), scope.module.path)
            if isinstance(module, Module):
                weight = 10 if scope.module.name.rsplit(".", 1)[-1] in _SERVERS else 1
                found[module.path] = max(found.get(module.path, 0), weight)
    return found
