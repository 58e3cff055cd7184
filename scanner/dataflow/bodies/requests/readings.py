"""Where code reads the body of a request by hand, in any web framework."""

from __future__ import annotations

from dataclasses import replace

from assay.scanner.dataflow.bodies.requests.sent import ANY_FIELD, FORM, JSON, TEXT, Part, Sent
from assay.scanner.dataflow.sources import RequestSources
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

_ATTRIBUTES = {
    "json": JSON,
    "media": JSON,
    "payload": JSON,
    "form": FORM,
    "forms": FORM,
    "POST": FORM,
    "values": FORM,
    "body_arguments": FORM,
    "body": TEXT,
    "content": TEXT,
}
"""Of Flask, Quart, Sanic, Bottle (`json`), Falcon (`media`), Flask-RESTX (`payload`), Django (`POST`), Tornado."""
_METHODS = {
    "get_json": JSON,
    "json": JSON,
    "get_media": JSON,
    "form": FORM,
    "post": FORM,
    "get_data": TEXT,
    "body": TEXT,
    "text": TEXT,
    "read": TEXT,
}
"""Of Flask (`get_json`, `get_data`), Starlette and aiohttp (`json`, `form`, `post`, `body`, `text`), Falcon."""
_TORNADO = frozenset({"get_body_argument", "get_body_arguments", "get_argument", "get_arguments"})
_PARSERS = frozenset(
    {
        "json.loads", "json.load", "simplejson.loads", "orjson.loads", "ujson.loads", "rapidjson.loads",
        "flask.json.loads", "tornado.escape.json_decode", "msgpack.unpackb", "yaml.safe_load", "demjson.decode",
        "urllib.parse.parse_qs", "rest_framework.parsers.JSONParser.parse", "xmltodict.parse",
    }
)  # fmt: skip
_COPIES = frozenset(
    """copy to_dict dict deepcopy items values cast compact filter_none decamelize omit model_dump asdict model_copy
    jsonable_encoder to_builtins as_dict vars""".split()
)
_PICKS = frozenset({"project", "pick", "select_keys", "subset", "keyfilter"})
"""Some of the fields, with funcy's and toolz's names for that."""
_FIELD_GETTERS = frozenset({"get", "pop", "getlist", "getone", "getall", "get_list", "setdefault", "getfirst"})
_GLOBAL_REQUESTS = frozenset({"flask", "quart", "bottle", "connexion", "cherrypy"})
_OF_DJANGO_REST = ("rest_framework.",)


class Readings:
    """Tells what expressions of one project bring in of a body."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._sources = RequestSources(project, {})
        self.is_request_global = not project.imported_packages.isdisjoint(_GLOBAL_REQUESTS)
        """Whether any function may read the request without being given it."""

    def of_attribute(self, node: form.Attr, scope: Scope) -> Sent | None:
        """`request.json`, `request.POST`; None for anything else."""
        known = _ATTRIBUTES.get(node.attr)
        if known is None and node.attr != "data":
            return None
        if self._sources.sent_attribute(node, scope) is None:
            return None
        if known is not None:
            return known
        return self._data(node, scope)

    def _data(self, node: form.Attr, scope: Scope) -> Sent | None:
        """`request.data`: parsed in REST framework, bytes in Flask; a form's field is no body."""
        if (last_name(node.value) or "") not in ("request", "req"):
            return None
        value = self._project.infer(node.value, scope)
        name = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else ""
        if name.startswith(("flask.", "quart.", "werkzeug.")):
            return TEXT
        uses_rest_framework = "rest_framework" in self._project.imported_packages
        return JSON if name.startswith(_OF_DJANGO_REST) or uses_rest_framework else None

    def of_call(self, node: form.Call, scope: Scope) -> Sent | None:
        """`request.get_json()`, `await request.form()`, `self.get_body_argument("name")`; None for anything else."""
        if not isinstance(node.func, form.Attr):
            return None
        method = node.func.attr
        if method in _METHODS or method in _TORNADO:
            if self._sources.sent_by_call(node, scope) is None:
                return None
            return _METHODS[method] if method in _METHODS else FORM.item(_key(node))
        return None

    def parses(self, node: form.Call, scope: Scope) -> bool:
        """Whether the call makes a dict of a text."""
        name = last_name(node.func) or ""
        return name in _LAST_NAMES and self._project.callee_name(node, scope) in _PARSERS

    def copied(self, node: form.Call, held: Sent) -> Sent | None:
        """What gives the same fields again, or some of them: `data.copy()`, `dict(data)`, `pick(data, NAMES)`."""
        name = last_name(node.func)
        if name in _PICKS:
            return replace(held, is_limited=True)
        return held if name in _COPIES else None

    def field_got(self, node: form.Call, owner: Sent) -> Sent | None:
        """`data.get("name")` of a body; `type=int` says what the value is made into."""
        if not isinstance(node.func, form.Attr) or node.func.attr not in _FIELD_GETTERS or not node.args:
            return None
        return owner.item(_key(node)) if owner.part is not Part.TEXT else None


def _key(node: form.Call) -> str:
    first = node.args[0].value if node.args else None
    return first.value if isinstance(first, form.Const) and isinstance(first.value, str) else ANY_FIELD


_LAST_NAMES = frozenset(last_part(name) for name in _PARSERS)
