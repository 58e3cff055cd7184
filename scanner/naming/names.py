"""Paths with their verbs, and the names of several words in paths and queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.naming import Convention, NameKind, NameStyle, PathName, PathTemplate
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.naming.apis import Api, ApiRoute
from assay.scanner.naming.places import Places
from assay.scanner.naming.words import may_be_thing, style_of, verb_of, words_of
from assay.scanner.readers.python import form

_OF_OTHERS = frozenset({"webhook", "webhooks", "hook", "hooks", "callback", "callbacks", "oauth", "oauth2", "oidc",
    "openid", "saml", "saml2", "scim"})  # fmt: skip
"""Segments of paths that another system, or a protocol, has chosen."""
_OF_PROTOCOLS = frozenset({"client_id", "client_secret", "redirect_uri", "response_type", "response_mode", "grant_type",
    "code_challenge", "code_challenge_method", "code_verifier", "id_token", "login_hint", "session_state",
    "error_description", "access_token", "refresh_token"})  # fmt: skip
"""Parameters that OAuth names."""
_QUERIES = frozenset({"args", "GET", "query_params"})
_READERS = frozenset({"get", "getlist", "get_list"})
_PREFERRED = (NameStyle.KEBAB, NameStyle.SNAKE, NameStyle.CAMEL, NameStyle.PASCAL)
"""Of styles that are equally common."""


def path_templates(api: Api, places: Places) -> Iterator[PathTemplate]:
    """Each path once."""
    below = _by_beginning(api.routes)
    for alike in _by_path(api.routes).values():
        first = alike[0]
        segments = [s.static for s in first.template.segments if s.text]
        methods = tuple(dict.fromkeys(r.endpoint.method for r in alike))
        found = [(i, verb) for i in range(len(segments)) if (verb := verb_of(segments, i)) is not None]
        if not found:
            yield PathTemplate(
                first.template.text, methods, places.of_path(first.route, first.template.statics), first.endpoint.role,
                excuse=_chosen_by_others(first),
            )  # fmt: skip
            continue
        index, verb = found[0]
        segment = segments[index] or ""
        used = below[tuple(segments[: index + 1])]
        written = places.of_segment(segment, first.route)
        yield PathTemplate(
            name=first.template.text,
            methods=methods,
            location=written,
            role=first.endpoint.role,
            verb=verb,
            segment=segment,
            is_action=_is_action(segments, index, methods),
            may_be_thing=may_be_thing(segment, is_read=_is_only_read(used), is_written=_is_written(used)),
            excuse=_chosen_by_others(first),
            evidence=(Evidence(first.route.location, f"{' and '.join(methods)} answers there"),),
        )


def _by_beginning(routes: Iterable[ApiRoute]) -> dict[tuple[str | None, ...], list[ApiRoute]]:
    """The routes at and below each path."""
    found: dict[tuple[str | None, ...], list[ApiRoute]] = {}
    for each in routes:
        segments = [s.static for s in each.template.segments if s.text]
        for length in range(1, len(segments) + 1):
            found.setdefault(tuple(segments[:length]), []).append(each)
    return found


def _is_only_read(routes: Iterable[ApiRoute]) -> bool:
    """Whether some answer GET, and none of these changes anything."""
    reading = [r.endpoint for r in routes if r.endpoint.method == "GET"]
    return bool(reading) and not any(e.changes_on_get for e in reading)


def _is_written(routes: Iterable[ApiRoute]) -> bool:
    return any(r.endpoint.is_written_to for r in routes)


def _is_action(segments: Sequence[str | None], index: int, methods: tuple[str, ...]) -> bool:
    """`POST /orders/{id}/set-price`: of several words, as a bare verb says no more than a method does."""
    words = words_of(segments[index] or "")
    behind_an_id = index > 0 and segments[index - 1] is None
    return behind_an_id and index == len(segments) - 1 and methods == ("POST",) and len(words) > 1


@dataclass(frozen=True, slots=True)
class _Name:
    """A name of several words, in how many paths it is, and where it is written."""

    name: str
    style: NameStyle
    uses: int
    location: Location


def several_words(api: Api, places: Places) -> Iterator[PathName]:
    """Each name of several words once: a prefix of forty routes is one decision."""
    yield from _names(NameKind.SEGMENT, list(_segments(api.routes, places)))
    yield from _names(NameKind.QUERY, list(_query_parameters(api.routes)))


def _names(kind: NameKind, names: Sequence[_Name]) -> Iterator[PathName]:
    counts = Counter[NameStyle](name.style for name in names if name.style is not NameStyle.MIXED)
    if not counts:
        return
    style = max(_PREFERRED, key=lambda s: (counts[s], -_PREFERRED.index(s)))
    example = max((name for name in names if name.style is style), key=lambda n: (n.uses, n.name))
    evidence = Evidence(example.location, f"{counts[style]} of {len(names)} are {style}: {example.name}")
    rivals = max((count for other, count in counts.items() if other is not style), default=0)
    convention = Convention(style, counts[style], len(names), rivals, evidence)
    for name in names:
        yield PathName(name.name, kind, name.style, convention, name.location, Role.PROD)


def _segments(routes: Iterable[ApiRoute], places: Places) -> Iterator[_Name]:
    found: dict[str, list[ApiRoute]] = {}
    for each in routes:
        if _chosen_by_others(each) is None:
            for segment in dict.fromkeys(each.template.statics):
                found.setdefault(segment, []).append(each)
    for segment, having in found.items():
        style = style_of(segment)
        if style is not None:
            uses = len({r.template.text for r in having})
            yield _Name(segment, style, uses, places.of_segment(segment, having[0].route))


def _query_parameters(routes: Iterable[ApiRoute]) -> Iterator[_Name]:
    """Those that handlers declare, and those that they read from the query by hand."""
    found: dict[str, set[Location]] = {}
    handlers = set[FunctionSymbol]()
    for each in routes:
        if _chosen_by_others(each) is not None:
            continue
        for parameter in each.route.parameters or ():
            if parameter.place == "query":
                found.setdefault(parameter.name, set()).add(parameter.location)
        handler = each.route.handler
        if handler is not None and handler not in handlers:
            handlers.add(handler)
            for name, location in _read_by_hand(handler):
                found.setdefault(name, set()).add(location)
    for name, locations in found.items():
        style = style_of(name) if name not in _OF_PROTOCOLS else None
        if style is not None:
            yield _Name(name, style, len(locations), min(locations))


def _read_by_hand(handler: FunctionSymbol) -> Iterator[tuple[str, Location]]:
    """`request.args.get("page_size")`, `request.GET["page_size"]`."""
    for node in handler.walk():
        source, key = None, None
        if (
            isinstance(node, form.Call)
            and isinstance(node.func, form.Attr)
            and node.func.attr in _READERS
            and node.args
        ):
            source, key = node.func.value, node.args[0].value
        elif isinstance(node, form.Subscript):
            source, key = node.value, node.index
        is_query = isinstance(source, form.Attr) and source.attr in _QUERIES
        if is_query and isinstance(key, form.Const) and isinstance(key.value, str):
            yield key.value, handler.module.location(key)


def _by_path(routes: Iterable[ApiRoute]) -> dict[str, list[ApiRoute]]:
    found: dict[str, list[ApiRoute]] = {}
    for each in routes:
        found.setdefault(each.template.text, []).append(each)
    return found


def _chosen_by_others(found: ApiRoute) -> str | None:
    """Why the path is none that the service could name as it likes."""
    return why_foreign(found.template.statics)


def why_foreign(segments: Iterable[str]) -> str | None:
    """What says that a protocol or another system names the path."""
    for segment in segments:
        if segment.startswith(".well-known") or not _OF_OTHERS.isdisjoint({segment.lower(), *words_of(segment)}):
            return f"`{segment}` belongs to a protocol or to another system"
    return None
