"""Exemptions: the methods that an interceptor lets pass without a look at who is calling."""

from __future__ import annotations

from assay.scanner.dataflow.constants import int_value, string_items, string_value
from assay.scanner.frameworks.grpc.refusals import functions_of, refusal
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.readers.python import form

_NAMES_OF_METHODS = frozenset({"method", "method_name", "full_method", "full_method_name", "rpc_method", "rpc_name"})


def lets_pass(interceptor: FunctionSymbol, path: str, project: Project) -> bool:
    """Whether a call of the method at this path surely reaches its handler unseen."""
    return _passes(interceptor.node.body, interceptor, path, project)


def asks_the_definition(interceptor: ClassSymbol, project: Project) -> bool:
    """Whether an interceptor looks at options of services or methods, which `.proto` files state."""
    nodes = (node for function in functions_of(interceptor, project) for node in function.walk())
    return any(isinstance(node, form.Attr) and node.attr == "GetOptions" for node in nodes)


def _passes(body: list[form.Stmt], interceptor: FunctionSymbol, path: str, project: Project) -> bool:
    for statement in body:
        match statement:
            case form.Return(value=value):
                return value is not None and not _is_checking(value, interceptor, project) and _hands_on(value)
            case form.If(test=test, body=then, orelse=orelse):
                holds = _holds(test, interceptor, path, project)
                if holds is None:
                    return False
                if holds or orelse:
                    return _passes(then if holds else orelse, interceptor, path, project)
            case form.Try(body=inner):
                return _passes(inner, interceptor, path, project)
            case form.Assign() | form.ExprStmt():
                if _is_checking(statement, interceptor, project):
                    return False
            case _:
                return False
    return False


def _hands_on(value: form.Expr) -> bool:
    """`continuation(details)`, `method(request, context)`, awaited or not."""
    call = value.value if isinstance(value, form.Await) else value
    return isinstance(call, form.Call) and isinstance(call.func, form.Name)


def _is_checking(node: form.Expr | form.Stmt, interceptor: FunctionSymbol, project: Project) -> bool:
    calls = (inner for inner in form.walk(node) if isinstance(inner, form.Call))
    callees = (project.callee_function(call, interceptor.scope) for call in calls)
    return any(refusal([callee], project) is not None for callee in callees if callee is not None)


def _holds(test: form.Expr, interceptor: FunctionSymbol, path: str, project: Project) -> bool | None:
    """Whether the test holds for the method; None where it asks for something else or can't be told."""
    match test:
        case form.Unary(op="not", operand=operand):
            inner = _holds(operand, interceptor, path, project)
            return None if inner is None else not inner
        case form.Boolean(op=op, values=values):
            parts = [_holds(v, interceptor, path, project) for v in values]
            decisive = op == "or"
            return decisive if decisive in parts else None if None in parts else not decisive
        case form.Compare(left=left, ops=[op], rights=[right]):
            asked = _asked(left, interceptor, path, project)
            known = _strings(right, interceptor, project)
            if asked is None or not known:
                return None
            return (asked in known) is (op in ("in", "=="))
        case form.Call(func=form.Attr(value=owner, attr="startswith" | "endswith" as end), args=[arg]):
            asked = _asked(owner, interceptor, path, project)
            affixes = tuple(_strings(arg.value, interceptor, project))
            if asked is None or not affixes:
                return None
            return asked.startswith(affixes) if end == "startswith" else asked.endswith(affixes)
    return None


def _strings(node: form.Expr, interceptor: FunctionSymbol, project: Project) -> list[str]:
    """A string, or the strings of a collection; none where one of them can't be told."""
    text = string_value(node, interceptor.scope, project)
    items = [text] if text is not None else string_items(node, interceptor.scope, project)
    known = [item for item in items if item is not None]
    return known if len(known) == len(items) else []


def _asked(node: form.Expr, interceptor: FunctionSymbol, path: str, project: Project) -> str | None:
    """What the expression is, where it is the called method's path or the last part of that."""
    if isinstance(node, form.Name):
        bindings = [b for b in interceptor.scope.bindings.get(node.id, ()) if b.value is not None]
        if len(bindings) == 1 and bindings[0].value is not None:
            return _asked(bindings[0].value, interceptor, path, project)
    if isinstance(node, form.Subscript) and isinstance(node.value, form.Call):
        split = node.value.func
        if isinstance(split, form.Attr) and split.attr in ("split", "rsplit"):
            whole = _asked(split.value, interceptor, path, project)
            is_last = int_value(node.index, interceptor.scope, project) == -1
            return whole.rpartition("/")[2] if whole is not None and is_last else None
    return path if last_name(node) in _NAMES_OF_METHODS else None
