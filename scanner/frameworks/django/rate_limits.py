"""django-ratelimit: decorators that limit how often a view may be called.

https://django-ratelimit.readthedocs.io/en/stable/usage.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.framework import Guard, Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_DECORATORS = frozenset({"django_ratelimit.decorators.ratelimit", "ratelimit.decorators.ratelimit"})
_ADAPTER = "django.utils.decorators.method_decorator"


def decorator_limits(decorators: Iterable[Sited], project: Project) -> Iterator[Guard]:
    """The limits among decorators, `method_decorator(...)` seen through."""
    for decorator in decorators:
        node = definition(decorator, project).node
        callee = project.infer(node.func, decorator.scope) if isinstance(node, form.Call) else None
        if not isinstance(node, form.Call) or not isinstance(callee, External):
            continue
        if callee.name == _ADAPTER:
            yield from decorator_limits([Sited(a, decorator.scope) for a in node.positional[:1]], project)
        elif callee.name in _DECORATORS:
            yield Guard("ratelimit", decorator.module.evidence(node, "limits how often it may be called"))


def view_limits(cls: ClassSymbol | None, handler: FunctionSymbol | None, verb: str, project: Project) -> list[Guard]:
    """The limits on a handler and on its view class."""
    found = [Sited(d, handler.outer) for d in handler.decorators] if handler is not None else []
    for base in project.mro(cls) if cls is not None else ():
        if isinstance(base, ClassSymbol):
            found += [Sited(d, base.outer) for d in base.node.decorators if _names(d, ("dispatch", verb.lower()))]
    return list(decorator_limits(found, project))


def _names(decorator: form.Expr, methods: tuple[str, ...]) -> bool:
    name = decorator.keyword("name") if isinstance(decorator, form.Call) else None
    return isinstance(name, form.Const) and name.value in methods
