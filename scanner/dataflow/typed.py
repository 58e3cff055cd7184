"""Which declared types leave no room for free text: numbers, UUIDs, dates, truth values, enumerations, literals."""

from __future__ import annotations

from assay.scanner.dataflow.constants import definitions
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_TYPED_ANNOTATIONS = frozenset(
    {
        "builtins.bool", "builtins.float", "builtins.int", "datetime.date", "datetime.datetime", "datetime.time",
        "datetime.timedelta", "decimal.Decimal", "ipaddress.IPv4Address", "ipaddress.IPv6Address",
        "pydantic.NonNegativeInt", "pydantic.PositiveInt", "pydantic.UUID4", "pydantic.conint", "pydantic.types.UUID4",
        "uuid.UUID",
    }
)  # fmt: skip
_GENERICS = frozenset(
    {
        "Collection", "Iterable", "List", "Optional", "Sequence", "Set", "Tuple", "Union", "frozenset", "list", "set",
        "tuple",
    }
)  # fmt: skip
_VALIDATORS = frozenset({"AfterValidator", "BeforeValidator", "PlainValidator", "Predicate", "WrapValidator"})
_PATTERNS = frozenset({"pattern", "regex"})
_ENUM_BASES = frozenset({"enum.Enum", "enum.StrEnum", "enum.IntEnum", "enum.Flag", "enum.IntFlag"})
_CHOICES = frozenset({"django.db.models.TextChoices", "django.db.models.IntegerChoices", "django.db.models.Choices"})


def is_enumeration(cls: ClassSymbol, project: Project) -> bool:
    """Whether it derives from Enum or from Django's choices."""
    return project.is_subclass(cls, *_ENUM_BASES, *_CHOICES)


def is_typed(annotation: form.Expr | None, scope: Scope, project: Project) -> bool:
    """Whether a declared type leaves no room for free text."""
    match annotation:
        case None:
            return False
        case form.Binary(op="|", left=left, right=right):
            return all(_is_none(s) or is_typed(s, scope, project) for s in (left, right))
        case form.Subscript(value=base, index=index):
            generic = project.infer(base, scope)
            name = generic.name if isinstance(generic, External) else ""
            arguments = index.items if isinstance(index, form.Display) else [index]
            if last_part(name) == "Literal":
                return True
            if last_part(name) == "Annotated":
                return is_typed(arguments[0], scope, project)
            return last_part(name) in _GENERICS and all(
                _is_none(a) or isinstance(a, form.Opaque) or is_typed(a, scope, project) for a in arguments
            )
    value = project.annotation_class(annotation, scope)
    if isinstance(value, ClassSymbol):
        return is_enumeration(value, project)
    return isinstance(value, External) and value.name in _TYPED_ANNOTATIONS


def is_checked(annotation: form.Expr | None, scope: Scope, project: Project, depth: int = 4) -> bool:
    """Whether the declared type runs a validator or matches a pattern before the handler sees the value: what is left
    of it is theirs to say.
    """
    if annotation is None or not depth:
        return False
    for node in form.walk(annotation):
        if isinstance(node, form.Call) and (
            last_name(node.func) in _VALIDATORS or any(a.name in _PATTERNS for a in node.args)
        ):
            return True
        if isinstance(node, form.Name):
            aliased = definitions(node, scope, project)
            if any(is_checked(value, around, project, depth - 1) for value, around in aliased):
                return True
    return False


def _is_none(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and node.value is None
