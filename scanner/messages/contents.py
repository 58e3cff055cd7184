"""What is put into messages that a worker can't use, or that is too much: rows, requests, files, exceptions."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.effects.records import Records
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.messages.sent import Given, Sent, last_display
from assay.scanner.model.message import Content, UnfitValue
from assay.scanner.readers.python import form

_DEEPEST = 6
_ROW_TAKERS = frozenset(
    {
        "get", "first", "last", "one", "one_or_none", "earliest", "latest", "create", "aget", "afirst", "alast",
        "acreate", "get_object_or_404", "aget_object_or_404", "get_object", "get_or_404", "first_or_404", "one_or_404",
        "scalar_one", "scalar_one_or_none", "get_or_none", "scalar",
    }
)  # fmt: skip
_QUERYING = frozenset(
    {
        "all", "filter", "filter_by", "exclude", "order_by", "select_related", "prefetch_related", "annotate",
        "distinct", "get_list_or_404", "get_queryset", "scalars", "only", "in_bulk", "iterator", "limit", "using",
        "where",
    }
)  # fmt: skip
_PICKING = frozenset({"values", "values_list"})
_OF_COLUMNS = _PICKING | {"aggregate", "count", "exists", "dates", "datetimes", "with_entities"}
_NARROWING = frozenset(
    {"filter", "filter_by", "exclude", "where", "limit", "get", "in_bulk", "join", "first", "having", "slice"}
)
_COLLECTING = frozenset({"list", "tuple", "set", "sorted", "dict"})
_CARRYING = frozenset({"dumps", "b64encode", "b64decode", "encode", "decode", "bytes", "urlsafe_b64encode", "compress"})
"""What gives back what it gets, in another shape. `json.dumps(row)` is none: rows have to be made data before."""
_PICKLING = ("pickle", "cloudpickle", "dill", "jsonpickle")
_REQUESTS = (
    "flask.request", "flask.Request", "starlette.requests.Request", "fastapi.Request", "fastapi.requests.Request",
    "django.http.HttpRequest", "django.http.request.HttpRequest", "rest_framework.request.Request", "quart.request",
    "aiohttp.web.Request", "aiohttp.web_request.Request", "sanic.Request", "sanic.request.Request",
    "django.core.handlers.wsgi.WSGIRequest", "litestar.Request",
)  # fmt: skip
_UPLOADS = frozenset({"FILES", "files"})
_UPLOAD_TYPES = frozenset({"UploadFile", "UploadedFile", "FileStorage", "InMemoryUploadedFile", "FieldStorage"})
_READING = frozenset({"read", "read_bytes", "read_text", "getvalue", "readlines"})
_OF_ROWS = frozenset({"ForeignKey", "OneToOneField"})


class Contents:
    """Tells what values in one project's messages are."""

    def __init__(self, project: Project, records: Records) -> None:
        self._project = project
        self._records = records

    def unfit(self, sent: Sent) -> tuple[UnfitValue, ...]:
        """Each value once, in order."""
        found: dict[str, UnfitValue] = {}
        for given in sent.given:
            contents = [*self._in(given.node, given.scope, _DEEPEST)] or [*self._by_handler(given, sent.handler)]
            for content, node, scope in contents:
                path = form.dotted(node)
                text = f"`{path}`: {content}" if path is not None else str(content)
                value = UnfitValue(content, scope.module.evidence(node, text))
                found.setdefault(f"{content} {path}", value)
        return tuple(found.values())

    def _in(self, node: form.Expr, scope: Scope, depth: int) -> Iterator[tuple[Content, form.Expr, Scope]]:
        """The unfit values that the expression is made of, with where each stands."""
        if not depth:
            return
        inner = self._made_of(node, scope)
        if inner is not None:
            for part, around in inner:
                yield from self._in(part, around, depth - 1)
            return
        content = None
        match node:
            case form.Comprehension():
                content = self._of_comprehension(node, scope, depth)
            case form.Call():
                content = self._of_call(node, scope, depth)
            case form.Name():
                content = self._of_name(node, scope, depth)
            case form.Attr() | form.Subscript():
                content = self._of_part(node, scope)
        if content is not None:
            yield content, node, scope

    def _made_of(self, node: form.Expr, scope: Scope) -> list[tuple[form.Expr, Scope]] | None:
        """What travels with the expression, where that isn't the expression itself: items, or what it is made from."""
        match node:
            case form.Dict(values=parts) | form.Display(items=parts) | form.Boolean(values=parts):
                return [(part, scope) for part in parts]
            case form.Starred(value=inner) | form.Await(value=inner):
                return [(inner, scope)]
            case form.Conditional(body=body, orelse=orelse):
                return [(body, scope), (orelse, scope)]
            case form.Call():
                carried = self._carried(node, scope)
                return [(carried, scope)] if carried is not None else None
            case form.Name():
                display = last_display(node, scope)
                return [display] if display is not None else None
        return None

    def _kind(self, node: form.Expr, scope: Scope, depth: int) -> Content | None:
        """What one expression is, for those that hang on it; a dict or list is more than what is in it."""
        if isinstance(node, form.Dict | form.Display):
            return None
        return next((content for content, _, _ in self._in(node, scope, depth)), None)

    def _of_name(self, node: form.Name, scope: Scope, depth: int) -> Content | None:
        if self._is_request(node, scope):
            return Content.REQUEST
        for binding in reversed(scope.lookup(node.id, node.start)):
            if binding.scope is scope and binding.offset > node.start:
                continue
            if binding.how in (How.ASSIGN, How.WITH, How.FOR, How.UNPACK, How.EXCEPT, How.PARAMETER):
                return self._of_binding(binding, depth) or self._of_type(node, scope, binding)
        return None

    def _of_binding(self, binding: Binding, depth: int) -> Content | None:
        if binding.how is How.EXCEPT:
            return Content.EXCEPTION
        if binding.value is None:
            return None
        if binding.how is How.UNPACK:
            is_made = isinstance(binding.value, form.Call) and last_name(binding.value.func) in (
                "get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create",
            )  # fmt: skip
            return Content.ROW if is_made and binding.index == 0 else None
        inner = self._kind(binding.value, binding.scope, depth - 1)
        if binding.how is How.FOR:
            return Content.ROW if inner is Content.ROWS else None
        return inner

    def _of_type(self, node: form.Expr, scope: Scope, binding: Binding | None = None) -> Content | None:
        """By the class that the object is of, where the linker or an annotation tells."""
        if binding is not None and binding.how in (How.FOR, How.UNPACK):
            return None
        value = self._project.infer(node, scope)
        if isinstance(value, Instance):
            if value.cls is not None:
                return Content.ROW if self._records.is_record(value.cls) else None
            if last_part(value.type_name) in _UPLOAD_TYPES or value.type_name == "builtins.open":
                return Content.FILE
            if value.type_name == "django.db.models.QuerySet":
                return Content.ROWS
        return None

    def _of_part(self, node: form.Attr | form.Subscript, scope: Scope) -> Content | None:
        if isinstance(node, form.Subscript):
            is_upload = last_name(node.value) in _UPLOADS and self._is_request(_owner(node.value), scope)
            return Content.FILE if is_upload else None
        if self._is_request(node, scope):
            return Content.REQUEST
        if node.attr == "user" and self._is_request(node.value, scope):
            return Content.ROW
        value = self._project.infer(node, scope)
        if isinstance(value, Instance) and last_part(value.type_name) in _OF_ROWS and value.cls is None:
            return Content.ROW
        return self._of_type(node, scope)

    def _of_call(self, call: form.Call, scope: Scope, depth: int) -> Content | None:
        name = last_name(call.func) or ""
        owner = call.func.value if isinstance(call.func, form.Attr) else None
        if name in _READING and owner is not None:
            is_path = name.startswith("read_")
            is_file = self._kind(owner, scope, depth - 1) is Content.FILE
            return Content.FILE_CONTENT if is_path or is_file else None
        if name in _COLLECTING and isinstance(call.func, form.Name) and call.positional:
            inner = self._kind(call.positional[0], scope, depth - 1)
            if inner in (Content.ROWS, Content.TABLE):
                return inner
            return Content.TABLE if self._is_whole(call.positional[0], scope) else None
        if name == "get" and last_name(owner or call.func) in _UPLOADS:
            return Content.FILE if self._is_request(_owner(owner or call.func), scope) else None
        if name in _ROW_TAKERS or name in _QUERYING:
            if self._records.rows_at(call, scope) is None or not self._is_of_rows(call, scope):
                return None
            return Content.ROW if name in _ROW_TAKERS else Content.ROWS
        value = self._project.infer(call, scope)
        if isinstance(value, Instance) and value.cls is not None and value.origin is call:
            return Content.ROW if self._records.is_record(value.cls) else None
        return Content.FILE if isinstance(value, Instance) and value.type_name == "builtins.open" else None

    def _is_of_rows(self, call: form.Call, scope: Scope) -> bool:
        """No method on the way picks columns, or asks something else of the rows; nor where the query was begun."""
        begun = next((n for n in form.walk(call.func) if isinstance(n, form.Name)), None)
        before = [value for value, _ in definitions(begun, scope, self._project)] if begun is not None else []
        calls = (n for part in (call.func, *before) for n in form.walk(part) if isinstance(n, form.Call))
        return _OF_COLUMNS.isdisjoint(last_name(n.func) for n in calls)

    def _of_comprehension(self, node: form.Comprehension, scope: Scope, depth: int) -> Content | None:
        """Rows, or a value of each row of a whole table."""
        generator = node.generators[0]
        if not isinstance(generator.target, form.Name) or node.value is not None:
            return None
        inner = self._kind(generator.iter, scope, depth - 1)
        if inner is Content.ROWS and isinstance(node.element, form.Name) and node.element.id == generator.target.id:
            return Content.ROWS
        is_all = not generator.ifs and self._is_whole(generator.iter, scope)
        return Content.TABLE if is_all else None

    def _carried(self, call: form.Call, scope: Scope) -> form.Expr | None:
        """What `base64.b64encode(data)`, `data.decode()` or `pickle.dumps(row)` gives in another shape."""
        name = last_name(call.func)
        if name not in _CARRYING:
            return None
        callee = self._project.callee_name(call, scope) or ""
        if name == "dumps":
            return call.positional[0] if callee.partition(".")[0] in _PICKLING and call.positional else None
        if call.positional:
            return call.positional[0]
        return call.func.value if isinstance(call.func, form.Attr) else None

    def _is_whole(self, node: form.Expr, scope: Scope) -> bool:
        """A query that neither narrows nor limits what it reads."""
        names = [last_name(n.func) for n in form.walk(node) if isinstance(n, form.Call)]
        if not isinstance(node, form.Call) or names[:1] == [] or not _NARROWING.isdisjoint(n or "" for n in names):
            return False
        if names[0] not in ("all", *_PICKING) or self._records.rows_at(node, scope) is None:
            return False
        return any(isinstance(n, form.Attr) and n.attr in ("objects", "query") for n in form.walk(node)) and not any(
            isinstance(n, form.Subscript) for n in form.walk(node)
        )

    def _is_request(self, node: form.Expr | None, scope: Scope) -> bool:
        if node is None or not isinstance(node, form.Name | form.Attr):
            return False
        value = self._project.infer(node, scope)
        if isinstance(value, External | Instance):
            name = value.name if isinstance(value, External) else value.type_name
            return name in _REQUESTS
        if form.dotted(node) == "self.request":
            return value is None
        bound = scope.lookup(node.id) if isinstance(node, form.Name) and node.id == "request" else []
        return value is None and any(b.how is How.PARAMETER and b.annotation is None for b in bound)

    def _by_handler(self, given: Given, handler: FunctionSymbol | None) -> Iterator[tuple[Content, form.Expr, Scope]]:
        """What the handler takes it for: by its annotation, or as a row of the model that its name says."""
        if handler is None or given.name is None or not isinstance(given.node, form.Name | form.Attr):
            return
        param = next((p for p in handler.node.params if p.name == given.name), None)
        if param is None:
            return
        if param.annotation is not None:
            cls = self._project.annotation_class(param.annotation, handler.outer)
            if isinstance(cls, ClassSymbol) and self._records.is_record(cls):
                yield Content.ROW, given.node, given.scope
            return
        model = "".join(word.capitalize() for word in words(param.name))
        for cls in self._project.classes_named(model):
            if self._records.is_record(cls) and self._reads_columns(handler, param.name, cls):
                yield Content.ROW, given.node, given.scope
                return

    def _reads_columns(self, handler: FunctionSymbol, name: str, cls: ClassSymbol) -> bool:
        """Whether the function reads attributes of the parameter that the model has."""
        read = {n.attr for n in handler.nodes if isinstance(n, form.Attr) and form.dotted(n.value) == name}
        is_rebound = any(b.how is not How.PARAMETER for b in handler.scope.bindings.get(name, ()))
        return not is_rebound and any(self._project.class_member(cls, attribute) for attribute in read)


def _owner(node: form.Expr) -> form.Expr | None:
    return node.value if isinstance(node, form.Attr) else None
