"""Sources: the topics, queues and subjects that an expression names."""

from __future__ import annotations

from assay.scanner.dataflow.constants import definitions, list_items, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form

_NAMES = ("name", "queue", "topic", "queue_name", "QueueName", "QueueUrl", "topics")
_DEEPEST = 4


def sources(node: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> list[str]:
    """Texts, lists of them, the keys of a mapping, and objects made with a name: `Queue("mails")`,
    `app.topic("orders")`, `subscription_path(project, "orders")`. Empty where none can be told.
    """
    text = string_value(node, scope, project)
    if text is not None or not depth:
        return [text] if text is not None else []
    if isinstance(node, form.Dict):
        keys = [string_value(key, scope, project) for key in node.keys if key is not None]
        return [key for key in keys if key is not None]
    items = list_items(node, scope, project)
    if items:
        return [found for item in items for found in sources(*item, project, depth - 1)]
    if isinstance(node, form.Await):
        return sources(node.value, scope, project, depth - 1)
    value = project.infer(node, scope)
    call = value.origin if isinstance(value, Instance) else node
    around = value.scope if isinstance(value, Instance) and value.scope is not None else scope
    if isinstance(call, form.Call):
        return _named_by(call, around, project, depth - 1)
    known = definitions(node, scope, project)
    return sources(*known[-1], project, depth - 1) if len(known) == 1 and known[0][0] is not node else []


def _named_by(call: form.Call, scope: Scope, project: Project, depth: int) -> list[str]:
    """The name in the call that makes a queue or topic: the last one of a path, else the first."""
    stated = next((value for name in _NAMES if (value := call.keyword(name)) is not None), None)
    if stated is None and call.positional:
        stated = call.positional[-1 if last_name(call.func) == "subscription_path" else 0]
    return sources(stated, scope, project, depth) if stated is not None else []
