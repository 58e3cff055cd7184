"""Logging configured by a dictionary in the schema of `logging.config.dictConfig`, wherever it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.log_rendering import production_truth
from assay.scanner.framework import SinkFound
from assay.scanner.frameworks.stdlib_logging.formats import (
    FILES,
    SILENT,
    class_format,
    is_structlogs,
    maker_format,
    processors_format,
    string,
    template_format,
    text,
)
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.log import LogFormat
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline

_DEEPEST = 5
"""Levels of the schema."""
_DUMPING = frozenset({"model_dump", "dict", "copy", "deepcopy"})


@dataclass(slots=True)
class Entry:
    """A value of the dictionary, with what its own keys hold."""

    node: form.Expr
    scope: Scope
    items: dict[str, Entry] = field(default_factory=dict)

    def get(self, *path: str) -> Entry | None:
        found: Entry | None = self
        for key in path:
            found = found.items.get(key) if found is not None else None
        return found


def entry_of(node: form.Expr, scope: Scope, project: Project, deepest: int = _DEEPEST) -> Entry:
    """The dictionary as production reads it: names resolved, other dictionaries spread into it."""
    if isinstance(node, form.Conditional):
        truth = production_truth(node.test, scope, project)
        if truth is not None:
            return entry_of(node.body if truth else node.orelse, scope, project, deepest)
    if not isinstance(node, form.Dict | form.Const | form.Display) and deepest:
        of_class = _fields_of(node, scope, project, deepest)
        if of_class is not None:
            return of_class
        value = project.infer(node, scope)
        if isinstance(value, Literal) and isinstance(value.node, form.Dict):
            node, scope = value.node, value.scope
        elif isinstance(value, Instance) and value.type_name == "builtins.dict" and value.origin and value.scope:
            node, scope = value.origin, value.scope
    found = Entry(node, scope)
    if isinstance(node, form.Dict) and deepest:
        for key, value_node in zip(node.keys, node.values, strict=True):
            if key is None:
                found.items |= entry_of(value_node, scope, project, deepest - 1).items
            elif (name := text(key)) is not None:
                found.items[name] = entry_of(value_node, scope, project, deepest - 1)
    elif isinstance(node, form.Call) and last_part(form.dotted(node.func) or "") == "dict" and deepest:
        keywords = ((a.name, a.value) for a in node.args if a.name is not None)
        found.items |= {name: entry_of(value, scope, project, deepest - 1) for name, value in keywords}
    return found


def _fields_of(node: form.Expr, scope: Scope, project: Project, deepest: int) -> Entry | None:
    """The fields of a class of the project whose instance is dumped: `LogConfig().model_dump()`."""
    if not (isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _DUMPING):
        return None
    made = project.infer(node.func.value, scope)
    if not isinstance(made, Instance) or made.cls is None:
        return None
    bound = {name: b[-1] for name, b in made.cls.scope.bindings.items() if b[-1].value is not None}
    items = {name: entry_of(b.value, b.scope, project, deepest - 1) for name, b in bound.items() if b.value is not None}
    return Entry(node, made.cls.scope, items)


def django(module: Module, project: Project) -> Iterator[SinkFound]:
    """The LOGGING of Django settings, which every process of the service gets."""
    for binding in module.scope.bindings.get("LOGGING", ()):
        if binding.how is not How.ASSIGN or binding.value is None or not _is_settings(module):
            continue
        name = module.span(binding.offset, binding.offset + len("LOGGING"))
        found = entry_of(binding.value, binding.scope, project)
        if found.items or isinstance(binding.value, form.Dict):
            for settings in _layers(project):
                change(found, "LOGGING", settings, project)
            yield from configured(found, project, None, name, shared=True)
        else:
            yield SinkFound(
                LogFormat.UNKNOWN, module.evidence(binding.value, "what configures logging"), None, is_shared=True
            )


def _is_settings(module: Module) -> bool:
    names = {"INSTALLED_APPS", "ROOT_URLCONF", "MIDDLEWARE", "DATABASES"}
    return not names.isdisjoint(module.scope.bindings) or any("settings" in part for part in module.name.split("."))


def _layers(project: Project) -> Iterator[Module]:
    """The settings that may build on others in production."""
    for module in project.modules.values():
        is_ours = module.role is Role.PROD and _is_settings(module) and not is_offline(module.path)
        if is_ours and not module.name.rpartition(".")[2].lower().startswith(("dev", "local", "test", "debug")):
            yield module


def change(config: Entry, name: str, module: Module, project: Project) -> None:
    """Do what the module's assignments do to it: `LOGGING["handlers"]["console"]["formatter"] = "json"`."""
    for assignment, scope in module.assignments:
        for target in assignment.targets:
            path = _path(target, name)
            parent = config.get(*path[:-1]) if path else None
            if parent is not None and assignment.value is not None:
                parent.items[path[-1]] = entry_of(assignment.value, scope, project)


def _path(target: form.Expr, name: str) -> list[str]:
    keys: list[str] = []
    while isinstance(target, form.Subscript) and (key := text(target.index)) is not None:
        keys.insert(0, key)
        target = target.value
    return keys if isinstance(target, form.Name) and target.id == name else []


