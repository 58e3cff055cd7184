"""Flask's views: which methods a class answers, and what kind of thing a handler returns."""

from __future__ import annotations

from assay.scanner.dataflow.constants import constant, definitions
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form

VERBS = ("get", "post", "put", "patch", "delete", "options")
_DEEPEST_CALL = 2
_KINDS = {
    "render_template": EndpointKind.HTML,
    "render_template_string": EndpointKind.HTML,
    "stream_template": EndpointKind.HTML,
    "render": EndpointKind.HTML,
    "send_file": EndpointKind.FILE,
    "send_from_directory": EndpointKind.FILE,
    "jsonify": EndpointKind.JSON,
    "json_response": EndpointKind.JSON,
    "stream_with_context": EndpointKind.STREAM,
}
_MARSHALLING = frozenset({"response", "marshal_with", "marshal_list_with", "output", "doc"})


def verb_methods(cls: ClassSymbol, project: Project) -> list[tuple[str, FunctionSymbol]]:
    """The verbs that the class has methods of its own or inherited ones for, in a fixed order."""
    found = [(verb.upper(), project.method(cls, verb)) for verb in VERBS]
    return [(verb, method) for verb, method in found if method is not None]


def answer_kind(function: FunctionSymbol | None, project: Project) -> EndpointKind | None:
    """What the handler returns, when all that can be told agrees."""
    if function is None:
        return None
    decorators = {last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators}
    if decorators & _MARSHALLING:
        return EndpointKind.JSON
    found = _kinds(function, project, _DEEPEST_CALL)
    if found == {EndpointKind.HTML, EndpointKind.FILE}:
        return EndpointKind.HTML  # one page, rendered or served as it is
    return found.pop() if len(found) == 1 else None


def _kinds(function: FunctionSymbol, project: Project, depth: int) -> set[EndpointKind]:
    found = set[EndpointKind]()
    for node in function.returns:
        if node.value is not None:
            found |= _kinds_of_value(node.value, function.scope, project, depth)
    return found


def _kinds_of_value(node: form.Expr, scope: Scope, project: Project, depth: int) -> set[EndpointKind]:
    match node:
        case form.Display(kind="tuple", items=[first, *_]):
            return _kinds_of_value(first, scope, project, depth)
        case form.Dict() | form.Display() | form.Comprehension():
            return {EndpointKind.JSON}
        case form.Await(value=inner):
            return _kinds_of_value(inner, scope, project, depth)
        case form.Conditional(body=body, orelse=orelse):
            return _kinds_of_value(body, scope, project, depth) | _kinds_of_value(orelse, scope, project, depth)
        case form.Name(id=name):
            bindings = scope.bindings.get(name, ()) if depth else ()
            values = [b.value for b in bindings if b.value is not None and b.param is None]
            return {kind for v in values for kind in _kinds_of_value(v, scope, project, depth - 1)}
        case form.Call():
            return _kinds_of_call(node, scope, project, depth)
    return set()


def _kinds_of_call(call: form.Call, scope: Scope, project: Project, depth: int) -> set[EndpointKind]:
    name = last_name(call.func) or ""
    callee = project.callee_function(call, scope) if depth else None
    if callee is not None and callee.name != "__init__":
        found = _kinds(callee, project, depth - 1)
        if found:
            return found
    if name in _KINDS:
        return {_KINDS[name]}
    if name in ("make_response", "Response") and call.args:
        mimetype = call.keyword("mimetype") or call.keyword("content_type")
        known = constant(mimetype, scope, project) if mimetype is not None else None
        if known is not None and isinstance(known.value, str) and "json" in known.value:
            return {EndpointKind.JSON}
        return _kinds_of_value(call.args[0].value, scope, project, depth)
    return set()


def lists_by_schema(function: FunctionSymbol | None, project: Project) -> bool | None:
    """True where a decorator is given a schema of many; None where nothing is stated."""
    for decorator in function.decorators if function is not None else ():
        for node in form.walk(decorator):
            if isinstance(node, form.Call) and _is_of_many(node):
                return True
            if isinstance(node, form.Name | form.Attr) and function is not None:
                made = definitions(node, function.outer, project)
                if made and all(isinstance(value, form.Call) and _is_of_many(value) for value, _ in made):
                    return True
    return None


def _is_of_many(call: form.Call) -> bool:
    switches = (call.keyword(name) for name in ("many", "as_list"))
    return any(isinstance(switch, form.Const) and switch.value is True for switch in switches)
