"""Tasks and consumers that send themselves what failed once more."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.blocks import Block, ModuleBlocks
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.handlers import Handlers
from assay.scanner.delivery.consumed import Consumed
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Module
from assay.scanner.model.log import Breadth
from assay.scanner.model.work import Consumer
from assay.scanner.readers.python import form

_METHODS = frozenset({"delay", "apply_async", "send", "send_with_options", "kiq", "schedule"})
_OF_SELF = frozenset({"delay", "apply_async"})
_ENQUEUING = frozenset({"enqueue", "enqueue_in", "enqueue_at", "enqueue_call", "enqueue_job"})


class Resending:
    """Answers for one project."""

    def __init__(self, project: Project, handlers: Handlers) -> None:
        self._project = project
        self._handlers = handlers
        self._blocks: dict[Module, ModuleBlocks] = {}

    def endless(self, each: Consumed) -> Iterator[form.Call]:
        """Where it does so whatever went wrong: nothing is decided, and no argument counts."""
        for node in each.function.nodes:
            if not isinstance(node, form.Call) or not self._is_to_itself(node, each):
                continue
            block = self.handler_around(node, each.module)
            if block is None or not isinstance(block.header, form.Handler):
                continue
            types = self._handlers.types(block.header, each.function.scope)
            is_decided = any(isinstance(n, form.If | form.Raise) for n in form.walk_body(block.header.body))
            is_counted = any(isinstance(n, form.Binary) for a in node.args for n in form.walk(a.value))
            if self._handlers.breadth(types) is not Breadth.NARROW and not is_decided and not is_counted:
                yield node

    def handler_around(self, node: form.Node, module: Module) -> Block | None:
        """The handler that it stands in, whatever lies between."""
        if module not in self._blocks:
            self._blocks[module] = ModuleBlocks(module)
        for block in self._blocks[module].innermost(node.start).within_function():
            if isinstance(block.header, form.Handler):
                return block
        return None

    def _is_to_itself(self, call: form.Call, each: Consumed) -> bool:
        """`task.delay(...)`, `self.apply_async(...)`, `queue.enqueue(task, ...)`, a message to its own queue."""
        name, own = last_name(call.func), each.function.name
        if isinstance(each.source, Consumer):
            key = call.argument(1, "routing_key") if name == "basic_publish" else None
            return key is not None and string_value(key, each.function.scope, self._project) in each.source.sources
        if name in _ENQUEUING:
            sent = call.positional[:2]
            return any(last_name(a) == own or (isinstance(a, form.Const) and a.value == own) for a in sent)
        owner = call.func.value if isinstance(call.func, form.Attr) else None
        if owner is None or name not in _METHODS:
            return False
        return last_name(owner) == own or (name in _OF_SELF and form.dotted(owner) == "self")
