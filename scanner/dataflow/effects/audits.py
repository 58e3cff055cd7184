"""Calls that write an audit record, told by their names."""

from __future__ import annotations

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.effects.change import Change
from assay.scanner.dataflow.effects.libraries import ENQUEUING
from assay.scanner.dataflow.effects.names import records_audit
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.effect import EffectKind
from assay.scanner.readers.python import form

_KEEPERS = frozenset({"audit", "auditor", "auditlog"})
_LOGGERS = frozenset({"audit", "auditing", "security", "auditlog"})
_ASKING = frozenset({"get", "list", "search"})


def named_audit(name: str, call: form.Call, scope: Scope) -> Change | None:
    """A call that says so: `record_event(...)`, `audit.write(...)`, `log_activity.delay(...)`."""
    owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
    if owner is not None and name in ENQUEUING:
        name = owner
    by_owner = owner is not None and not _KEEPERS.isdisjoint(words(owner)) and _ASKING.isdisjoint(words(name)[:1])
    return Change(EffectKind.AUDIT, name, "record", call, scope) if by_owner or records_audit(name) else None


def audit_log(call: form.Call, scope: Scope, project: Project) -> Change | None:
    """A call of a logger that is kept apart for audits: `logging.getLogger("audit").info(...)`."""
    if not isinstance(call.func, form.Attr):
        return None
    receiver = call.func.value
    named = words(last_name(receiver) or "")
    value = project.infer(receiver, scope)
    if isinstance(value, Instance) and value.origin is not None and value.scope is not None:
        given = next(iter(value.origin.positional), None)
        text = string_value(given, value.scope, project) if given is not None else None
        named += words(text or "")
    return None if _LOGGERS.isdisjoint(named) else Change(EffectKind.AUDIT, "audit log", "record", call, scope)
