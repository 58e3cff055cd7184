"""From a call to the function of the project that runs, and what it is given of what was labelled."""

from __future__ import annotations

from assay.scanner.dataflow.lookups.labels import Labels, is_form_of_id, names_caller, names_id, names_object
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.readers.python import form


def is_on_self(call: form.Call) -> bool:
    """`self.get_order(...)`."""
    return isinstance(call.func, form.Attr) and form.dotted(call.func.value) == "self"


def callee(call: form.Call, scope: Scope, view: ClassSymbol | None, project: Project) -> FunctionSymbol | None:
    """The project's function that is called; a method of `self` is the view's own."""
    if view is not None and isinstance(call.func, form.Attr) and is_on_self(call):
        return project.method(view, call.func.attr)
    found = project.callee_function(call, scope)
    return None if found is not None and found.name == "__init__" else found


def function_of(node: form.Expr, scope: Scope, project: Project) -> FunctionSymbol | None:
    """The function that runs when what the expression stands for is called."""
    value = project.infer(node, scope)
    if isinstance(value, BoundMethod):
        return value.function
    if isinstance(value, Instance) and value.cls is not None:
        return project.method(value.cls, "__call__")
    if isinstance(value, ClassSymbol):
        return project.method(value, "__init__")
    return value if isinstance(value, FunctionSymbol) else None


def _is_call(node: form.Expr) -> bool:
    """Whether it gives something that was got by what is in it."""
    return isinstance(node.value if isinstance(node, form.Await) else node, form.Call)


def handed(call: form.Call, function: FunctionSymbol, labels: Labels, wanted: str, project: Project) -> Labels:
    """What the arguments say of the callee's parameters."""
    inside = Labels()
    for param in function.parameters:
        argument = project.bound_argument(call, function, param)
        if argument is None:
            continue
        if names_object(argument, labels):
            inside.objects.add(param.name)
        elif is_form_of_id(argument, labels, wanted) or (not _is_call(argument) and names_id(argument, labels, wanted)):
            inside.ids.add(param.name)
        if names_caller(argument, labels):
            inside.callers.add(param.name)
    return inside
