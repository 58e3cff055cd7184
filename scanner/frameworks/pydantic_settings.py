"""pydantic's settings: classes whose fields are read from the environment
(https://docs.pydantic.dev/latest/concepts/pydantic_settings/).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.scanner.configuration.declared import Configuration, place_of
from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.dataflow.model_options import model_option
from assay.scanner.framework import Context, Framework, Sited
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.setting import MASK, Setting
from assay.scanner.readers.python import form

_BASES = ("pydantic_settings.BaseSettings", "pydantic_settings.main.BaseSettings")
_OLD_BASES = ("pydantic.BaseSettings", "pydantic.v1.BaseSettings", "pydantic.env_settings.BaseSettings")
_MODEL = "pydantic.BaseModel"
_NO_FIELDS = frozenset({"model_config", "Config"})
_NO_FIELD_TYPES = frozenset({"typing.ClassVar", "typing.Final"})
_DEEPEST = 4


def _settings(context: Context) -> Iterator[Setting]:
    reader = _Reader(context.project)
    for cls in reader.declaring_classes():
        yield from reader.settings_of(cls)


@dataclass(frozen=True, slots=True)
class _Naming:
    """How a class of settings derives variables from its fields."""

    prefix: str = ""
    delimiter: str | None = None
    case_sensitive: bool = False

    def variable(self, *names: str) -> str:
        name = self.prefix + (self.delimiter or "__").join(names)
        return name if self.case_sensitive else name.upper()


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """A field as it is declared: `options` is its `Field(...)` call."""

    name: str
    binding: Binding
    annotation: form.Expr | None
    default: form.Expr | None
    options: form.Call | None

    @property
    def scope(self) -> Scope:
        return self.binding.scope


class _Reader:
    def __init__(self, project: Project) -> None:
        self._project = project
        self._configuration = Configuration(project)

    def declaring_classes(self) -> Iterator[ClassSymbol]:
        """The classes of settings, and those that give them fields by inheritance."""
        found: dict[ClassSymbol, None] = {}
        for cls in self._project.classes:
            if self._project.is_subclass(cls, *_BASES, *_OLD_BASES):
                found |= dict.fromkeys(base for base in self._project.mro(cls) if isinstance(base, ClassSymbol))
        return iter(found)

    def settings_of(self, cls: ClassSymbol) -> Iterator[Setting]:
        """One for every field that the class itself declares; fields of nested models where variables can set them."""
        heirs = [c for c in (cls, *self._project.subclasses(cls)) if not self._project.subclasses(c)]
        naming = {c: self._naming(c) for c in heirs if self._project.is_subclass(c, *_BASES, *_OLD_BASES)}
        is_old = self._project.is_subclass(heirs[0], *_OLD_BASES) if heirs else False
        for field in self._fields(cls, unannotated=is_old):
            owners = {c: way for c, way in naming.items() if self._is_its_own(c, field)} or naming
            yield from self._field_settings(field, cls, list(owners.values()), is_old)

    def _is_its_own(self, heir: ClassSymbol, field: _Field) -> bool:
        """Whether the subclass has the field as it is declared here, and no other one of that name."""
        return self._project.class_member(heir, field.name)[-1:] == [field.binding]

    def _fields(self, cls: ClassSymbol, *, unannotated: bool = False) -> Iterator[_Field]:
        for name, bindings in cls.scope.bindings.items():
            binding = bindings[-1]
            if name.startswith("_") or name in _NO_FIELDS or binding.how is not How.ASSIGN:
                continue
            if binding.annotation is None and not (unannotated and isinstance(binding.value, form.Const)):
                continue
            if binding.annotation is None or not self._is_no_field(binding.annotation, cls.scope):
                yield self._field(name, binding)

    def _is_no_field(self, annotation: form.Expr, scope: Scope) -> bool:
        base = annotation.value if isinstance(annotation, form.Subscript) else annotation
        value = self._project.infer(base, scope)
        return isinstance(value, External) and value.name in _NO_FIELD_TYPES

    def _field(self, name: str, binding: Binding) -> _Field:
        """`x: T = default`, `x: T = Field(default, ...)` or `x: Annotated[T, Field(...)] = default`."""
        value, annotation = binding.value, binding.annotation
        options = _field_call(value)
        if options is not None:
            default = options.argument(0, "default") or options.keyword("default_factory")
        else:
            options = next((c for part in _annotated_parts(annotation) if (c := _field_call(part))), None)
            default = value or (options.argument(0, "default") if options is not None else None)
        return _Field(name, binding, annotation, None if isinstance(default, form.Opaque) else default, options)

    def _field_settings(
        self, field: _Field, cls: ClassSymbol, naming: list[_Naming], is_old: bool
    ) -> Iterator[Setting]:
        aliases = self._aliases(field, cls)
        variables = aliases or [n.variable(field.name) for n in naming]
        yield self._setting(field, cls.name, cls.id, field.name, variables, is_old)
        nested = self._nested(field)
        if nested is not None and not is_old:
            for way in naming:
                if way.delimiter is not None:
                    paths = [(alias,) for alias in aliases] or [(field.name,)]
                    yield from self._nested_settings(nested, cls, (field.name,), paths, way, _DEEPEST)

    def _nested_settings(
        self,
        model: ClassSymbol,
        cls: ClassSymbol,
        names: tuple[str, ...],
        paths: Sequence[tuple[str, ...]],
        naming: _Naming,
        depth: int,
    ) -> Iterator[Setting]:
        for owner in reversed([m for m in self._project.mro(model) if isinstance(m, ClassSymbol)]):
            for field in self._fields(owner):
                below = [(*path, field.name) for path in paths]
                variables = [naming.variable(*path) for path in below]
                dotted = ".".join((*names, field.name))
                yield self._setting(field, cls.name, cls.id, dotted, variables, is_old=False)
                inner = self._nested(field)
                if inner is not None and depth:
                    yield from self._nested_settings(inner, cls, (*names, field.name), below, naming, depth - 1)

    def _setting(self, field: _Field, owner: str, group: str, name: str, variables: list[str], is_old: bool) -> Setting:
        is_factory = field.options is not None and field.options.keyword("default_factory") is field.default
        known = None
        if field.default is not None and not is_factory:
            known = self._configuration.shown(field.name, field.default, field.scope)
            if known not in (None, "None", "''") and self._is_secret(field):
                known = repr(MASK)
        elif field.default is None and is_old and self._is_optional(field.annotation):
            known = "None"
        return Setting(
            name=f"{owner}.{name}",
            source="pydantic settings",
            group=group,
            location=place_of(field.binding, field.name),
            role=field.scope.module.role,
            value=known,
            variables=tuple(dict.fromkeys(variables)),
            is_required=field.default is None and known is None,
            is_described=_is_described(field),
        )

    def _is_secret(self, field: _Field) -> bool:
        parts = form.walk(field.annotation) if field.annotation is not None else ()
        return any(isinstance(p, form.Name | form.Attr) and last_name(p) in ("SecretStr", "SecretBytes") for p in parts)

    def _is_optional(self, annotation: form.Expr | None) -> bool:
        match annotation:
            case form.Subscript(value=base):
                return last_name(base) == "Optional"
            case form.Binary(op="|", left=left, right=right):
                return any(isinstance(side, form.Const) and side.value is None for side in (left, right))
        return False

    def _nested(self, field: _Field) -> ClassSymbol | None:
        """The model that the field holds, when it is one."""
        cls = self._project.annotation_class(field.annotation, field.scope) if field.annotation is not None else None
        return cls if isinstance(cls, ClassSymbol) and self._project.is_subclass(cls, _MODEL) else None

    # --- names of variables ---

    def _aliases(self, field: _Field, cls: ClassSymbol) -> list[str]:
        """The variables that the field names itself, in which case its own name doesn't count."""
        if field.options is not None:
            for keyword in ("validation_alias", "alias", "env"):
                stated = field.options.keyword(keyword)
                if stated is not None:
                    return self._alias_names(Sited(stated, field.scope))
        old = self._old_alias(field.name, cls)
        return self._alias_names(old) if old is not None else []

    def _alias_names(self, stated: Sited) -> list[str]:
        """A text, a list of texts, `AliasChoices("a", AliasPath("b", 0))`."""
        node, scope = stated.node, stated.scope
        if isinstance(node, form.Call) and last_name(node.func) == "AliasChoices":
            return [name for choice in node.positional for name in self._alias_names(Sited(choice, scope))]
        if isinstance(node, form.Call) and last_name(node.func) == "AliasPath" and node.positional:
            return self._alias_names(Sited(node.positional[0], scope))
        text = string_value(node, scope, self._project)
        if text is not None:
            return [text]
        items = list_items(node, scope, self._project)
        return [t for item in items if (t := string_value(*item, self._project)) is not None]

    def _old_alias(self, name: str, cls: ClassSymbol) -> Sited | None:
        """`class Config: fields = {"x": {"env": "X"}}` of pydantic 1."""
        stated = model_option(cls, "fields", self._project)
        options = literal_item(stated.node, name) if stated is not None else None
        variable = literal_item(options, "env") if options is not None else None
        return Sited(variable, stated.scope) if stated is not None and variable is not None else None

    def _naming(self, cls: ClassSymbol) -> _Naming:
        prefix = self._config_text(cls, "env_prefix")
        sensitive = model_option(cls, "case_sensitive", self._project)
        return _Naming(
            prefix or "",
            self._config_text(cls, "env_nested_delimiter"),
            sensitive is not None and isinstance(sensitive.node, form.Const) and sensitive.node.value is True,
        )

    def _config_text(self, cls: ClassSymbol, name: str) -> str | None:
        stated = model_option(cls, name, self._project)
        return string_value(stated.node, stated.scope, self._project) if stated is not None else None


def _is_described(field: _Field) -> bool:
    """By `Field(description=...)`, or by a text below it."""
    if field.options is not None and field.options.keyword("description") is not None:
        return True
    body = field.scope.body
    after = next((b for a, b in pairwise(body) if a.start <= field.binding.offset < a.end), None)
    return (
        isinstance(after, form.ExprStmt) and isinstance(after.value, form.Const) and isinstance(after.value.value, str)
    )


def _field_call(node: form.Expr | None) -> form.Call | None:
    return node if isinstance(node, form.Call) and last_name(node.func) == "Field" else None


def _annotated_parts(annotation: form.Expr | None) -> list[form.Expr]:
    """What `Annotated[T, ...]` adds to T."""
    if not isinstance(annotation, form.Subscript) or last_name(annotation.value) != "Annotated":
        return []
    return annotation.index.items[1:] if isinstance(annotation.index, form.Display) else []


FRAMEWORK = Framework("pydantic settings", ("pydantic_settings", "pydantic"), settings=_settings, is_listed=False)
