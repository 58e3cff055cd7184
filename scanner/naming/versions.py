"""Versions: where a client says which version of an API it speaks, and which paths say none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import takewhile

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.naming import ApiVersion, VersionScheme
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.naming.apis import Api, ApiRoute, is_version
from assay.scanner.naming.names import why_foreign
from assay.scanner.naming.places import Places
from assay.scanner.readers.python import form

_PARAMETERS = frozenset({"version", "api_version", "apiversion", "v"})
_HEADER = re.compile(r"(?:http[-_])?(?:x[-_])?(?:api|accept)[-_]?version", re.IGNORECASE)
_FILE = re.compile(r".+\.[a-z]{2,11}")
_REQUEST = frozenset({"headers", "META", "args", "GET", "query_params", "query"})
"""Parts of a request that have a `get`."""
_LIBRARIES = ("VersionedFastAPI", "versionize", "Versionizer", "Cadwyn")
"""FastAPI's libraries for versions: the first two put them into the path, the last into a header."""
_OUTSIDE = frozenset({"version", "versions", "metrics", "robots", "favicon", "sitemap", "docs", "login", "logout",
    "token", "health", "healthz", "ping", "status", "ready", "sso", "static", "media", "internal"})  # fmt: skip
"""What stands beside an API's versions: about the process, about signing in, for machines of one's own."""
_HEADER_PARAMETERS = ("api_version", "x_api_version", "accept_version")
"""FastAPI names a header after its parameter."""
_OUTLIERS = 2
"""Paths with a version for each without one, from which on those without are exceptions."""
_EXAMPLES = 5


def api_versions(api: Api, places: Places, project: Project) -> Iterator[ApiVersion]:
    """One for each path where most have a version; one for the whole API where few have one, or all have another way
    to say it.
    """
    first = dict[str, ApiRoute]()
    for each in api.routes:
        first.setdefault(each.template.text, each)
    routes = list(first.values())
    versioned = [r for r in routes if has_version(r)]
    handlers, base = {r.route.handler for r in versioned} - {None}, _base_of(versioned)
    excused, bare = dict[ApiRoute, str](), list[ApiRoute]()
    for each in routes:
        if not has_version(each):
            why = _why_none(each, handlers, base if api.pages else None)
            if why is None:
                bare.append(each)
            else:
                excused[each] = why
    versions = _Versions(api, places, versioned, bare)
    elsewhere = _scheme_of_all(project, api.root)
    if len(excused) == len(routes):
        return
    if elsewhere is not None:
        yield versions.of_all(VersionScheme.ELSEWHERE, elsewhere)
    elif _OUTLIERS * len(versions.bare) > len(versioned):
        yield versions.of_bare()
    else:
        yield from (versions.of_path(r, excused.get(r)) for r in routes)


@dataclass(frozen=True, slots=True)
class _Versions:
    """The paths of an API with a version, and those without one that should have one."""

    api: Api
    places: Places
    versioned: Sequence[ApiRoute]
    bare: Sequence[ApiRoute]

    def of_bare(self) -> ApiVersion:
        """Of an API of which many paths have none."""
        computed = next((r for r in self.bare if r.is_computed), None)
        if computed is not None:
            return self.of_all(VersionScheme.UNKNOWN, self._evidence(computed))
        excuse = None
        if not self.versioned and self.api.pages >= len(self.bare):
            excuse = f"{len(self.bare)} paths stand beside {self.api.pages} pages, for them"
        first = sorted((self._evidence(r) for r in self.bare), key=lambda e: e.location)
        return self.of_all(VersionScheme.NONE, *first[:_EXAMPLES], excuse=excuse)

    def of_all(self, scheme: VersionScheme, *evidence: Evidence, excuse: str | None = None) -> ApiVersion:
        """Of the API as a whole."""
        return ApiVersion(
            name=f"the API of {self.api.root or 'the service'}",
            is_whole_api=True,
            scheme=scheme,
            location=self._home(),
            role=Role.PROD,
            versioned=len(self.versioned),
            total=len(self.versioned) + len(self.bare),
            excuse=excuse,
            evidence=evidence,
        )

    def of_path(self, found: ApiRoute, excuse: str | None) -> ApiVersion:
        """Of one path of an API of which most have one."""
        has_one, example = has_version(found), self.versioned[0]
        scheme = VersionScheme.UNKNOWN if found.is_computed else VersionScheme.NONE
        evidence = self._evidence(found)
        if not has_one and scheme is VersionScheme.NONE:
            said = f"most paths have a version, as {example.template.text} does"
            evidence = Evidence(self._place(example), said)
        return ApiVersion(
            name=found.template.text,
            is_whole_api=False,
            scheme=VersionScheme.PATH if has_one else scheme,
            location=self._place(found),
            role=found.endpoint.role,
            versioned=len(self.versioned),
            total=len(self.versioned) + len(self.bare),
            excuse=excuse,
            evidence=(evidence,),
        )

    def _home(self) -> Location:
        """Where most paths are registered: the first such line of the file that has the most."""
        files: dict[str, list[Location]] = {}
        for each in self.bare or self.versioned:
            place = self._place(each)
            files.setdefault(place.path, []).append(place)
        return min(files[max(sorted(files), key=lambda path: len(files[path]))])

    def _place(self, found: ApiRoute) -> Location:
        return self.places.of_path(found.route, found.template.statics)

    def _evidence(self, found: ApiRoute) -> Evidence:
        return Evidence(self._place(found), f"{found.endpoint.method} {found.template.text}")


