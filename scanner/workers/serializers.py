"""By what messages are written and read: Celery, RQ, arq, Dramatiq, Huey and clients of Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.framework import Sited
from assay.scanner.gathered import Gathered
from assay.scanner.linker.library_types import canonical
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.worker import Encoding, MessageSerializer
from assay.scanner.readers.python import form
from assay.scanner.work.references import library_callee
from assay.scanner.workers.celery_options import SERIALIZERS, Application, CeleryOptions

_CODE = frozenset({"pickle", "application/x-python-serialize", "dill", "cloudpickle", "marshal", "jsonpickle"})
"""As libraries call what runs code when it is read. Kombu's `yaml` reads safely."""
_MODULES = frozenset({"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "jsonpickle", "joblib"})
_READING = frozenset({"loads", "load", "dumps", "dump", "decode", "encode"})
_RQ_PLACES = ("Queue", "Worker", "SimpleWorker", "get_queue", "get_worker", "job")
_RQ = ("rq.", "django_rq.", "flask_rq2.", "rq_scheduler.")
_KAFKA = ("KafkaConsumer", "KafkaProducer", "AIOKafkaConsumer", "AIOKafkaProducer")
_KAFKA_OPTIONS = ("value_deserializer", "value_serializer", "key_deserializer", "key_serializer")
_HUEYS = ("RedisHuey", "PriorityRedisHuey", "RedisExpireHuey", "PriorityRedisExpireHuey")


class Serializers:
    """Those of one tree; tests don't count."""

    def __init__(self, gathered: Gathered, celery: CeleryOptions) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._celery = celery
        self._ordinals = Ordinals()

    def all(self) -> Iterator[MessageSerializer]:
        """By library."""
        for application in self._celery.applications:
            yield self._of_celery(application)
        yield from self._of_single_messages()
        yield from self._of_rq()
        yield from self._of_arq()
        yield from self._of_dramatiq()
        yield from self._of_huey()
        yield from self._of_kafka()

    def _of_celery(self, application: Application) -> MessageSerializer:
        """What is accepted counts as what is sent does: who can write to the broker chooses among it."""
        found: list[tuple[Encoding, Evidence, str | None]] = []
        for stated in self._celery.stated(application, *SERIALIZERS):
            for meaning in self._celery.meanings(stated):
                text = meaning.value if isinstance(meaning.value, str) else None
                found.append((self._encoding(text) if text else Encoding.UNKNOWN, meaning.evidence, text))
        site = Sited(application.call, application.scope)
        if not found:
            text = "Celery sends and takes JSON unless it is told otherwise"
            place = application.scope.module.evidence(application.call, text)
            return self._made("Celery", site, Encoding.DATA, (place,), is_default=True)
        for encoding in (Encoding.CODE, Encoding.SIGNED_CODE, Encoding.UNKNOWN):
            deciding = [(place, name) for each, place, name in found if each is encoding]
            if deciding:
                places = tuple(dict.fromkeys(place for place, _ in deciding[:2]))
                return self._made("Celery", site, encoding, places, deciding[0][1])
        return self._made("Celery", site, Encoding.DATA, tuple(dict.fromkeys(place for _, place, _ in found[:2])))

    def _encoding(self, name: str) -> Encoding:
        if name.lower() in _CODE:
            return Encoding.CODE
        registered = self._registered.get(name)
        if registered is not None:
            return registered
        return Encoding.SIGNED_CODE if "pickle" in name.lower() else Encoding.DATA

    @cached_property
    def _registered(self) -> dict[str, Encoding]:
        """Serializers of the project's own: `kombu.serialization.register(name, encoder, decoder, ...)`."""
        found: dict[str, Encoding] = {}
        for call, scope in self._project.calls_named("register"):
            name, decoder = call.argument(0, "name"), call.argument(2, "decoder")
            callee = self._project.callee_name(call, scope) or ""
            if name is None or decoder is None or not callee.startswith("kombu."):
                continue
            for meaning in self._gathered.production.meanings(name, scope):
                if isinstance(meaning.value, str):
                    found[meaning.value] = self._of_function(decoder, scope, meaning.value)
        return found

    def _of_function(self, node: form.Expr, scope: Scope, name: str = "") -> Encoding:
        """What a function reads or writes: one of a library, a lambda, one of the project."""
        if isinstance(node, form.Call) and last_name(node.func) in ("staticmethod", "partial") and node.positional:
            node = node.positional[0]
        value = self._project.infer(node, scope)
        if isinstance(value, External):
            return Encoding.CODE if value.name.partition(".")[0] in _MODULES else Encoding.DATA
        body: form.Node | None = None
        if isinstance(node, form.Lambda):
            body, around_it = node.body, scope
        elif isinstance(value, FunctionSymbol):
            body, around_it = value.node, value.scope
        if not isinstance(body, form.Expr | form.Stmt):
            return Encoding.UNKNOWN
        reads = [n.func for n in form.walk(body) if isinstance(n, form.Call) and last_name(n.func) in _READING]
        callees = {(self._project.qualified_name(f, around_it) or "").partition(".")[0] for f in reads}
        if callees.isdisjoint(_MODULES):
            return Encoding.DATA
        is_signed = any(word in f"{name} {_words(body)}".lower() for word in ("sign", "hmac", "verify", "digest"))
        return Encoding.SIGNED_CODE if is_signed else Encoding.CODE

    def _of_single_messages(self) -> Iterator[MessageSerializer]:
        """`task.apply_async(serializer="pickle")`, `@app.task(serializer="pickle")`."""
        if not self._celery.applications and "celery" not in self._project.imported_packages:
            return
        for call, scope in self._project.calls_named("apply_async", "send_task", "shared_task", "task"):
            stated = call.keyword("serializer")
            if stated is None or scope.module.role is not Role.PROD:
                continue
            if last_name(call.func) in ("shared_task", "task") and "celery" not in scope.module.imported_packages:
                continue  # somebody else's decorator, for all that can be told
            for meaning in self._gathered.production.meanings(stated, scope)[:1]:
                text = meaning.value if isinstance(meaning.value, str) else None
                encoding = self._encoding(text) if text else Encoding.UNKNOWN
                yield self._made("Celery", Sited(call, scope), encoding, (meaning.evidence,), text)

    def _of_rq(self) -> Iterator[MessageSerializer]:
        """One for each service: its queues and workers have to agree."""
        seen: set[str] = set()
        for call, scope in self._project.calls_named(*_RQ_PLACES):
            callee = library_callee(call.func, scope, self._project) or ""
            service = self._gathered.owners.of(scope.module.path)
            root = service.root if service is not None else ""
            if scope.module.role is Role.PROD and callee.startswith(_RQ) and root not in seen:
                seen.add(root)
                place = scope.module.evidence(call, "RQ pickles jobs unless it is told a serializer")
                encoding, evidence = self._rq_stated or (Encoding.CODE, place)
                yield self._made("RQ", Sited(call, scope), encoding, (evidence,), is_default=self._rq_stated is None)

    @cached_property
    def _rq_stated(self) -> tuple[Encoding, Evidence] | None:
        """The serializer that queues or workers are given: by class, by path, in Django's table of queues."""
        for call, scope in self._project.calls_named(*_RQ_PLACES):
            stated = call.keyword("serializer")
            callee = library_callee(call.func, scope, self._project) if stated is not None else None
            if stated is not None and (callee or "").startswith(_RQ) and scope.module.role is Role.PROD:
                meanings = self._gathered.production.meanings(stated, scope)
                texts = [m.value for m in meanings if isinstance(m.value, str)]
                return _rq_encoding([self._project.qualified_name(stated, scope) or "", *texts]), scope.module.evidence(
                    stated, "jobs are written by this"
                )
        for module in self._project.modules.values():
            for binding in module.scope.bindings.get("RQ_QUEUES", ()) if module.role is Role.PROD else ():
                for node in form.walk(binding.value) if binding.value is not None else ():
                    if isinstance(node, form.Const) and str(node.value).endswith("Serializer"):
                        return _rq_encoding([str(node.value)]), module.evidence(node, "jobs are written by this")
        return None

    def _of_arq(self) -> Iterator[MessageSerializer]:
        """Settings of workers."""
        for cls in self._project.classes:
            if cls.module.role is not Role.PROD or not self._is_arq(cls):
                continue
            stated = self._project.class_attribute(cls, "job_deserializer")
            if stated is not None:
                encoding = self._of_function(*stated)
                place = stated[1].module.evidence(stated[0], "jobs are read by this")
            else:
                encoding, place = Encoding.CODE, Evidence(cls.location, "arq pickles jobs unless it is told otherwise")
            is_default = stated is None
            yield MessageSerializer(
                "arq", cls.id, 1, cls.location, cls.module.role, encoding, (place,), is_default=is_default
            )

    def _is_arq(self, cls: ClassSymbol) -> bool:
        is_worker = "arq" in cls.module.imported_packages or cls.name == "WorkerSettings"
        is_worker = is_worker and "arq" in self._project.imported_packages
        return is_worker and self._project.class_attribute(cls, "functions") is not None

    def _of_dramatiq(self) -> Iterator[MessageSerializer]:
        """`dramatiq.set_encoder(PickleEncoder())`."""
        for call, scope in self._project.calls_named("set_encoder"):
            callee = self._project.callee_name(call, scope) or ""
            if scope.module.role is Role.PROD and callee.startswith("dramatiq.") and call.positional:
                value = self._project.infer(call.positional[0], scope)
                name = value.type_name if isinstance(value, Instance) and value.cls is None else ""
                encoding = Encoding.CODE if last_part(name) == "PickleEncoder" else Encoding.DATA
                place = scope.module.evidence(call, f"messages are written by {last_part(name) or 'an encoder'}")
                yield self._made("Dramatiq", Sited(call, scope), encoding, (place,), last_part(name) or None)

    def _of_huey(self) -> Iterator[MessageSerializer]:
        """Queues in Redis; those in memory or in a file reach nobody else."""
        for call, scope in self._project.calls_named(*_HUEYS):
            if scope.module.role is not Role.PROD or not (
                library_callee(call.func, scope, self._project) or ""
            ).startswith("huey."):
                continue
            stated = call.keyword("serializer")
            name = ""
            if stated is not None:
                value = self._project.infer(stated, scope)
                name = last_part(value.type_name) if isinstance(value, Instance) and value.cls is None else "its own"
            if name == "SignedSerializer":
                encoding = Encoding.SIGNED_CODE
            else:
                encoding = Encoding.CODE if name in ("", "Serializer") else Encoding.UNKNOWN
            place = scope.module.evidence(call, "Huey pickles tasks unless it is told otherwise")
            yield self._made("Huey", Sited(call, scope), encoding, (place,), "pickle", is_default=stated is None)

    def _of_kafka(self) -> Iterator[MessageSerializer]:
        """Clients that are told how to read or write."""
        for call, scope in self._project.calls_named(*_KAFKA):
            callee = canonical(self._project.callee_name(call, scope) or "")
            if scope.module.role is not Role.PROD or not callee.startswith(("kafka.", "aiokafka.")):
                continue
            stated = [node for name in _KAFKA_OPTIONS if (node := call.keyword(name)) is not None]
            found = [(self._of_function(node, scope), node) for node in stated]
            worst = next((f for e in (Encoding.CODE, Encoding.SIGNED_CODE) for f in found if f[0] is e), None)
            encoding, node = worst or (Encoding.DATA, call)
            place = scope.module.evidence(node, "messages are read or written by this")
            yield self._made("Kafka", Sited(call, scope), encoding, (place,))

    def _made(
        self,
        framework: str,
        site: Sited,
        encoding: Encoding,
        evidence: tuple[Evidence, ...],
        name: str | None = None,
        *,
        is_default: bool = False,
    ) -> MessageSerializer:
        function = around(site.scope)
        return MessageSerializer(
            framework,
            function,
            self._ordinals.next(function, framework),
            site.module.location(site.node),
            site.module.role,
            encoding,
            evidence,
            name,
            is_default,
        )


def _words(node: form.Expr | form.Stmt) -> str:
    return " ".join(last_name(n.func) or "" for n in form.walk(node) if isinstance(n, form.Call))


def _rq_encoding(names: Iterable[str]) -> Encoding:
    for name in names:
        if "json" in last_part(name).lower():
            return Encoding.DATA
        if name.partition(".")[0] in _MODULES or last_part(name) in ("PickleSerializer", "DefaultSerializer"):
            return Encoding.CODE
    return Encoding.UNKNOWN
