"""What FastAPI's registrations declare of an endpoint for its documentation: tags, statuses, summary, deprecation, body
(https://fastapi.tiangolo.com/tutorial/path-operation-configuration/, https://fastapi.tiangolo.com/tutorial/body/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from assay.scanner.dataflow.constants import constant, definitions, list_items, string_value
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.framework import BodyType, DeclaredParameter, Sited
from assay.scanner.frameworks.fastapi.dependencies import Dependencies, Parameter
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import spelled
from assay.scanner.web.lists import Item

_BODY = frozenset({"Body", "Form", "File"})
_ELSEWHERE = frozenset({"Query", "Path", "Header", "Cookie", "Depends", "Security"})
_NO_BODY = frozenset({"Enum", "StrEnum", "IntEnum", "str", "int"})
"""Bases of classes whose values are scalars, and so come in the query."""
_CONTAINERS = frozenset({"list", "dict", "set", "tuple", "List", "Dict", "Set", "Tuple", "Sequence", "Mapping"})
_WRAPPERS = frozenset({"Optional", "Union"})
_UPLOADS = ("fastapi.UploadFile", "starlette.datastructures.UploadFile", "fastapi.datastructures.UploadFile")
_PLACES = {"Query": "query", "Path": "path", "Header": "header", "Cookie": "cookie"}
_OTHERS = _BODY | {"Depends", "Security"}
_SCALARS = frozenset(
    """str int float bool bytes datetime date time timedelta UUID UUID1 UUID3 UUID4 UUID5 Decimal Literal EmailStr
    HttpUrl AnyUrl AnyHttpUrl PositiveInt NonNegativeInt conint constr Json StrictStr StrictInt StrictBool""".split()
)


class Declarations:
    """Reads the declarations of one project."""

    def __init__(self, project: Project, dependencies: Dependencies) -> None:
        self._project = project
        self._dependencies = dependencies

    def tags(self, stated: Iterable[Item]) -> tuple[str, ...]:
        """Of all levels; a tag may be the member of an enumeration."""
        tags = [
            string_value(*item, self._project, each.given)
            for each in stated
            for item in list_items(each.node, each.scope, self._project, each.given)
        ]
        return tuple(dict.fromkeys(tag for tag in tags if tag is not None))

    def is_deprecated(self, stated: Iterable[Item]) -> bool:
        known = (constant(each.node, each.scope, self._project, each.given) for each in stated)
        return any(found is not None and found.value is True for found in known)

    def is_hidden(self, stated: Iterable[Item]) -> bool:
        """`include_in_schema=False`, on any level."""
        known = (constant(each.node, each.scope, self._project, each.given) for each in stated)
        return any(found is not None and found.value is False for found in known)

    def summary(self, stated: Sequence[Item]) -> str | None:
        own = stated[-1] if stated else None
        return string_value(own.node, own.scope, self._project, own.given) if own is not None else None

    def status_codes(self, success: Sequence[Item], others: Iterable[Item]) -> tuple[int, ...]:
        """The success first; `responses={404: ...}` of all levels after it."""
        codes = [status_code(each.node, each.scope, self._project) for each in success[-1:]]
        for each in others:
            keys = self._keys(Sited(each.node, each.scope))
            codes += [status_code(key, site.scope, self._project) for key, site in keys]
        return tuple(dict.fromkeys(code for code in codes if code is not None))

    def _keys(self, site: Sited, depth: int = 4) -> Iterator[tuple[form.Expr, Sited]]:
        """The keys of a dict, of those that `**other` and `a | b` put into it, too."""
        if not depth:
            return
        match site.node:
            case form.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if key is None:
                        yield from self._keys(Sited(value, site.scope), depth - 1)
                    else:
                        yield key, site
            case form.Binary(op="|", left=left, right=right):
                yield from self._keys(Sited(left, site.scope), depth - 1)
                yield from self._keys(Sited(right, site.scope), depth - 1)
            case form.Name() | form.Attr():
                for definition in definitions(site.node, site.scope, self._project):
                    yield from self._keys(Sited(*definition), depth - 1)

    def request_model(self, parameters: Iterable[Parameter], path: str) -> str | None:
        """The types of the parameters that FastAPI reads from the body, as they are spelled."""
        bodies = [
            found
            for body in self.request_types(parameters, path)
            if not isinstance(body.site.node, form.Call) and (found := spelled(body.site.node)) is not None
        ]
        return ", ".join(dict.fromkeys(bodies)) or None

    def request_types(self, parameters: Iterable[Parameter], path: str) -> tuple[BodyType, ...]:
        """The types themselves; for `data=Body(...)` without one, what is there in its place."""
        elsewhere = path_parameters(path)
        found = (self._body(p) for p in parameters if p.name not in elsewhere)
        return tuple(body for body in found if body is not None)

    def _body(self, parameter: Parameter) -> BodyType | None:
        taken_by = (parameter.function, parameter.name) if parameter.function is not None else None
        if parameter.annotation is None:
            default = parameter.default
            is_body = (
                default is not None and isinstance(default.node, form.Call) and last_name(default.node.func) in _BODY
            )
            return BodyType(default, taken_by) if is_body and default is not None else None
        declared, extras = self._dependencies.metadata(parameter.annotation)
        sites = [*extras, *([parameter.default] if parameter.default is not None else [])]
        marks = {last_name(s.node.func) or "" for s in sites if isinstance(s.node, form.Call)}
        if marks & _ELSEWHERE or parameter.mark is not None:
            return None
        return BodyType(declared, taken_by) if marks & _BODY or self._is_body(declared) else None

    def parameters(self, parameters: Iterable[Parameter], path: str) -> tuple[DeclaredParameter, ...]:
        """What it reads from the path, the query, headers and cookies, by the names that clients use."""
        in_path = path_parameters(path)
        found = (self._parameter(p, in_path) for p in parameters)
        return tuple(dict.fromkeys(p for p in found if p is not None))

    def _parameter(self, parameter: Parameter, in_path: Mapping[str, bool]) -> DeclaredParameter | None:
        if parameter.annotation is None and parameter.default is None and parameter.name not in in_path:
            return None  # `self`
        declared, extras = None, list[Sited]()
        if parameter.annotation is not None:
            declared, extras = self._dependencies.metadata(parameter.annotation)
        sites = [*extras, *([parameter.default] if parameter.default is not None else [])]
        marks = {last_name(s.node.func) or "": s for s in sites if isinstance(s.node, form.Call)}
        mark = next((name for name in _PLACES if name in marks), parameter.mark)
        if mark is None and parameter.name in in_path:
            mark = "Path"
        if mark is None and (declared is None or not self._is_scalar(declared) or marks.keys() & _OTHERS):
            return None
        place = _PLACES[mark] if mark is not None else "query"
        alias = next((stated for site in marks.values() if (stated := _alias(site)) is not None), None)
        name = string_value(alias.node, alias.scope, self._project) if alias is not None else _public_name(parameter)
        if name is None:
            return None
        if place == "header" and alias is None:
            name = name.replace("_", "-")
        is_required = place == "path" or not _has_default(parameter.default)
        return DeclaredParameter(name, place, is_required, parameter.location)

    def _is_scalar(self, declared: Sited) -> bool:
        """Whether FastAPI reads a value of this type from the query where nothing says otherwise."""
        node, scope = declared.node, declared.scope
        if isinstance(node, form.Const):
            return node.value is None
        if isinstance(node, form.Binary):
            return self._is_scalar(Sited(node.left, scope)) and self._is_scalar(Sited(node.right, scope))
        value = self._project.infer(node.value if isinstance(node, form.Subscript) else node, scope)
        if isinstance(value, ClassSymbol):
            return not _NO_BODY.isdisjoint(last_part(name) for name in self._project.base_names(value))
        if not isinstance(value, External):
            return False
        if isinstance(node, form.Subscript) and last_part(value.name) in _WRAPPERS:
            arguments = node.index.items if isinstance(node.index, form.Display) else [node.index]
            return all(self._is_scalar(Sited(argument, scope)) for argument in arguments)
        return last_part(value.name) in _SCALARS

    def _is_body(self, declared: Sited) -> bool:
        """Whether FastAPI reads a value of this type from the body where nothing says otherwise: no scalar is."""
        node, scope = declared.node, declared.scope
        if isinstance(node, form.Binary):
            return self._is_body(Sited(node.left, scope)) or self._is_body(Sited(node.right, scope))
        generic = node.value if isinstance(node, form.Subscript) else node
        value = self._project.infer(generic, scope)
        if isinstance(value, ClassSymbol):
            bases = {last_part(name) for name in self._project.base_names(value)}
            return bases.isdisjoint(_NO_BODY) and not self._is_given_by_fastapi(bases)
        if not isinstance(value, External):
            return False
        name = last_part(value.name)
        if isinstance(node, form.Subscript) and name in _WRAPPERS:
            arguments = node.index.items if isinstance(node.index, form.Display) else [node.index]
            return any(self._is_body(Sited(argument, scope)) for argument in arguments)
        return name in _CONTAINERS or value.name in _UPLOADS

    def _is_given_by_fastapi(self, bases: set[str]) -> bool:
        """A class of the project's own that FastAPI fills itself: a request, a response, tasks."""
        return not bases.isdisjoint({"Request", "WebSocket", "Response", "BackgroundTasks", "HTTPConnection"})


def _alias(site: Sited) -> Sited | None:
    """`Query(alias="page-size")`, `Field(validation_alias="pageSize")`."""
    if not isinstance(site.node, form.Call):
        return None
    stated = site.node.keyword("validation_alias") or site.node.keyword("alias")
    return Sited(stated, site.scope) if stated is not None else None


def _public_name(parameter: Parameter) -> str | None:
    """The name that clients use where nothing else is stated; None where a function of the project makes it."""
    if parameter.renamed is None:
        return parameter.name
    if "camel" not in (last_name(parameter.renamed.node) or "").lower():
        return None
    first, *rest = parameter.name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _has_default(default: Sited | None) -> bool:
    """`= 10`, `= Query(10)` and `= Field(default=None)`, and not `= Query(...)`."""
    if default is None:
        return False
    if not isinstance(default.node, form.Call) or last_name(default.node.func) not in (*_PLACES, "Field"):
        return True
    stated = default.node.argument(0, "default") or default.node.keyword("default_factory")
    return stated is not None and not (isinstance(stated, form.Opaque) and stated.end - stated.start == len("..."))
