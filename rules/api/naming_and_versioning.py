"""API2: paths follow one naming convention, and the version of the API is explicit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assay.scanner.model.naming import (
    STYLES,
    ApiVersion,
    NameKind,
    PathName,
    PathTemplate,
    Precedence,
    RouteOverlap,
    VersionScheme,
)
from assay.scanner.model.place import Evidence
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@dataclass(frozen=True, slots=True)
class VerbOptions:
    """`actions` lets `POST /orders/{id}/set-price` be; `rpc` says that the API names what is done by intention."""

    actions: bool = True
    rpc: bool = False


@rule(
    "API201",
    severity=Severity.LOW,
    references=("RFC 9110 §9.3", "https://opensource.zalando.com/restful-api-guidelines/#141"),
)
def verb_in_resource_path(path: PathTemplate, service: Service, options: VerbOptions) -> Verdict:
    """A path says what the method should say.

    Why: the method's meaning for caches, retries and proxies is lost, and each client has to learn every path by heart.
    Fix: name the resource, and let GET, POST, PUT, PATCH and DELETE say what is done with it.
    """
    if options.rpc:
        return not_applicable("the API is of procedures, by the configuration")
    if path.excuse is not None:
        return not_applicable(path.excuse)
    if path.verb is None:
        return passed("its segments name things", Evidence(path.location, path.name))
    if path.is_action and options.actions:
        return passed(f"`{path.segment}` is an action on one object", *path.evidence)
    if path.may_be_thing:
        return review(f"is `{path.segment}` a thing, or does it say what is done?", *path.evidence)
    said = f"the path {path.name} says `{path.verb}`; name the resource, and let the method say what is done with it"
    return fail(said, *path.evidence)


@dataclass(frozen=True, slots=True)
class CaseOptions:
    """`segments` and `parameters` are the styles asked for; without them it is the style of most names, as soon as
    there are `minimum` names of several words.
    """

    segments: Literal["kebab", "snake", "camel", "pascal"] | None = None
    parameters: Literal["kebab", "snake", "camel", "pascal"] | None = None
    minimum: int = 5


@rule("API202", severity=Severity.LOW, references=("https://opensource.zalando.com/restful-api-guidelines/#129",))
def inconsistent_path_case(name: PathName, service: Service, options: CaseOptions) -> Verdict:
    """A name in a path or query joins its words in another way than the rest of the API.

    Why: nobody can guess a path, and each client carries a list of exceptions.
    Fix: pick one style for all paths, and one for parameters; serve the old name beside the new one for a while.
    """
    wanted = options.segments if name.kind is NameKind.SEGMENT else options.parameters
    common, style = name.convention, STYLES[wanted] if wanted is not None else name.convention.style
    if wanted is None and common.total < options.minimum:
        return not_applicable(f"there are only {common.total} names of several words: that shows no convention")
    if name.style is not style and wanted is not None:
        return fail(f"`{name.name}` is {name.style} where the configuration asks for {style}; rename it")
    most = f"{common.count} of {common.total} {name.kind}s are {style}"
    if name.style is not style and common.is_clear:
        return fail(f"`{name.name}` is {name.style} where {most}; rename it", common.example)
    if name.style is not style:
        return review(f"`{name.name}` is {name.style}, and only {most}: which is the rule?", common.example)
    return passed(f"it is {style}, as is the rule here", Evidence(name.location, name.name))


@rule("API204", severity=Severity.MEDIUM, references=("OWASP API9:2023 Improper Inventory Management",))
def unversioned_endpoint(version: ApiVersion, service: Service) -> Verdict:
    """Clients can't say which version of the API they speak.

    Why: no incompatible change can be made without breaking every client on the same day.
    Fix: serve all of it below one version (`/api/v1`), or read the version from one header in one place.
    """
    if version.excuse is not None:
        return not_applicable(version.excuse)
    if version.scheme is VersionScheme.NONE and version.is_whole_api:
        few = f"only {version.versioned} of {version.total} paths have" if version.versioned else "no path has"
        return fail(f"{few} a version; serve the API below one, such as /api/v1", *version.evidence)
    if version.scheme is VersionScheme.NONE:
        rest = f"{version.versioned} of {version.total} paths have one"
        return fail(f"{version.name} has no version where {rest}; move it below the version", *version.evidence)
    if version.scheme is VersionScheme.UNKNOWN:
        return review("only run time tells a part of the path: does it hold a version?", *version.evidence)
    return passed("clients say which version they speak", *version.evidence)


@rule("API205", severity=Severity.HIGH, cwe=(561,))
def shadowed_route(overlap: RouteOverlap, service: Service) -> Verdict:
    """A route is never reached, as one before it takes all of its requests.

    Why: requests end at another handler, which answers with a wrong object, an error or a refusal of its own.
    Fix: register the more specific path first, or type the parameter of the other one in the path (`{id:int}`).
    """
    match overlap.precedence:
        case Precedence.SAME_HANDLER:
            return not_applicable("the same handler answers both", *overlap.evidence)
        case Precedence.SHADOWED:
            if overlap.is_equal:
                said = "a route before it takes the same requests; remove one of the two"
            else:
                said = f"{overlap.other} is asked first and takes its requests; register it before that one"
            return fail(f"{overlap.label} is never reached: {said}", *overlap.evidence)
        case Precedence.ORDER_UNKNOWN:
            return review(
                f"is {overlap.label} registered before {overlap.other}, which takes it too?", *overlap.evidence
            )
        case Precedence.RANKED:
            return passed("the framework prefers the more specific path", *overlap.evidence)
    return passed(f"{overlap.other} leaves it requests", *overlap.evidence)
