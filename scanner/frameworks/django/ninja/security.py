"""Who may call Django Ninja's operations, and how often (https://django-ninja.dev/guides/authentication/)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import list_items
from assay.scanner.framework import Guard, Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.frameworks.django.ninja.apis import Level
from assay.scanner.linker.project import Project
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEYS = ("APIKeyHeader", "APIKeyQuery", "APIKeyCookie")
"""Schemes that ask `authenticate` also where there is no key."""


@dataclass(frozen=True, slots=True, eq=False)
class _Callable:
    """One of what `auth=` or `throttle=` names."""

    name: str
    site: Sited


def guards(levels: Sequence[Level], project: Project) -> list[Guard]:
    """Who the nearest level that says anything lets in, by any one of its callables; `auth=None` opens all."""
    found = list(_nearest(levels, "auth", project))
    if any(_lets_anyone_in(each.site, project) for each in found):
        return []
    return [Guard(f.name, f.site.module.evidence(f.site.node, f"{f.name} has to know the caller")) for f in found]


def opened(levels: Sequence[Level]) -> tuple[Evidence, ...]:
    """Where the nearest level that says anything says `auth=None`."""
    stated = next((value for level in levels if (value := level.stated("auth")) is not None), None)
    if stated is None or not isinstance(stated.node, form.Const):
        return ()
    return (stated.module.evidence(stated.node, "anybody may call it"),)


def permissions(levels: Sequence[Level], methods: Sequence[str], project: Project) -> list[Guard]:
    """What Django Ninja Extra asks of callers of a controller's operations."""
    open_to_all = {"AllowAny", *(["IsAuthenticatedOrReadOnly"] if set(methods) <= _SAFE else [])}
    asked = _nearest(levels, "permissions", project)
    found = [each for each in asked if each.name.rsplit(".", 1)[-1] not in open_to_all]
    return [Guard(f.name, f.site.module.evidence(f.site.node, f"{f.name} turns callers away")) for f in found]


def rate_limits(levels: Sequence[Level], project: Project) -> list[Guard]:
    """How often one may call, by the nearest level that says anything."""
    found = _nearest(levels, "throttle", project)
    return [Guard(f.name, f.site.module.evidence(f.site.node, f"{f.name} limits the rate")) for f in found]


def _nearest(levels: Sequence[Level], keyword: str, project: Project) -> Iterator[_Callable]:
    """The callables that the nearest level names by the keyword, one or a list of them."""
    stated = next((value for level in levels if (value := level.stated(keyword)) is not None), None)
    followed = definition(stated, project) if stated is not None else None
    if stated is None or followed is None:
        return
    for node, scope in list_items(followed.node, followed.scope, project) or [(stated.node, stated.scope)]:
        if not isinstance(definition(Sited(node, scope), project).node, form.Const):
            name = form.dotted(node.func if isinstance(node, form.Call) else node)
            yield _Callable(name or "callable", Sited(node, scope))


def _lets_anyone_in(site: Sited, project: Project) -> bool:
    """Whether it returns something true for callers without credentials, as it was made."""
    scheme = project.infer(site.node, site.scope)
    if not isinstance(scheme, Instance) or scheme.cls is None:
        return False
    bases = {name.rsplit(".", 1)[-1] for name in project.base_names(scheme.cls)}
    entrances = ["__call__", *(["authenticate"] if not bases.isdisjoint(_KEYS) else [])]
    methods = [method for name in entrances if (method := project.method(scheme.cls, name)) is not None]
    switches = {arg.name for arg in scheme.origin.args if _is_true(arg.value)} if scheme.origin is not None else set()
    return any(
        _admits(statement.body, switches)
        for method in methods
        for statement in method.node.body
        if isinstance(statement, form.If) and _is_negative(statement.test)
    )


def _admits(body: list[form.Stmt], switches: set[str | None]) -> bool:
    """Whether the first `return` that is reached gives something; `self.switch` is what the scheme was made with."""
    for statement in body:
        if isinstance(statement, form.If) and isinstance(statement.test, form.Attr) and statement.test.attr in switches:
            return _admits(statement.body, switches)
        if isinstance(statement, form.Return):
            return statement.value is not None and not (
                isinstance(statement.value, form.Const) and not statement.value.value
            )
    return False


def _is_negative(test: form.Expr) -> bool:
    """`not token`, `token is None`, `not token or ...`."""
    match test:
        case form.Boolean(op="or", values=[first, *_]):
            return _is_negative(first)
        case form.Compare(ops=["is" | "=="], rights=[form.Const()]):
            return True
    return isinstance(test, form.Unary) and test.op == "not"


def _is_true(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and node.value is True
