"""Versions that clients state elsewhere than in the path: in a header, a parameter, a media type."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.constants import string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_NAME = re.compile(r"(?:http[-_])?(?:\w+[-_])*(?:api|accept)[-_]?version", re.IGNORECASE)
"""Of headers, and of parameters of queries."""
_OF_VENDOR = re.compile(
    r"(?:x-)?(?!(?:app|client|sdk|websocket|schema|build|git|server|browser|os|package|plugin|device|firmware|agent|"
    r"content|document|if|model|http|tls|sec|program|release)-)[a-z]+-version",
    re.IGNORECASE,
)
"""`Acme-Version`: a header that is named after the vendor, and not after what else has versions."""
_MEDIA = re.compile(r"application/vnd\.[\w.+-]*\bv\d+\b.*|.*;\s*version=.*")
"""`application/vnd.acme.v1+json`."""
_REQUEST = frozenset({"headers", "META", "args", "GET", "query_params", "query"})
"""Parts of a request that have a `get`."""
_LIBRARIES = ("VersionedFastAPI", "versionize", "Versionizer", "Cadwyn")
"""FastAPI's libraries for versions: the first two put them into the path, the last into a header."""
_HEADER_PARAMETERS = ("api_version", "x_api_version", "accept_version")
"""FastAPI names a header after its parameter."""


def scheme_of_all(project: Project, root: str) -> Evidence | None:
    """A version in a header, an argument or a host, that code of the service reads for all of its routes."""
    inside = f"{root}/" if root else ""
    return next((e for e in _schemes(project) if e.location.path.startswith(inside)), None)


@remembered
def _schemes(project: Project) -> tuple[Evidence, ...]:
    return (*_of_rest_framework(project), *_of_libraries(project), *_of_media_types(project), *_of_headers(project))


def _of_rest_framework(project: Project) -> Iterator[Evidence]:
    """`REST_FRAMEWORK = {"DEFAULT_VERSIONING_CLASS": ...}` (https://www.django-rest-framework.org/api-guide/versioning/)."""
    for module in project.modules.values():
        for binding in module.scope.bindings.get("REST_FRAMEWORK", ()) if module.role is Role.PROD else ():
            for node in form.walk(binding.value) if binding.value is not None else ():
                if isinstance(node, form.Const) and node.value == "DEFAULT_VERSIONING_CLASS":
                    yield module.evidence(node, "REST framework asks each client for a version")


def _of_libraries(project: Project) -> Iterator[Evidence]:
    for call, scope in project.calls_named(*_LIBRARIES):
        if scope.module.role is Role.PROD:
            yield scope.module.evidence(call, f"{last_name(call.func)} gives the whole application versions")


def _of_headers(project: Project) -> Iterator[Evidence]:
    """`request.headers.get("X-API-Version")`, `Header(alias="X-API-Version")`, `x_api_version: str = Header()`."""
    for call, scope in project.calls_named("get", "Header", "Query", "APIKeyHeader"):
        if scope.module.role is not Role.PROD:
            continue
        of = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
        what = last_name(call.func)
        if what == "get" and of not in _REQUEST:
            continue
        stated = call.keyword("alias") or call.keyword("name") or (call.args[0].value if call.args else None)
        text = string_value(stated, scope, project) if stated is not None else None
        if text is not None and _says_version(text, is_header=what == "Header" or of == "headers"):
            yield scope.module.evidence(call, f"the version is read from {text}")
    for module in project.modules.values():
        for node, scope in module.items_by_name.get("headers", ()) if module.role is Role.PROD else ():
            text = string_value(node.index, scope, project)
            if text is not None and _says_version(text, is_header=True):
                yield module.evidence(node, f"the version is read from {text}")
    for name in _HEADER_PARAMETERS:
        for function in project.functions_taking(name):
            param = next(p for p in function.parameters if p.name == name)
            if _is_header(param) and function.module.role is Role.PROD:
                yield Evidence(function.module.location(param), f"the version is read from the header {name}")


def _says_version(text: str, *, is_header: bool) -> bool:
    return _NAME.fullmatch(text) is not None or (is_header and _OF_VENDOR.fullmatch(text) is not None)


def _of_media_types(project: Project) -> Iterator[Evidence]:
    """A response or renderer whose `media_type` names the version."""
    for cls in project.classes:
        for binding in cls.own("media_type") if cls.module.role is Role.PROD else ():
            stated = binding.value
            if isinstance(stated, form.Const) and isinstance(stated.value, str) and _MEDIA.fullmatch(stated.value):
                yield cls.module.evidence(stated, "the media type names the version")


def _is_header(param: form.Param) -> bool:
    declared = (node for part in (param.annotation, param.default) if part is not None for node in form.walk(part))
    return any(isinstance(node, form.Name | form.Attr) and last_name(node) == "Header" for node in declared)
