"""Which broker an application sends its tasks through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from assay.scanner.dataflow.lexicon import words
from assay.scanner.framework import Sited
from assay.scanner.gathered import Gathered
from assay.scanner.readers.python import form
from assay.scanner.workers.celery_options import BROKER, Application, CeleryOptions

_SCHEME = re.compile(r"^([a-z][a-z0-9]*)(?:\+\w+)?://", re.IGNORECASE)


class Broker(StrEnum):
    """Kinds of brokers, by what they make of priorities."""

    RABBITMQ = "RabbitMQ"
    REDIS = "Redis"
    WITHOUT = "a broker that knows no priorities"


_SCHEMES = {
    **dict.fromkeys(("amqp", "amqps", "pyamqp", "librabbitmq", "rabbitmq", "py"), Broker.RABBITMQ),
    **dict.fromkeys(("redis", "rediss", "sentinel"), Broker.REDIS),
    **dict.fromkeys(("sqs", "kafka", "confluentkafka", "gcpubsub", "sqla", "azurequeue", "filesystem"), Broker.WITHOUT),
}
_WORDS = {"rabbitmq": Broker.RABBITMQ, "amqp": Broker.RABBITMQ, "redis": Broker.REDIS, "sqs": Broker.WITHOUT}


def broker_of(application: Application, celery: CeleryOptions, gathered: Gathered) -> Broker | None:
    """By the URL's scheme, or else by the names of what it is made of; None where it can't be told."""
    stated = application.call.argument(1, "broker")
    places = [Sited(stated, application.scope)] if stated is not None else []
    for place in [*places, *celery.stated(application, BROKER)]:
        for text in _texts(place, gathered):
            found = _SCHEME.match(text)
            if found is not None and found.group(1).lower() in _SCHEMES:
                return _SCHEMES[found.group(1).lower()]
    for place in [*places, *celery.stated(application, BROKER)]:
        for node in form.walk(place.node):
            match node:
                case form.Const(value=str() as text) | form.Name(id=text) | form.Attr(attr=text):
                    spoken = words(text)
                case _:
                    spoken = ()
            kind = next((_WORDS[word] for word in spoken if word in _WORDS), None)
            if kind is not None:
                return kind
    return None


def _texts(place: Sited, gathered: Gathered) -> Iterator[str]:
    """What it comes to, then the texts in it: defaults, and the beginnings of f-strings."""
    for meaning in gathered.production.meanings(place.node, place.scope):
        if isinstance(meaning.value, str):
            yield meaning.value
    for node in form.walk(place.node):
        if isinstance(node, form.Const) and isinstance(node.value, str):
            yield node.value
