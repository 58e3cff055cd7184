"""Django Ninja's pagination: which paginator cuts an operation's list, and how large a page may be
(https://django-ninja.dev/guides/response/pagination/).
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import Evaluator
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.model.query import Cap, PageSize
from assay.scanner.readers.python import form

_PAGINATE = ("ninja.pagination.paginate", "ninja_extra.pagination.paginate", "ninja_extra.paginate")
_DEFAULT = "ninja.pagination.LimitOffsetPagination"
_SIZES = {
    # the paginator's input that says how many, the argument and the setting that cap it, and the setting's default
    "LimitOffsetPagination": ("limit", "max_limit", "NINJA_PAGINATION_MAX_LIMIT", None),
    "PageNumberPagination": ("page_size", "max_page_size", "NINJA_MAX_PER_PAGE_SIZE", 100),
    "CursorPagination": ("page_size", "max_page_size", "NINJA_MAX_PER_PAGE_SIZE", 100),
}


@dataclass(frozen=True, slots=True, eq=False)
class Paginator:
    """A paginator by its dotted name, with the decorator or router that puts it to use."""

    name: str
    stated: Sited
    settings: Settings | None

    @property
    def evidence(self) -> Evidence:
        return self.stated.module.evidence(self.stated.node, f"{last_part(self.name)} cuts it into pages")


def paginator_of(function: FunctionSymbol, settings: Settings | None, project: Project) -> Paginator | None:
    """Of `@paginate`, `@paginate(Class)`, `@paginate(Class, page_size=50)`."""
    for decorator in function.decorators:
        callee = decorator.func if isinstance(decorator, form.Call) else decorator
        if project.qualified_name(callee, function.outer) not in _PAGINATE:
            continue
        stated = decorator.argument(0, "func_or_pgn_class") if isinstance(decorator, form.Call) else None
        value = project.infer(stated, function.outer) if stated is not None else None
        name = value.name if isinstance(value, External | ClassSymbol) else None
        if stated is not None and name is None:
            name = form.dotted(stated) or "a paginator"
        return Paginator(name or default_name(settings, project), Sited(decorator, function.outer), settings)
    return None


def default_name(settings: Settings | None, project: Project) -> str:
    """The paginator that is used where none is named."""
    stated = settings.get("NINJA_PAGINATION_CLASS") if settings is not None else None
    return (Evaluator(project, settings).text(stated) if stated is not None else None) or _DEFAULT


def page_sizes(paginator: Paginator, function: FunctionSymbol, project: Project) -> tuple[PageSize, ...]:
    """The input of a paginator of the library; one of the project says itself what it makes of its input."""
    known = _SIZES.get(last_part(paginator.name)) if paginator.name.startswith("ninja") else None
    if known is None:
        return ()
    name, argument, setting, maximum = known
    cap = Cap.CAPPED if maximum is not None else Cap.UNCAPPED
    call = paginator.stated.node
    stated = call.keyword(argument) if isinstance(call, form.Call) else None
    limit = Sited(stated, paginator.stated.scope) if stated is not None else None
    if limit is None and paginator.settings is not None:
        limit = paginator.settings.get(setting)
    if limit is not None:
        value = Evaluator(project, paginator.settings).constant(limit)
        maximum, cap = (value, Cap.CAPPED) if isinstance(value, int) else (None, Cap.UNKNOWN)
    location = paginator.stated.module.location(call)
    return (PageSize(function.id, name, location, function.module.role, cap, maximum),)
