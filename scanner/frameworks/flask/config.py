"""Flask's configuration: what `app.config` is filled from (https://flask.palletsprojects.com/config/)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from assay.scanner.configuration.declared import Configuration
from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.framework import Context, Framework, Sited
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_PACKAGES = ("flask", "quart", "apiflask", "flask_openapi3", "connexion")
_SOURCE = "Flask config"
_APP_NAMES = frozenset({"app", "application", "current_app", "flask_app", "_app"})
_ELSEWHERE = {
    "from_prefixed_env": "every environment variable with the application's prefix is a setting",
    "from_envvar": "the file of settings that an environment variable names can't be told",
    "from_file": "the settings in this file aren't read",
}
_DEEPEST = 6


def _settings(context: Context) -> Iterator[Setting]:
    """Each once: the first that a module or class says about a name."""
    seen: set[str] = set()
    for setting in _Reader(context).settings():
        if setting.subject_id not in seen:
            seen.add(setting.subject_id)
            yield setting


class _Reader:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._configuration = Configuration(context.project)

    def settings(self) -> Iterator[Setting]:
        holders: dict[ClassSymbol | Module, None] = {}
        for call, scope in self._calls("from_object"):
            holders |= dict.fromkeys(self._told(call, call.argument(0, "obj"), scope))
        for call, scope in self._calls("from_pyfile"):
            holders |= dict.fromkeys(self._file(call, scope))
        for holder in self._with_bases(holders):
            yield from self._members(holder)
        for call, scope in self._calls("from_mapping", "update", "setdefault"):
            yield from self._stored_by(call, scope)
        yield from self._items()
        for method, message in _ELSEWHERE.items():
            for call, scope in self._calls(method):
                self._context.unresolved(scope.module.location(call), message)

    def _calls(self, *methods: str) -> Iterator[tuple[form.Call, Scope]]:
        """Calls of these methods of an application's `config`."""
        for call, scope in self._project.calls_named(*methods):
            if isinstance(call.func, form.Attr) and self._is_config(call.func.value, scope):
                yield call, scope

    def _is_config(self, node: form.Expr, scope: Scope) -> bool:
        if not isinstance(node, form.Attr) or node.attr != "config":
            return False
        value = self._project.infer(node, scope)
        if isinstance(value, External):
            return value.name.split(".", 1)[0] in _PACKAGES
        return value is None and last_name(node.value) in _APP_NAMES

    # --- objects ---

    def _told(self, call: form.Call, given: form.Expr | None, scope: Scope) -> list[ClassSymbol | Module]:
        """The classes and modules that the call may take its settings from."""
        found = self._objects(given, scope, _DEEPEST) if given is not None else []
        if not found:
            self._context.unresolved(scope.module.location(call), "the object that holds these settings can't be told")
        return found

    def _objects(self, node: form.Expr, scope: Scope, depth: int) -> list[ClassSymbol | Module]:
        if not depth:
            return []
        choices = list(self._choices(node, scope))
        if choices:
            return [found for choice in choices for found in self._objects(choice.node, choice.scope, depth - 1)]
        text = string_value(node, scope, self._project)
        if text is not None:
            return self._named(text, scope)
        value = self._project.infer(node, scope)
        if isinstance(value, Instance) and value.cls is not None:
            return [value.cls]
        return [value] if isinstance(value, ClassSymbol | Module) else []

    def _choices(self, node: form.Expr, scope: Scope) -> Iterator[Sited]:
        """What an expression that chooses chooses among: branches, the values of a dict, arguments, a default."""
        read = self._configuration.environment.read(node, scope)
        match node:
            case _ if read is not None:
                if read.default is not None:
                    yield read.default
            case form.Conditional(body=body, orelse=orelse):
                yield from (Sited(body, scope), Sited(orelse, scope))
            case form.Boolean(values=values):
                yield from (Sited(value, scope) for value in values)
            case form.Subscript(value=table):
                yield from self._values(table, scope)
            case form.Call(func=form.Attr(value=table, attr="get")):
                yield from self._values(table, scope)
            case form.Name(id=name):
                yield from self._stands_for(node, name, scope)

    def _values(self, table: form.Expr, scope: Scope) -> Iterator[Sited]:
        value = self._project.infer(table, scope)
        if isinstance(value, Literal) and isinstance(value.node, form.Dict):
            yield from (Sited(item, value.scope) for item in value.node.values)

    def _stands_for(self, node: form.Name, name: str, scope: Scope) -> Iterator[Sited]:
        for binding in scope.lookup(name):
            if binding.how is How.PARAMETER and binding.function is not None and binding.param is not None:
                for call, around in self._project.callers(binding.function):
                    given = self._project.bound_argument(call, binding.function, binding.param)
                    if given is not None:
                        yield Sited(given, around)
                if binding.param.default is not None:
                    yield Sited(binding.param.default, binding.function.outer)
        yield from (Sited(*found) for found in definitions(node, scope, self._project))

    def _named(self, text: str, scope: Scope) -> list[ClassSymbol | Module]:
        """`package.module` or `package.module.Class`."""
        found = self._project.module_named(text, scope.module.path)
        if isinstance(found, Module):
            return [found]
        owner, _, name = text.replace(":", ".").rpartition(".")
        module = self._project.module_named(owner, scope.module.path) if owner else None
        value = self._project.member(module, name) if module is not None else None
        if isinstance(value, Instance) and value.cls is not None:
            return [value.cls]
        return [value] if isinstance(value, ClassSymbol | Module) else []

    def _file(self, call: form.Call, scope: Scope) -> list[Module]:
        """The module that `from_pyfile` runs, looked for beside the caller and above it."""
        given = call.argument(0, "filename")
        name = string_value(given, scope, self._project) if given is not None else None
        for folder in PurePosixPath(scope.module.path).parents:
            if name is not None and str(folder / name) in self._project.modules:
                return [self._project.modules[str(folder / name)]]
        self._context.unresolved(scope.module.location(call), "the file that holds these settings isn't in the tree")
        return []

    def _with_bases(self, holders: dict[ClassSymbol | Module, None]) -> dict[ClassSymbol | Module, None]:
        """And what they inherit or take over with a star."""
        found: dict[ClassSymbol | Module, None] = {}
        todo = list(holders)
        while todo:
            holder = todo.pop(0)
            if holder in found:
                continue
            found[holder] = None
            if isinstance(holder, ClassSymbol):
                todo += [base for base in self._project.mro(holder) if isinstance(base, ClassSymbol)]
            else:
                stars = (self._project.import_module(s.module, s.level, holder) for s in holder.star_imports)
                todo += [module for module in stars if isinstance(module, Module)]
        return found

    def _members(self, holder: ClassSymbol | Module) -> Iterator[Setting]:
        group = holder.id if isinstance(holder, ClassSymbol) else holder.name
        for name, bindings in holder.scope.bindings.items():
            if not name.isupper():
                continue
            bound = [b for b in bindings if b.how in (How.ASSIGN, How.AUGMENT, How.UNPACK)]
            if bound:
                yield self._configuration.setting(name, bound, _SOURCE, group)
            elif bindings[-1].function is not None and isinstance(holder, ClassSymbol):
                yield self._property(name, bindings[-1].function, group)

    def _property(self, name: str, function: FunctionSymbol, group: str) -> Setting:
        """A property of a configuration object: computed, and read from what its code reads."""
        reads = (self._configuration.environment.read(node, function.scope) for node in function.nodes)
        variables = dict.fromkeys(read.variable for read in reads if read is not None and read.variable is not None)
        return Setting(name, _SOURCE, group, function.location, function.module.role, variables=tuple(variables))

    # --- single settings ---

    def _stored_by(self, call: form.Call, scope: Scope) -> Iterator[Setting]:
        """`from_mapping(A=1)`, `update({"A": 1})`, `setdefault("A", 1)`."""
        if last_name(call.func) == "setdefault":
            if len(call.positional) == 2:
                yield from self._stored(call.positional[0], call.positional[1], scope, call.positional[1])
            return
        for argument in call.args:
            if argument.name is not None:
                location = scope.module.location(argument.value)
                yield self._configuration.assigned(
                    argument.name, Sited(argument.value, scope), location, _SOURCE, scope.module.name
                )
            else:
                yield from self._mapped(argument.value, scope)

    def _mapped(self, node: form.Expr, scope: Scope) -> Iterator[Setting]:
        value = self._project.infer(node, scope)
        mapping = value.node if isinstance(value, Literal) else node
        around = value.scope if isinstance(value, Literal) else scope
        if isinstance(mapping, form.Dict):
            for key, item in zip(mapping.keys, mapping.values, strict=True):
                if key is not None:
                    yield from self._stored(key, item, around, item)
        elif isinstance(mapping, form.Call) and last_name(mapping.func) == "dict":
            yield from self._stored_by(mapping, around)
        else:
            self._context.unresolved(scope.module.location(node), "the settings of this mapping can't be told")

    def _items(self) -> Iterator[Setting]:
        """`app.config["A"] = 1`, in modules that import the framework."""
        for module in self._project.modules.values():
            if module.imported_packages.isdisjoint(_PACKAGES):
                continue
            for scope in module.scopes:
                for node in form.walk_body(scope.body, into_definitions=False) if scope.cls is None else ():
                    if isinstance(node, form.Assign) and node.value is not None:
                        yield from self._item(node, node.value, scope)

    def _item(self, node: form.Assign, value: form.Expr, scope: Scope) -> Iterator[Setting]:
        for target in node.targets:
            if isinstance(target, form.Subscript) and self._is_config(target.value, scope):
                yield from self._stored(target.index, value, scope, node)

    def _stored(self, key: form.Expr, value: form.Expr, scope: Scope, place: form.Node) -> Iterator[Setting]:
        name = string_value(key, scope, self._project)
        location = scope.module.location(place)
        if name is None:
            self._context.unresolved(location, "the name of this setting can't be told")
        else:
            yield self._configuration.assigned(name, Sited(value, scope), location, _SOURCE, scope.module.name)


FLASK_CONFIG = Framework(_SOURCE, _PACKAGES, settings=_settings, is_listed=False)
