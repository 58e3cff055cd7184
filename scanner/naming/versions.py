"""Versions: where a client says which version of an API it speaks, and which paths say none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import takewhile

from assay.scanner.dataflow.constants import string_value
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.naming import ApiVersion, VersionScheme
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.naming.apis import Api, ApiRoute, is_version, says_api
from assay.scanner.naming.names import why_foreign
from assay.scanner.naming.places import Places
from assay.scanner.naming.schemes import scheme_of_all
from assay.scanner.naming.templates import Template
from assay.scanner.readers.python import form

_PARAMETERS = frozenset({"version", "api_version", "apiversion", "v"})
_FILE = re.compile(r".+\.[a-z]{2,11}")
_SIGNING_IN = frozenset({"login", "logout", "token", "sso"})
_OUTSIDE = frozenset({"version", "versions", "metrics", "robots", "favicon", "sitemap", "docs", "health", "healthz",
    "ping", "status", "ready", "static", "media", "internal"})  # fmt: skip
"""What stands beside an API's versions, by its first segment: about the process, for machines of one's own."""
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
    versioned = [r for r in routes if has_version(r, project)]
    with_version = set(versioned)
    handlers, base = {r.route.handler for r in versioned} - {None}, _base_of(versioned)
    excused, bare = dict[ApiRoute, str](), list[ApiRoute]()
    for each in routes:
        if each not in with_version:
            why = _why_none(each, handlers, base, among_pages=api.pages > 0)
            if why is None:
                bare.append(each)
            else:
                excused[each] = why
    versions = _Versions(api, places, versioned, bare)
    elsewhere = scheme_of_all(project, api.root)
    if len(excused) == len(routes):
        return
    if elsewhere is not None:
        yield versions.of_all(VersionScheme.ELSEWHERE, elsewhere)
    elif _OUTLIERS * len(versions.bare) > len(versioned):
        yield versions.of_bare()
    else:
        yield from (versions.of_path(r, excused.get(r), has_one=r in with_version) for r in routes)


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

    def of_path(self, found: ApiRoute, excuse: str | None, *, has_one: bool) -> ApiVersion:
        """Of one path of an API of which most have one."""
        example = self.versioned[0]
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


def has_version(found: ApiRoute, project: Project) -> bool:
    """Whether the path says a version: itself, or below where the application is served at."""
    if any(is_version(s) for s in found.template.statics) or _is_parameter(found.template):
        return True
    return any(is_version(part) for text in _served_at(found, project) for part in text.split("/"))


def _is_parameter(template: Template) -> bool:
    """`/api/{version}/users`, and not `/documents/{id}/versions/{version}`."""
    before = ""
    for segment in template.segments:
        names = {p.name for p in segment.parameters}
        if not names.isdisjoint(_PARAMETERS):
            return before == "" or says_api(before)
        before = segment.text
    return False


def _served_at(found: ApiRoute, project: Project) -> Iterator[str]:
    """What stands in front of its path: FastAPI's `root_path`, and the URLs of `servers`."""
    application = found.route.application
    if application is None or not isinstance(application.node, form.Call):
        return
    root_path, servers = application.node.keyword("root_path"), application.node.keyword("servers")
    if root_path is not None:
        yield string_value(root_path, application.scope, project) or ""
    for node in form.walk(servers) if servers is not None else ():
        if isinstance(node, form.Const) and isinstance(node.value, str):
            yield node.value


def _base_of(versioned: Sequence[ApiRoute]) -> tuple[str, ...] | None:
    """What stands before the version in most paths: `api` of `/api/v1/users`."""
    bases = Counter(tuple(takewhile(lambda s: not is_version(s), _segments(r))) for r in versioned)
    return bases.most_common(1)[0][0] if bases else None


def _segments(found: ApiRoute) -> list[str]:
    return [segment.text for segment in found.template.segments if segment.text]


def _why_none(
    found: ApiRoute, versioned: Set[FunctionSymbol | None], base: tuple[str, ...] | None, *, among_pages: bool
) -> str | None:
    """Why a path needs no version. `base` stands before the version of the others.

    Of a service with pages, only what is below the base is known to be of the API.
    """
    segments = tuple(_segments(found))
    if found.route.handler in versioned:
        return "its handler answers below a version as well"
    if base is not None and (segments == base or all(says_api(s) for s in segments)):
        return "the API begins there"
    if among_pages and base is not None and (not base or segments[: len(base)] != base):
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
    first = next((s for s in segments if not says_api(s)), "")
    outside = first if first.partition(".")[0] in _OUTSIDE else next((s for s in segments if s in _SIGNING_IN), None)
    return f"`{outside}` stands beside the versions" if outside is not None else None
