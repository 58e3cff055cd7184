"""Queues and exchanges of RabbitMQ as the code declares them: with pika, aio-pika, aiormq and kombu."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import constant, definitions, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.work.references import library_callee


@dataclass(frozen=True, slots=True)
class _Declaring:
    """How a method declares: `places` are those of its options by position, where it takes them so."""

    packages: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    is_durable: bool
    is_queue: bool


_PIKA = (("passive", 1), ("durable", 2), ("exclusive", 3), ("auto_delete", 4), ("arguments", 5))
_PIKA_EXCHANGE = (("exchange_type", 1), ("passive", 2), ("durable", 3), ("auto_delete", 4))
_WAYS = {
    "queue_declare": _Declaring(("pika", "aiormq", "amqp"), _PIKA, is_durable=False, is_queue=True),
    "exchange_declare": _Declaring(("pika", "aiormq", "amqp"), _PIKA_EXCHANGE, is_durable=False, is_queue=False),
    "declare_queue": _Declaring(("aio_pika",), (), is_durable=False, is_queue=True),
    "declare_exchange": _Declaring(("aio_pika",), (("type", 1),), is_durable=False, is_queue=False),
    "Queue": _Declaring(("kombu",), (("exchange", 1),), is_durable=True, is_queue=True),
    "Exchange": _Declaring(("kombu",), (("type", 1),), is_durable=True, is_queue=False),
}
"""https://pika.readthedocs.io/en/stable/modules/channel.html, https://docs.celeryq.dev/projects/kombu."""
_DEAD = ("x-dead-letter-exchange", "dead_letter_exchange", "deadletter_exchange")


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """A queue or an exchange. `durable` and `dead_letters` are None where that can't be told; `is_transient` is set
    for what is only for who listens now.
    """

    call: form.Call
    scope: Scope
    library: str
    name: str | None
    is_queue: bool
    durable: bool | None
    is_transient: bool
    dead_letters: bool | None

    def evidence(self, text: str) -> Evidence:
        """The declaration as evidence."""
        return self.scope.module.evidence(self.call, text)


def declarations(project: Project) -> Iterator[Declaration]:
    """All that production code declares."""
    for call, scope in project.calls_named(*_WAYS):
        way = _WAYS[last_name(call.func) or ""]
        packages = scope.module.imported_packages
        library = next((name for name in way.packages if name in packages), None)
        if scope.module.role is not Role.PROD or library is None:
            continue
        if library == "kombu" and not (library_callee(call.func, scope, project) or "").startswith("kombu."):
            continue
        yield _declaration(call, scope, way, library, project)


def _declaration(call: form.Call, scope: Scope, way: _Declaring, library: str, project: Project) -> Declaration:
    places = dict(way.places)

    def stated(name: str) -> form.Expr | None:
        return call.argument(places[name], name) if name in places else call.keyword(name)

    def flag(name: str) -> bool | None:
        node = stated(name)
        if node is None:
            return False
        known = constant(node, scope, project)
        return bool(known.value) if known is not None else None

    named = call.argument(0, "queue" if way.is_queue else "exchange") or call.keyword("name")
    name = string_value(named, scope, project) if named is not None else ""
    kind = stated("exchange_type") or stated("type")
    fanout = (
        kind is not None and "fanout" in ((last_name(kind) or "") + (string_value(kind, scope, project) or "")).lower()
    )
    own = bool(flag("exclusive")) or bool(flag("auto_delete")) or bool(flag("passive")) or bool(call.keyword("expires"))
    durable = flag("durable") if stated("durable") is not None else way.is_durable
    if durable is False and call.has_double_star:
        durable = None
    is_named = name is None or bool(name) or library == "kombu"
    return Declaration(
        call,
        scope,
        library,
        name or None,
        way.is_queue,
        durable,
        own or fanout or not is_named,
        _dead_letters(stated("arguments") or call.keyword("queue_arguments"), scope, project),
    )


def _dead_letters(node: form.Expr | None, scope: Scope, project: Project) -> bool | None:
    """Whether the arguments name an exchange for what is rejected."""
    if node is None:
        return False
    known = [(node, scope)] if isinstance(node, form.Dict) else definitions(node, scope, project)
    displays = [n for n, _ in known if isinstance(n, form.Dict)]
    keys = [key for display in displays for key in display.keys]
    if any(isinstance(key, form.Const) and key.value in _DEAD for key in keys):
        return True
    return False if displays and len(displays) == len(known) and all(isinstance(k, form.Const) for k in keys) else None
