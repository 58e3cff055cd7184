"""What calls of libraries, and of what can't be told, do with a value that they are given, as far as names tell."""

from __future__ import annotations

from enum import Enum, auto

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_LOOKING_UP = frozenset(
    {
        "get", "filter", "filter_by", "query", "find", "find_one", "first", "exists", "where", "exclude", "select",
        "get_or_404", "get_object_or_404", "authenticate", "check_password", "check_password_hash", "verify",
        "verify_password", "compare_digest", "checkpw", "count", "scalar", "one", "one_or_none", "fetch_one", "Q",
        "get_or_none", "startswith", "endswith", "index", "search", "in_", "ilike", "like", "contains", "has_perm",
        "md5", "sha1", "sha256", "sha512", "encode", "hexdigest", "match", "fullmatch", "get_one", "scalars",
    }
)  # fmt: skip
_LOOKING_UP_FIRST = frozenset(
    """get find fetch search lookup check is has verify exists authenticate load read list count query compare validate
    select login signin decode""".split()
)
"""First words of functions that look something up."""
_HARMLESS = frozenset(
    {
        "len", "isinstance", "type", "print", "repr", "hasattr", "jsonify", "dumps", "Response", "JSONResponse",
        "JsonResponse", "json_response", "make_response", "debug", "info", "warning", "error", "exception", "critical",
        "log", "callable", "sorted", "set", "any", "all", "keys", "HTTPException", "abort", "BadRequest", "flash",
        "render", "render_template", "ValidationError", "capture_message", "TemplateResponse", "trace", "add_error",
        "HttpResponse", "HTMLResponse", "PlainTextResponse", "json", "text", "html", "redirect", "url_for",
    }
)  # fmt: skip
"""They keep nothing: they look at a value, write it into a log, or answer with it."""
_CONVERTING = frozenset(
    {
        "int", "float", "UUID", "Decimal", "fromisoformat", "strptime", "parse_date", "parse_datetime", "isoparse",
        "fromtimestamp", "ObjectId", "parse_bool", "to_bool", "str2bool", "strtobool", "b64decode", "clean", "escape",
        "validate_email", "EmailStr", "secure_filename", "ip_address", "bool", "sanitize", "sanitize_filename",
    }
)  # fmt: skip
"""They fail for what is none of a kind, or leave nothing else of it."""
_CLIENTS = ("requests.", "httpx.", "aiohttp.", "urllib3.", "urllib.request.")
_SENDING = frozenset({"post", "put", "patch", "request", "send", "get", "fetch"})


_STORING = frozenset(
    """create add insert update save set setattr register write put store bulk upsert replace send publish enqueue delay
    record edit change modify append push apply append reset""".split()
)
"""Words of functions that write something down or hand it on."""


class Use(Enum):
    """What happens to the value."""

    STORED = auto()
    KEPT = auto()
    """It goes on to somewhere."""
    COMPARED = auto()
    CONVERTED = auto()
    FORWARDED = auto()
    """It goes to another service."""
    PASSING = auto()
    """Nothing is left of it afterwards."""


def use_of(call: form.Call, scope: Scope, project: Project) -> Use:
    """What the call does with its arguments."""
    name = last_name(call.func) or ""
    if name in _CONVERTING:
        return Use.CONVERTED
    if name in _HARMLESS and not (name == "set" and isinstance(call.func, form.Attr)):
        return Use.PASSING
    callee = project.infer(call.func, scope)
    if isinstance(callee, ClassSymbol):
        is_enum = any(base.startswith("enum.") for base in project.base_names(callee))
        return Use.CONVERTED if is_enum else Use.STORED
    if name in _SENDING and isinstance(callee, External) and callee.name.startswith(_CLIENTS):
        return Use.FORWARDED
    parts = words(name) or ("",)
    if name in _LOOKING_UP or parts[0] in _LOOKING_UP_FIRST or (name == "execute" and _selects(call)):
        return Use.COMPARED
    is_made = callee is None and name[:1].isupper()
    return Use.STORED if is_made or not _STORING.isdisjoint(parts) else Use.KEPT


def _selects(call: form.Call) -> bool:
    match call.positional[0] if call.positional else None:
        case form.Const(value=str() as text) | form.Template(parts=[str() as text, *_]):
            return text.lstrip().upper().startswith("SELECT")
        case form.Call() as statement:
            return any(isinstance(n, form.Name) and n.id == "select" for n in form.walk(statement))
    return False