def has_version(found: ApiRoute) -> bool:
    """Whether the path says a version: itself, or below the `root_path` that the application is served at."""
    parameters = (s.parameters[0].name for s in found.template.segments if s.parameters)
    if any(is_version(s) for s in found.template.statics) or not _PARAMETERS.isdisjoint(parameters):
        return True
    application = found.route.application
    call = application.node if application is not None else None
    root_path = call.keyword("root_path") if isinstance(call, form.Call) else None
    text = root_path.value if isinstance(root_path, form.Const) else None
    return isinstance(text, str) and any(is_version(part) for part in text.split("/"))


def _base_of(versioned: Sequence[ApiRoute]) -> tuple[str, ...] | None:
    """What stands before the version in most paths: `api` of `/api/v1/users`."""
    bases = Counter(tuple(takewhile(lambda s: not is_version(s), r.template.statics)) for r in versioned)
    return bases.most_common(1)[0][0] if bases else None


def _why_none(found: ApiRoute, versioned: Set[FunctionSymbol | None], base: tuple[str, ...] | None) -> str | None:
    """Why a path needs no version: of a service with pages, only what is below the API's base is known to be of it."""
    if found.route.handler in versioned:
        return "its handler answers below a version as well"
    if base is not None and (not base or tuple(found.template.statics)[: len(base)] != base):
        return "it stands beside the API, among pages"
    return _why_outside(found)


def _why_outside(found: ApiRoute) -> str | None:
    segments = [segment.lower() for segment in found.template.statics]
    foreign = why_foreign(segments)
    if foreign is not None:
        return foreign
    if not segments:
        return "it is the root, or all that no other route takes"
    if _FILE.fullmatch(found.template.segments[-1].text):
        return "it is a file by its name"
    outside = next((s for s in segments if s.partition(".")[0] in _OUTSIDE), None)
    return f"`{outside}` stands beside the versions" if outside is not None else None


# --- schemes of whole applications ---


def _scheme_of_all(project: Project, root: str) -> Evidence | None:
    """A version in a header, an argument or a host, that code of the service reads for all of its routes."""
    inside = f"{root}/" if root else ""
    return next((e for e in _schemes(project) if e.location.path.startswith(inside)), None)


@remembered
def _schemes(project: Project) -> tuple[Evidence, ...]:
    return (*_of_rest_framework(project), *_of_libraries(project), *_of_headers(project))


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
        of = call.func.value if isinstance(call.func, form.Attr) else None
        if last_name(call.func) == "get" and (of is None or last_name(of) not in _REQUEST):
            continue
        stated = call.keyword("alias") or call.keyword("name") or (call.args[0].value if call.args else None)
        text = stated.value if isinstance(stated, form.Const) else None
        if isinstance(text, str) and _HEADER.fullmatch(text):
            yield scope.module.evidence(call, f"the version is read from {text}")
    for name in _HEADER_PARAMETERS:
        for function in project.functions_taking(name):
            param = next(p for p in function.parameters if p.name == name)
            if _is_header(param) and function.module.role is Role.PROD:
                yield Evidence(function.module.location(param), f"the version is read from the header {name}")


def _is_header(param: form.Param) -> bool:
    declared = (node for part in (param.annotation, param.default) if part is not None for node in form.walk(part))
    return any(isinstance(node, form.Name | form.Attr) and last_name(node) == "Header" for node in declared)
