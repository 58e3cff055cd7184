"""How a route is documented where not its decorators say it: at its registration, in its signature, by its blueprint.

Flask-OpenAPI3 declares all there; Flask-Smorest, APIFlask and Flask-RESTX name tags after blueprints and namespaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.framework import BodyType, Sited
from assay.scanner.frameworks.flask.declared import Declared, docstring_summary
from assay.scanner.frameworks.flask.schemas import schema_of
from assay.scanner.frameworks.flask.views import View
from assay.scanner.linker.project import Project, literal_item
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.linker.values import Instance, Literal
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import spelled

_DOCUMENTING = ("apiflask.", "flask_smorest.", "flask_openapi3.", "flask_restx.", "flask_restplus.")
_BODIES = ("body", "form", "raw")
"""Parameters that Flask-OpenAPI3 fills from the body."""


class Documentation:
    """Completes what decorators declare, in one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def completed(self, view: View, site: Sited, made: Instance) -> Declared:
        """All that is declared about the view, registered at `site` on the app or blueprint `made`."""
        said = view.declared
        library = self._library(made)
        if isinstance(site.node, form.Call) and library is not None:
            said = self._at_registration(said, site.node, site)
        if view.function is not None and (said.is_documented or library is not None):
            said = replace(said, summary=said.summary or docstring_summary(view.function))
        if library == "flask_openapi3" and view.function is not None:
            body = self._body(view.function)
            model = spelled(body[0].site.node) if body else None
            said = replace(said, request_model=said.request_model or model, request_types=(*said.request_types, *body))
        if library is not None and not said.tags:
            said = replace(said, tags=tuple(self._tags_of(made, library)))
        return said

    def _library(self, made: Instance) -> str | None:
        """The documenting library that an app or blueprint is of."""
        bases = self._project.base_names(made.cls) if made.cls is not None else {made.type_name}
        return next((name.split(".", 1)[0] for name in bases if name.startswith(_DOCUMENTING)), None)

    def _at_registration(self, said: Declared, call: form.Call, site: Sited) -> Declared:
        """`get(rule, tags=..., summary=..., deprecated=True, responses={200: Model})`."""
        summary, deprecated = call.keyword("summary"), call.keyword("deprecated")
        text = string_value(summary, site.scope, self._project) if summary is not None else None
        said = replace(
            said,
            tags=said.tags or tuple(self._tags(call.keyword("tags"), site)),
            summary=said.summary or text,
            is_deprecated=said.is_deprecated or (isinstance(deprecated, form.Const) and deprecated.value is True),
        )
        listed = call.keyword("responses")
        responses = resolved(listed, site.scope, self._project, {}) if listed is not None else None
        if isinstance(responses, Literal) and isinstance(responses.node, form.Dict):
            for key, value in zip(responses.node.keys, responses.node.values, strict=True):
                status = self._status(key, Sited(value, responses.scope)) if key is not None else None
                if status is not None:
                    said = said.answering(status, schema_of(value, responses.scope, self._project, {}))
        return said

    def _status(self, key: form.Expr, site: Sited) -> int | None:
        if isinstance(key, form.Const) and isinstance(key.value, str) and key.value.isdigit():
            return int(key.value)
        return status_code(key, site.scope, self._project)

    def _tags(self, listed: form.Expr | None, site: Sited) -> Iterator[str]:
        """Names, and objects with one: `"Pets"`, `Tag(name="Pets")`, `{"name": "Pets"}`."""
        for node, scope in list_items(listed, site.scope, self._project) if listed is not None else ():
            yield from self._tag(node, Sited(node, scope))

    def _tag(self, node: form.Expr, site: Sited) -> Iterator[str]:
        text = string_value(node, site.scope, self._project)
        value = resolved(node, site.scope, self._project, {}) if text is None else None
        named: form.Expr | None = None
        if isinstance(value, Literal) and isinstance(value.node, form.Dict):
            named = literal_item(value.node, "name")
        elif isinstance(value, Instance) and value.origin is not None:
            named = value.origin.argument(0, "name")
        scope = value.scope if isinstance(value, Literal | Instance) and value.scope is not None else site.scope
        found = text if named is None else string_value(named, scope, self._project)
        if found is not None:
            yield found

    def _tags_of(self, made: Instance, library: str) -> Iterator[str]:
        """What the blueprint gives its routes that have no tags of their own."""
        call, scope = made.origin, made.scope
        if call is None or scope is None:
            return
        own = call.keyword("abp_tags") if library == "flask_openapi3" else call.keyword("tag")
        if own is not None:
            single = isinstance(own, form.Display)
            yield from self._tags(own, Sited(own, scope)) if single else self._tag(own, Sited(own, scope))
        elif library != "flask_openapi3" and not made.type_name.endswith("APIFlask"):
            name = call.argument(0, "name")
            text = string_value(name, scope, self._project) if name is not None else None
            if text is not None:
                yield text.replace("_", " ").title() if library == "apiflask" else text

    def _body(self, function: FunctionSymbol) -> tuple[BodyType, ...]:
        return tuple(
            BodyType(Sited(p.annotation, function.outer), (function, p.name))
            for p in function.parameters
            if p.name in _BODIES and p.annotation is not None
        )
