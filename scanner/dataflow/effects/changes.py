"""What one call or assignment changes outside, told by what it is called on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.effects.audits import audit_log, named_audit
from assay.scanner.dataflow.effects.change import Caveats, Change
from assay.scanner.dataflow.effects.libraries import (
    CHANGES,
    CONSTRUCTS,
    DJANGO_RELATED,
    DJANGO_WRITES,
    DOCUMENT_WRITES,
    DOCUMENTS,
    MONGO_PACKAGES,
    MONGO_WRITES,
    PEEWEE_WRITES,
    SESSION_WRITES,
    SQL_PACKAGES,
    TORTOISE_WRITES,
)
from assay.scanner.dataflow.effects.names import LOG_METHODS, is_audit_record, tells_of_use
from assay.scanner.dataflow.effects.names import why_beside_the_point as beside_the_point
from assay.scanner.dataflow.effects.records import Records
from assay.scanner.dataflow.effects.requests import request_change
from assay.scanner.dataflow.effects.uses import notes_use_in_sql, notes_use_in_values, only_notes_use
from assay.scanner.framework import Sited, SqlExecution
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form

_STATEMENT = re.compile(
    r"\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*)*(?P<verb>INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|DROP|ALTER|CREATE|GRANT)\b"
    r"(?:\s+(?:INTO|FROM|TABLE|OR\s+\w+|IGNORE|IF\s+(?:NOT\s+)?EXISTS|ONLY|INDEX|UNIQUE))*\s*[`\"\[]?(?P<table>[\w.]*)",
    re.IGNORECASE,
)
_WRITING_CTE = re.compile(
    r"\s*WITH\b.*?\b(?P<verb>INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?P<table>[\w.]*)", re.I | re.S
)
_IF_MISSING = re.compile(r"IF\s+NOT\s+EXISTS", re.IGNORECASE)
_MISSING = "it is made when it isn't there yet"
_ONCE = Caveats(occasion=_MISSING)
_EXECUTING = frozenset(
    {
        "execute",
        "executemany",
        "executescript",
        "execute_sql",
        "fetch",
        "fetchval",
        "fetchrow",
        "fetch_one",
        "fetch_val",
    }
)
"""Methods that are given a statement, or the row that `INSERT ... RETURNING` gives."""
_TEXTS = frozenset({"text", "TextClause", "SQL"})
"""What makes a text a statement, which another call executes."""
_VERBS = {"INSERT": "create", "CREATE": "create", "DELETE": "delete", "TRUNCATE": "delete", "DROP": "delete"}
_SENDERS = frozenset({"post", "put", "patch", "delete", "request", "send", "urlopen", "fetch", "stream", "open"})
_COMMITS = frozenset({"commit", "flush", "begin"})
_SESSIONS = frozenset({"session", "sess", "dbsession", "db_session", "async_session", "sa_session"})
_ROWS = frozenset("get_object_or_404 aget_object_or_404 get_object get first last create objects".split())
_FORMS = ("django.forms.", "django.contrib.auth.forms.", "rest_framework.", "crispy_forms.", "allauth.")
_REPOSITORIES = frozenset({"add", "add_many", "create", "create_many", "update", "update_many", "upsert", "delete"})


@dataclass(slots=True)
class Known:
    """What other parts of the model know of calls: SQL that is executed and requests that are sent."""

    executions: Mapping[form.Call, SqlExecution] = field(default_factory=dict)
    requests: Mapping[Location, OutboundCall] = field(default_factory=dict)


class Recognizer:
    """Tells what a call changes, with what it is called on as far as it can be inferred."""

    def __init__(self, project: Project, records: Records, known: Known) -> None:
        self._project = project
        self.records = records
        self._known = known
        packages = project.imported_packages
        self._has_mongo = not packages.isdisjoint(MONGO_PACKAGES)
        self._has_sql = not packages.isdisjoint(SQL_PACKAGES)
        self._has_django = "django" in packages

    def of_call(self, call: form.Call, callee: Value | None, scope: Scope) -> Change | None:
        """The change that the call makes itself; None where it makes none, or a function of the project does."""
        name = last_name(call.func) or ""
        execution = self._known.executions.get(call) if name not in _TEXTS else None
        if execution is not None:
            return self._statement(execution.text, execution.call, execution.scope)
        if name in _SENDERS and self._known.requests:
            request = self._known.requests.get(scope.module.location(call))
            if request is not None:
                return request_change(request, call, scope)
        match callee:
            case External(name=dotted):
                return self._of_library(dotted, call, scope)
            case FunctionSymbol() | BoundMethod():
                return named_audit(name, call, scope)
            case ClassSymbol() if is_audit_record(callee.name) and self.records.is_record(callee):
                return Change(EffectKind.AUDIT, callee.name, "record", call, scope)
            case None:
                return self._by_looks(name, call, scope)
        return None

    def is_commit(self, call: form.Call, callee: Value | None) -> bool:
        """Whether the call makes the changes of a session's objects last."""
        name = last_name(call.func)
        if name not in _COMMITS or not isinstance(call.func, form.Attr):
            return False
        if isinstance(callee, External):
            return callee.name.startswith(SQL_PACKAGES)
        return callee is None and self._has_sql

    def of_assignment(self, owner: form.Expr, attr: str, node: form.Stmt | form.Expr, scope: Scope) -> Change | None:
        """What `row.attr = ...` changes once the session is committed, where the owner may be a row."""
        if not self._has_sql:
            return None
        if isinstance(owner, form.Name) and owner.id in ("self", "cls"):
            record = self._own_record(scope)
            if record is None:
                return None
        else:
            record = self.records.record_at(owner, scope)
        if record is None and self._project.infer(owner, scope) is not None:
            return None
        excuse = f"`{attr}` only notes the use" if tells_of_use(attr) else None
        doubt = None if record is not None else "what the object is can't be told"
        caveats = Caveats(excuse, doubt=doubt)
        return Change(EffectKind.WRITE, record or "", "update", node, scope, caveats, needs_commit=True)

    def _own_record(self, scope: Scope) -> str | None:
        """The model whose row a method changes, unless the row is only being made."""
        method = scope.enclosing_function
        if method is None or method.owner is None or method.name.startswith("__"):
            return None
        return method.owner.name if self.records.is_record(method.owner) else None

    # --- SQL ---

    def _statement(self, sited: Sited, call: form.Call, scope: Scope) -> Change | None:
        construct = self.records.construct(sited.node, sited.scope)
        if construct is not None:
            action, target = construct
            return self._write(target, action, call, scope).under(Caveats(notes_use_in_values(sited.node, sited.scope)))
        text = string_value(sited.node, sited.scope, self._project) or self.records.beginning(sited.node, sited.scope)
        match = (_STATEMENT.match(text) or _WRITING_CTE.match(text)) if text else None
        if match is None:
            return None
        verb = match["verb"].split()[0].upper()
        change = self._write(match["table"], _VERBS.get(verb, "update"), call, scope)
        if _IF_MISSING.search(match[0]):
            return change.under(_ONCE)
        return change.under(Caveats(notes_use_in_sql(text or "")))

    # --- libraries ---

    def _of_library(self, dotted: str, call: form.Call, scope: Scope) -> Change | None:
        known = CHANGES.get(dotted)
        if known is not None:
            return Change(known[0], "", known[1], call, scope)
        owner, _, method = dotted.rpartition(".")
        if method in LOG_METHODS:
            return audit_log(call, scope, self._project)
        action = self._action_of(owner, method, call, scope)
        if action is None and method in _EXECUTING and call.positional:
            return self._statement(Sited(call.positional[0], scope), call, scope)
        if action is None:
            return named_audit(method, call, scope) if _may_be_own(dotted) else None
        return self._write(self._target(owner, method, call, scope), action, call, scope)

    def _action_of(self, owner: str, method: str, call: form.Call, scope: Scope) -> str | None:
        package = owner.split(".", 1)[0]
        lower = owner.lower()
        if package in SQL_PACKAGES:
            if method == "drop_all":
                return "delete"
            if "session" in lower and method in SESSION_WRITES:
                return self._session_action(method, call, scope)
            if "query" in lower and method in ("delete", "update"):
                return method
            is_repository = package == "advanced_alchemy" and ("repository" in lower or "service" in lower)
            return "update" if is_repository and method in _REPOSITORIES else None
        if owner.startswith(_FORMS):
            commit = call.keyword("commit") or next(iter(call.positional), None)
            is_kept = not (isinstance(commit, form.Const) and commit.value is False)
            if method in ("save", "save_m2m") and is_kept:
                return "update"
        if package == "tortoise":
            return TORTOISE_WRITES.get(method)
        if package in ("peewee", "playhouse", "peewee_async"):
            chain = owner.split(".")
            run = next((CONSTRUCTS[part] for part in chain if part in CONSTRUCTS), None)
            return PEEWEE_WRITES.get(method) or (run if method == "execute" else None)
        if owner.startswith(DOCUMENTS):
            return DOCUMENT_WRITES.get(method)
        if method in MONGO_WRITES:
            return MONGO_WRITES[method]
        if self._has_django and self.records.is_django_row(owner):
            return DJANGO_WRITES.get(method) or (DJANGO_RELATED.get(method) if _is_many(owner) else None)
        return None

    def _session_action(self, method: str, call: form.Call, scope: Scope) -> str:
        """A row that is there already may be added as well."""
        given = next(iter(call.positional), None)
        value = self._project.infer(given, scope) if given is not None and method == "add" else None
        match value:
            case External(name=dotted):
                is_made = not self.records.is_row_of_query(dotted)
            case Instance(cls=ClassSymbol() as cls, origin=origin):
                is_made = _is_sent(given, scope) if origin is None else last_name(origin.func) == cls.name
            case _:
                is_made = given is None or method != "add" or self.records.record_at(given, scope) is None
        return SESSION_WRITES[method] if is_made else "update"

    def _target(self, owner: str, method: str, call: form.Call, scope: Scope) -> str:
        """The model whose rows change: of what is given to a session, else of what the method is called on."""
        if method in MONGO_WRITES:
            return last_part(owner)
        receiver = call.func.value if isinstance(call.func, form.Attr) else call.func
        if "session" not in owner.lower() or method not in SESSION_WRITES:
            return self.records.model_behind(receiver, scope) or _last_capital(owner)
        if call.positional:
            return self.records.record_at(call.positional[0], scope) or ""
        return self.records.model_behind(receiver, scope) or ""  # `session.query(User).delete()`

    # --- what can't be resolved ---

    def _by_looks(self, method: str, call: form.Call, scope: Scope) -> Change | None:
        if not isinstance(call.func, form.Attr):
            return None
        receiver = call.func.value
        if self._has_mongo and method in MONGO_WRITES:
            return self._write(last_name(receiver) or "", MONGO_WRITES[method], call, scope)
        if self._has_sql and method in SESSION_WRITES:
            found = self._unknown_session(method, receiver, call, scope)
            if found is not None:
                return found
        if method in _EXECUTING and call.positional:
            return self._statement(Sited(call.positional[0], scope), call, scope)
        row = self._row(method, receiver, call, scope)
        if row is not None:
            return row
        if method in LOG_METHODS:
            return audit_log(call, scope, self._project)
        return named_audit(method, call, scope)

    def _unknown_session(self, method: str, receiver: form.Expr, call: form.Call, scope: Scope) -> Change | None:
        given = next(iter(call.positional), None)
        record = self.records.record_at(given, scope) if given is not None else None
        name = (last_name(receiver) or "").lower().strip("_")
        is_session = name in _SESSIONS or name.endswith("session")
        if not is_session and record is None:
            return None
        return self._write(record or "", self._session_action(method, call, scope), call, scope)

    def _row(self, method: str, receiver: form.Expr, call: form.Call, scope: Scope) -> Change | None:
        """What a method does to rows that only the code before tells to be some."""
        action = DJANGO_WRITES.get(method) or DJANGO_RELATED.get(method)
        if action is None or not (self._has_django or self._has_sql):
            return None
        commit = call.keyword("commit")
        if isinstance(commit, form.Const) and commit.value is False:
            return None
        model = self.records.rows_at(receiver, scope)
        if model is not None and (method in DJANGO_WRITES or not self._has_sql):
            return self._write(model, action, call, scope)
        if not self._has_django or method not in ("save", "delete", "create", "asave", "adelete", "acreate"):
            return None
        if method == "save" and _is_validated(receiver, scope):
            return self._write("", "update", call, scope)
        if method in ("save", "asave", "delete", "adelete") and not call.positional:
            doubt = Caveats(doubt=f"what `{_spelled(receiver)}` is can't be told")
            change = self._write("", action, call, scope)
            return replace(change, caveats=doubt.then(change.caveats))
        return None

    def _write(self, target: str, action: str, call: form.Call, scope: Scope) -> Change:
        if is_audit_record(target or _spelled(call.func.value if isinstance(call.func, form.Attr) else call.func)):
            return Change(EffectKind.AUDIT, target, "record", call, scope)
        excuse = (beside_the_point(target) if target else None) or only_notes_use(call, scope)
        occasion = _MISSING if _falls_back(call, scope) else None
        if action == "create when missing":
            action, occasion = "create", _MISSING
        return Change(EffectKind.WRITE, target, action, call, scope, Caveats(excuse, occasion))


