"""How to tell a view of Django REST framework from a plain one."""

from __future__ import annotations

from assay.scanner.frameworks.django.views import View
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.readers.python import form

_PACKAGES = ("rest_framework.", "rest_framework_nested.", "rest_framework_extensions.", "drf_", "djoser.",
             "rest_framework_simplejwt.", "dj_rest_auth.", "rest_framework_mongoengine.", "rest_framework_gis.",
             "rest_framework_bulk.", "oauth2_provider.contrib.rest_framework.", "djangorestframework_")  # fmt: skip


def is_rest_class(cls: ClassSymbol, project: Project) -> bool:
    """Whether the class derives from one of REST framework's or of a package on top of it."""
    return any(name.startswith(_PACKAGES) for name in project.base_names(cls))


def is_rest_view(view: View, project: Project) -> bool:
    """Whether REST framework answers: a class of its hierarchy, or a function with `@api_view`."""
    if view.cls is not None:
        return is_rest_class(view.cls, project)
    decorators = view.function.decorators if view.function is not None else []
    return any(last_name(d.func if isinstance(d, form.Call) else d) == "api_view" for d in decorators)
