"""References to functions that other processes run: the function itself, or its dotted path as text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import constant, definitions, string_value
from assay.scanner.dataflow.partials import names_bound_to
from assay.scanner.framework import Context
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.work import Task, TaskOption
from assay.scanner.readers.python import form
from assay.scanner.web.registrations import decorated

_DEEPEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Invocation:
    """A call of a library's function, `partial(function, ...)` included, by the function's dotted name."""

    name: str
    call: form.Call
    scope: Scope


def invocations(project: Project, *names: str) -> Iterator[Invocation]:
    """Calls whose callee's last name is one of `names`, as far as the callee is a library's."""
    for call, scope in project.calls_named(*names):
        callee = library_callee(call.func, scope, project)
        if callee is not None:
            yield Invocation(callee, call, scope)
    for partial, scope in project.calls_named("partial"):
        func = partial.args[0].value if partial.args else None
        if isinstance(func, form.Attr) and func.attr in names:
            callee = library_callee(func, scope, project)
            if callee is not None:
                call = form.Call(start=partial.start, end=partial.end, func=func, args=partial.args[1:])
                yield Invocation(callee, call, scope)


def decorated_functions(project: Project, *names: str) -> Iterator[tuple[Invocation, FunctionSymbol]]:
    """Functions under a library's decorator whose last name is one of `names`, whatever the project calls it, or under
    a decorator of the project that applies one and takes its options.
    """
    known = {*names, *_other_names(project, names)}
    wrappers = _wrappers(project, known)
    for found in decorated(project, known | {wrapper.name for wrapper in wrappers}):
        value = project.infer(found.call.func, found.scope)
        callee = wrappers.get(value) if isinstance(value, FunctionSymbol) else None
        callee = callee or library_callee(found.call.func, found.scope, project)
        if callee is not None and isinstance(found.handler, FunctionSymbol):
            yield Invocation(callee, found.call, found.scope), found.handler


def _other_names(project: Project, names: Collection[str]) -> Iterator[str]:
    """`import name as other`, `other = partial(name, ...)`."""
    for module in project.modules.values():
        for name, bindings in module.scope.bindings.items():
            if any(b.how is How.IMPORT_FROM and b.name in names for b in bindings):
                yield name
    for call, scope in project.calls_named("partial"):
        if call.args and last_name(call.args[0].value) in names:
            yield from names_bound_to(call, scope.module)


def _wrappers(project: Project, names: Collection[str]) -> dict[FunctionSymbol, str]:
    """Functions of modules that call the library's decorator, which they do with what they decorate."""
    found: dict[FunctionSymbol, str] = {}
    for call, scope in project.calls_named(*sorted(names)):
        outermost = _outermost_function(scope)
        callee = library_callee(call.func, scope, project) if outermost is not None else None
        if outermost is not None and callee is not None:
            found[outermost] = callee
    return found


def _outermost_function(scope: Scope) -> FunctionSymbol | None:
    found = None
    around: Scope | None = scope
    while around is not None and around.cls is None:
        found, around = around.function or found, around.parent
    return found if around is None else None


def library_callee(node: form.Expr, scope: Scope, project: Project) -> str | None:
    """The dotted name of the library's function that calling the expression calls: through `partial(...)`, and through
    the project's own subclasses of it.
    """
    value = project.infer(node, scope)
    if isinstance(value, Instance) and value.type_name == "functools.partial":
        if value.origin is None or value.scope is None or not value.origin.args:
            return None
        value = project.infer(value.origin.args[0].value, value.scope)
    return _name(value, project)


def _name(value: Value | None, project: Project) -> str | None:
    match value:
        case External(name=name):
            return name
        case Instance(cls=None, type_name=name):
            return name
        case BoundMethod(function=function, receiver=Instance(cls=cls)) if cls is not None:
            # A method that a subclass overrides does what the library's does, and more.
            return next((f"{base}.{function.name}" for base in sorted(project.base_names(cls))), None)
        case ClassSymbol():
            return next(iter(sorted(project.base_names(value))), None)
    return None