def _is_sent(given: form.Expr | None, scope: Scope) -> bool:
    """`def create(hero: Hero, ...)` of a route: the client sends the row, where nothing is injected."""
    function = scope.enclosing_function
    if function is None or not function.decorators or not isinstance(given, form.Name):
        return False
    return any(p.name == given.id and p.default is None for p in function.parameters)


def _falls_back(call: form.Call, scope: Scope) -> bool:
    """Whether what is stored is `found or Thing()`."""
    given = call.positional[0] if call.positional else call.func.value if isinstance(call.func, form.Attr) else None
    if not isinstance(given, form.Name):
        return False
    values = (binding.value for binding in scope.lookup(given.id, given.start))
    return any(isinstance(v, form.Boolean) and v.op == "or" and isinstance(v.values[-1], form.Call) for v in values)


def _is_validated(receiver: form.Expr, scope: Scope) -> bool:
    """A form or serializer, which the function around asks whether it is valid."""
    path = form.dotted(receiver)
    function = scope.enclosing_function
    if path is None or function is None:
        return False
    if function.name == "form_valid" and function.parameters and path == function.parameters[0].name:
        return True
    return any(
        isinstance(n, form.Call)
        and isinstance(n.func, form.Attr)
        and n.func.attr in ("is_valid", "validate_on_submit", "validate")
        and form.dotted(n.func.value) == path
        for n in function.nodes
    )


def _is_many(owner: str) -> bool:
    """Whether a dotted name is that of an attribute of a row, and so of other rows, and not the row itself."""
    return last_part(owner) not in _ROWS


def _may_be_own(dotted: str) -> bool:
    """Whether a name that leads out of the project may be a module of the service all the same."""
    return dotted.split(".", 1)[0] not in _WELL_KNOWN and not dotted.startswith(("builtins.", "logging."))


_WELL_KNOWN = frozenset(
    {"sqlalchemy", "sqlmodel", "pydantic", "fastapi", "starlette", "typing", "os", "datetime", "re"}
)


def _last_capital(dotted: str) -> str:
    """`User` of `django.contrib.auth.models.User.objects`."""
    found = [p for p in dotted.split(".") if p[:1].isupper() and not p.endswith(("Manager", "Model", "Field", "Query"))]
    return found[-1] if found else ""


def _spelled(node: form.Expr) -> str:
    return form.dotted(node) or last_name(node) or "it"