def configured(
    config: Entry, project: Project, installer: Module | None, setup: Location, *, shared: bool = False
) -> Iterator[SinkFound]:
    """The sinks of the dictionary."""
    handlers = config.get("handlers")
    of_root, of_others = _handlers_in_use(config)
    unrouted = tuple(_unrouted(config, project)) if installer is None or not shared else ()
    shown = False
    for name, handler in handlers.items.items() if handlers is not None else ():
        if name not in of_root | of_others or not handler.items:
            continue
        kind = _maker(handler, project)
        if last_part(kind) in SILENT:
            continue
        shape, place = _handler_format(handler, kind, config, project)
        yield SinkFound(
            shape,
            place.scope.module.evidence(place.node, f"the handler {name}"),
            installer if installer is not None or shared else handler.scope.module,
            is_file=last_part(kind) in FILES or "File" in last_part(kind),
            is_shared=shared,
            setup=setup,
            unrouted=() if shown else unrouted,
            on_root=name not in of_others,
        )
        shown = True
    unknown = next(_unknown_handlers(config, project), None)
    if unknown is not None:
        yield SinkFound(LogFormat.UNKNOWN, unknown, installer, is_shared=shared, setup=setup)
    if handlers is None or not handlers.items:
        evidence = config.scope.module.evidence(config.node, "it has no handlers of its own")
        yield SinkFound(LogFormat.UNKNOWN, evidence, installer, is_shared=shared, setup=setup)


def _handlers_in_use(config: Entry) -> tuple[set[str], set[str]]:
    """The names of the root logger's handlers, and of the others'."""
    root, loggers = config.get("root", "handlers"), config.get("loggers")
    named = {name: each.get("handlers") for name, each in loggers.items.items()} if loggers is not None else {}
    of_root = _texts(root) | _texts(named.pop("", None))
    return of_root, {name for each in named.values() for name in _texts(each)}


def _unknown_handlers(config: Entry, project: Project) -> Iterator[Evidence]:
    """What stands among the root logger's handlers for a name that only the environment knows."""
    listed = config.get("root", "handlers")
    if listed is None or not isinstance(listed.node, form.Display):
        return
    for item in listed.node.items:
        if text(item) is None and isinstance(item, form.Name) and string(item, listed.scope, project) is None:
            yield listed.scope.module.evidence(item, "the handler")


def _texts(entry: Entry | None) -> set[str]:
    return {t for n in form.walk(entry.node) if (t := text(n)) is not None} if entry is not None else set()


def _maker(entry: Entry, project: Project) -> str:
    """The dotted name of the class that makes a handler."""
    made = entry.get("class") or entry.get("()")
    if made is None:
        return ""
    value = project.infer(made.node, made.scope)
    return (
        text(made.node) or string(made.node, made.scope, project) or (value.name if isinstance(value, External) else "")
    )


def _handler_format(handler: Entry, kind: str, config: Entry, project: Project) -> tuple[LogFormat, Entry]:
    shape = maker_format(kind)
    if shape is not None:
        return shape, handler
    chosen = handler.get("formatter")
    if chosen is None:
        own = _by_path(kind, handler.scope, project)
        writes = isinstance(own, ClassSymbol) and project.method(own, "emit") is not None
        return LogFormat.UNKNOWN if writes else LogFormat.PLAIN, handler
    name = text(chosen.node) or string(chosen.node, chosen.scope, project)
    if name is None:
        return LogFormat.CONFIGURED, chosen
    formatter = config.get("formatters", name)
    return (_formatter_format(formatter, project), formatter) if formatter is not None else (LogFormat.PLAIN, chosen)


def _formatter_format(formatter: Entry, project: Project) -> LogFormat:
    """The format of one entry of `formatters`."""
    for key in ("()", "class"):
        maker = formatter.get(key)
        if maker is None:
            continue
        path = text(maker.node)
        value = project.infer(maker.node, maker.scope) if path is None else _by_path(path, formatter.scope, project)
        if isinstance(value, ClassSymbol):
            return class_format(value, project)
        name = path or (value.name if isinstance(value, External) else "")
        if is_structlogs(name):
            return processors_format(formatter.node)
        shape = maker_format(name)
        if shape is not None:
            return shape
    template = formatter.get("format") or formatter.get("fmt")
    return template_format(template.node, template.scope, project) if template is not None else LogFormat.PLAIN


def _by_path(path: str, scope: Scope, project: Project) -> object:
    module, _, name = path.rpartition(".")
    found = project.module_named(module, scope.module.path) if module else None
    return project.member(found, name) if found is not None else None


def _unrouted(config: Entry, project: Project) -> Iterator[Evidence]:
    """Loggers in use below none of the named ones, where the root has no handler."""
    loggers = config.get("loggers")
    named = loggers.items.keys() if loggers is not None else ()
    if config.get("root", "handlers") is not None or "" in named:
        return
    for call, scope in project.calls_named("getLogger"):
        module = scope.module
        if module.role is not Role.PROD or is_offline(module.path) or not call.args:
            continue
        if project.callee_name(call, scope) != "logging.getLogger":
            continue
        argument = call.args[0].value
        name = module.name if isinstance(argument, form.Name) and argument.id == "__name__" else text(argument)
        if name is not None and not any(name == known or name.startswith(known + ".") for known in named):
            yield module.evidence(call, f"the logger {name} reaches no handler")
            return