def functions_of(node: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> list[FunctionSymbol]:
    """The functions that the expression names: as an object, by dotted path, or through a parameter's callers."""
    text = string_value(node, scope, project)
    if text is not None:
        found = function_at(text, scope, project)
        return [found] if found is not None else []
    value = project.infer(node, scope)
    function = value.function if isinstance(value, BoundMethod) else value
    if isinstance(function, FunctionSymbol):
        return [function]
    found_by_callers: list[FunctionSymbol] = []
    for binding in scope.lookup(node.id) if isinstance(node, form.Name) and depth else ():
        if binding.how is How.PARAMETER and binding.function is not None and binding.param is not None:
            for call, around in project.callers(binding.function):
                given = project.bound_argument(call, binding.function, binding.param)
                if given is not None:
                    found_by_callers += functions_of(given, around, project, depth - 1)
    return list(dict.fromkeys(found_by_callers))


def function_at(path: str, scope: Scope, project: Project) -> FunctionSymbol | None:
    """The function of a dotted path `package.module.function`."""
    owner, _, name = path.replace(":", ".").rpartition(".")
    module = project.module_named(owner, scope.module.path) if owner else None
    value = project.member(module, name) if module is not None else None
    return value if isinstance(value, FunctionSymbol) else None


def path_of(function: FunctionSymbol) -> str:
    """The dotted path by which a worker imports the function."""
    return f"{function.module.name}.{function.qualname}"


def task_of(
    function: FunctionSymbol,
    framework: str,
    name: str | None = None,
    queue: str | None = None,
    schedule: str | None = None,
    options: tuple[TaskOption, ...] = (),
) -> Task:
    """The task that a worker runs the function as."""
    return Task(
        name or path_of(function),
        function.id,
        framework,
        function.location,
        function.module.role,
        queue,
        schedule,
        options,
    )


def options_of(call: form.Call, scope: Scope, project: Project) -> tuple[TaskOption, ...]:
    """All that the call says by name, or in a mapping: one that can't be told is an option named `**`."""
    found: list[TaskOption] = []
    for argument in call.args:
        if argument.name:
            found.append(option_of(argument.name, argument.value, scope, project))
        elif argument.star == 2:
            given = [(argument.value, scope), *definitions(argument.value, scope, project)]
            items = [
                (key.value, value, around)
                for node, around in given
                if isinstance(node, form.Dict)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, form.Const)
            ]
            found += (option_of(str(name), value, around, project) for name, value, around in items)
            if not items:
                found.append(option_of("**", argument.value, scope, project))
    return tuple(found)


def class_options(cls: ClassSymbol, names: Iterable[str], project: Project) -> tuple[TaskOption, ...]:
    """Those of the names that the class, or one above it, sets."""
    found = ((name, project.class_attribute(cls, name)) for name in names)
    return tuple(option_of(name, *stated, project) for name, stated in found if stated is not None)


def option_of(name: str, node: form.Expr, scope: Scope, project: Project) -> TaskOption:
    """The option with what it is told."""
    value = "inf" if _is_endless(node) else None
    # What a function gives may hang on settings whose defaults aren't what production has.
    if value is None and not isinstance(node, form.Call) and (known := constant(node, scope, project)) is not None:
        value = repr(known.value)
    return TaskOption(name, value, scope.module.evidence(node, f"{name} is {value}" if value else f"{name} is set"))


def _is_endless(node: form.Expr) -> bool:
    """`float("inf")`, `math.inf`."""
    match node:
        case form.Call(func=form.Name(id="float"), args=[form.Arg(value=form.Const(value=str() as text))]):
            return text.strip("+").lower() in ("inf", "infinity")
    return isinstance(node, form.Name | form.Attr) and last_name(node) == "inf"


def text_of(node: form.Expr | None, scope: Scope, context: Context, what: str) -> str | None:
    """A text argument; where it is computed that is said, and it counts as not given."""
    if node is None or (isinstance(node, form.Const) and node.value is None):
        return None
    found = string_value(node, scope, context.project)
    if found is None:
        context.unresolved(scope.module.location(node), f"{what} can't be told")
    return found


def each_once(tasks: Iterable[Task]) -> Iterator[Task]:
    """One task for every name; what several registrations say of queue and schedule is put together."""
    found: dict[str, Task] = {}
    for task in tasks:
        known = found.get(task.name)
        found[task.name] = task if known is None else _merged(known, task)
    return iter(found.values())


def _merged(one: Task, other: Task) -> Task:
    schedules = dict.fromkeys(s for s in (one.schedule, other.schedule) if s is not None)
    return replace(
        one,
        queue=one.queue or other.queue,
        schedule="; ".join(schedules) or None,
        options=tuple(dict.fromkeys([*one.options, *other.options])),
    )
