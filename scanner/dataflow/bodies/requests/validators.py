"""Calls and decorators that validate a body against a schema."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.bodies.schemas.schema import Library
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.readers.python import form

_METHODS = frozenset(
    {
        "validate", "validate_python", "validate_json", "model_validate", "model_validate_json", "parse_obj",
        "parse_raw", "load", "loads", "is_valid", "check", "deserialize", "structure", "convert", "from_dict",
        "validate_on_submit", "iter_errors", "best_match", "validated", "parse", "decode", "normalized", "full_clean",
        "process", "parse_args", "from_json", "TypeAdapter", "parse_obj_as", "check_types",
    }
)  # fmt: skip
"""Of pydantic, marshmallow, jsonschema, Cerberus, voluptuous, trafaret, colander, cattrs, msgspec, dacite, webargs."""
_NO_SCHEMA = ("json.", "simplejson.", "orjson.", "ujson.", "yaml.", "pickle.", "builtins.", "rapidjson.", "msgpack.")
_NOTHING = "builtins.NoneType."
"""Of an attribute that a base class leaves to others: `schema = None`."""
_CALLED_SCHEMAS = ("voluptuous.", "cerberus.", "fastjsonschema.", "trafaret.", "schema.", "vol.")
_CHECKED_FORMS = frozenset({"is_valid", "validate", "validate_on_submit", "full_clean", "is_submitted"})
_DECORATING = frozenset(
    {
        "validate", "validated", "validates", "validator", "validation", "schema", "expects", "dto", "deserialize",
        "marshal", "parse", "consumes",
    }
)  # fmt: skip
_DECORATORS = frozenset(
    {"use_args", "use_kwargs", "arguments", "body", "expects_json", "validate_json", "with_body", "require_json"}
)
_OTHER_INPUT = frozenset({"query", "querystring", "path", "header", "headers", "cookie", "response", "output", "csrf"})
_SIGNATURES = frozenset({"signature", "hmac", "digest", "webhook", "event"})
_CHECKING = frozenset({"verify", "verified", "validate", "check", "compare", "construct", "valid"})


class Validators:
    """Knows the validators that one project uses."""

    def __init__(self, schemas: Schemas, project: Project) -> None:
        self._schemas = schemas
        self._project = project

    def is_schema(self, call: form.Call, scope: Scope) -> bool:
        """Whether calling it with a body validates that: a pydantic model, a serializer, a form, a library's schema."""
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, ClassSymbol):
            return self._schemas.library(callee) in (
                Library.PYDANTIC,
                Library.REST_FRAMEWORK,
                Library.FORM,
                Library.MARSHMALLOW,
            )
        if isinstance(callee, Instance) and callee.cls is None:
            return callee.type_name.startswith(_CALLED_SCHEMAS)
        if isinstance(callee, External):
            return callee.name.startswith(("pydantic.", "trafaret.", "fastjsonschema.")) or (
                last_name(call.func) or ""
            ).endswith(("Serializer", "Form", "Schema"))
        return callee is None and (last_name(call.func) or "").endswith(("Serializer", "Form", "Schema", "_schema"))

    def writer(self, call: form.Call, scope: Scope) -> ClassSymbol | None:
        """The schema that the call hands a body to, where it writes rows itself: a serializer, a form of a model, a
        marshmallow schema that loads into rows.
        """
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, ClassSymbol):
            is_writing = self._schemas.library(callee) in (Library.REST_FRAMEWORK, Library.FORM)
            return callee if is_writing else None
        if last_name(call.func) != "load" or not isinstance(call.func, form.Attr):
            return None
        schema = self._schemas.of_expression(call.func.value, scope)
        return schema.cls if schema is not None and schema.makes_rows else None

    def is_form(self, call: form.Call, scope: Scope) -> bool:
        """Whether it makes a form, which validates when it is told to."""
        callee = self._project.infer(call.func, scope)
        return isinstance(callee, ClassSymbol) and self._schemas.library(callee) is Library.FORM

    def is_validation(self, call: form.Call, scope: Scope) -> bool:
        """Whether it is a library's function or method that validates what it is given."""
        name = last_name(call.func) or ""
        if name not in _METHODS:
            return False
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, FunctionSymbol | BoundMethod):
            return False
        if not isinstance(callee, External) or callee.name.startswith(_NOTHING):
            return True
        return not callee.name.startswith(_NO_SCHEMA)

    def checks_itself(self, call: form.Call, scope: Scope) -> bool:
        """`form.validate_on_submit()`, `serializer.is_valid()`: of what the call is a method of."""
        if not isinstance(call.func, form.Attr) or call.func.attr not in _CHECKED_FORMS:
            return False
        if call.func.attr == "full_clean":
            return True
        owner = self._project.infer(call.func.value, scope)
        if isinstance(owner, Instance) and owner.cls is not None:
            return self._schemas.library(owner.cls) in (Library.FORM, Library.REST_FRAMEWORK)
        return call.func.attr in ("validate_on_submit", "is_valid")

    def checks_signature(self, call: form.Call) -> bool:
        """Whether it checks that a message is from whom it says: `hmac.compare_digest(...)`, `construct_event(...)`."""
        name = last_name(call.func) or ""
        parts = set(words(name))
        return bool(parts & _SIGNATURES and parts & _CHECKING)

    def among(self, decorators: Iterable[form.Expr]) -> form.Expr | None:
        """A decorator that validates the body by its name: the project's own, or of a library that is not known."""
        for decorator in decorators:
            name = last_name(decorator.func if isinstance(decorator, form.Call) else decorator) or ""
            parts = set(words(name))
            if (name in _DECORATORS or parts & _DECORATING) and not parts & _OTHER_INPUT:
                return decorator
        return None
