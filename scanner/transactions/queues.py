"""Queues and mailboxes that are tables of the database, or wait for its commit by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from assay.scanner.linker.project import Project
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.transactions.sendings import Sending

_TABLES: Mapping[str, frozenset[str]] = {
    "procrastinate": frozenset({"defer", "defer_async"}),
    "pgqueuer": frozenset({"enqueue"}),
    "chancy": frozenset({"push"}),
    "task_processor": frozenset({"delay"}),
}
"""Methods by which queues that are tables take a task, by package."""
_ENQUEUING = frozenset({"delay", "apply_async", "send", "enqueue", "delay_async"})
_MAILBOXES = ("post_office", "mailer.backend", "django_yubin", "mailqueue")


class Queues:
    """What the project says of them."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def stored(self, sending: Sending) -> Evidence | None:
        """Where it shows that what is sent is a row first."""
        name = sending.sender
        for package, methods in _TABLES.items():
            if name in methods and package in self._project.imported_packages:
                return sending.scope.module.evidence(sending.node, f"{package} stores it in the database")
        if sending.kind is EffectKind.MAIL:
            return self._mailbox
        return self._broker if sending.kind is EffectKind.QUEUE and name in ("async_task", "enqueue") else None

    @cached_property
    def deferring(self) -> Evidence | None:
        """A task class of the project that waits for the commit by itself."""
        for call, scope in self._project.calls_named("on_commit"):
            function = scope.enclosing_function
            if function is not None and function.owner is not None and function.name in _ENQUEUING:
                return scope.module.evidence(call, "tasks wait for the commit")
        return None

    @cached_property
    def _mailbox(self) -> Evidence | None:
        """`EMAIL_BACKEND = "post_office.EmailBackend"`: mails are rows, until a worker sends them."""
        return self._setting("EMAIL_BACKEND", _MAILBOXES)

    @cached_property
    def _broker(self) -> Evidence | None:
        return self._setting("Q_CLUSTER", ("orm",)) or self._setting("TASKS", ("DatabaseBackend",))

    def _setting(self, name: str, values: Iterable[str]) -> Evidence | None:
        for module in self._project.modules.values():
            for binding in module.scope.bindings.get(name, ()) if module.role is Role.PROD else ():
                for node in form.walk(binding.value) if binding.value is not None else ():
                    if isinstance(node, form.Const) and any(value in str(node.value) for value in values):
                        return module.evidence(node, "it is stored in the database")
        return None
