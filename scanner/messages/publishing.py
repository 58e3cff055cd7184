"""How libraries are told to send a message, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ON_TASKS = frozenset(
    {
        "delay", "apply_async", "delay_on_commit", "apply_async_on_commit", "s", "si", "signature", "subtask",
        "send", "send_with_options", "message", "message_with_options", "kiq", "defer", "defer_async", "schedule",
        "enqueue",
    }
)  # fmt: skip
"""Methods of tasks that send one, or describe one that is sent later."""
IN_LISTS = frozenset(
    {"apply_async", "apply_async_on_commit", "send_with_options", "message_with_options", "signature", "subtask"}
)
"""Those that take the task's own arguments as a list and a mapping, beside options."""
OPTIONS_OF_JOBS = frozenset(
    {
        "job_timeout", "timeout", "result_ttl", "failure_ttl", "ttl", "description", "depends_on", "job_id", "at_front",
        "meta", "retry", "on_success", "on_failure", "on_stopped", "pipeline", "queue_name", "unique", "repeat",
        "hook", "group", "save", "sync", "cached", "ack_failure", "task_name", "cluster", "q_options", "interval",
        "cron_string", "scheduled_time", "use_local_timezone", "_job_id", "_queue_name", "_defer_until", "_defer_by",
        "_expires", "_job_try",
    }
)  # fmt: skip
"""Keywords of RQ, Django Q and arq that say how a job runs, and aren't handed to it."""


@dataclass(frozen=True, slots=True)
class Enqueuing:
    """A method that takes the function, or its name, with what it is to be called with.

    `function_at` is its place, and `names` what else it may be called; `in_lists` says that `args=` and `kwargs=` hold
    the arguments.
    """

    library: str
    packages: tuple[str, ...]
    function_at: int = 0
    names: tuple[str, ...] = ("func", "f")
    in_lists: bool = False
    is_telling: bool = False


_RQ = ("rq", "django_rq", "flask_rq", "flask_rq2", "rq_scheduler")
ENQUEUING: Mapping[str, Enqueuing] = {
    "enqueue": Enqueuing("RQ", _RQ),
    "enqueue_call": Enqueuing("RQ", _RQ, in_lists=True),
    "enqueue_at": Enqueuing("RQ", _RQ, 1),
    "enqueue_in": Enqueuing("RQ", _RQ, 1),
    "send_task": Enqueuing("Celery", ("celery",), names=("name",), in_lists=True, is_telling=True),
    "enqueue_job": Enqueuing("arq", ("arq",), names=("function",), is_telling=True),
    "async_task": Enqueuing("Django Q", ("django_q",)),
}


@dataclass(frozen=True, slots=True)
class Publishing:
    """A method that publishes. The destination stands at `to` or under one of `to_names`; the message and what travels
    beside it at `payload`, or under `payload_names`.

    `receivers` are last words of names of what it is called on, where no type tells: `self.kafka_producer`.
    """

    library: str
    packages: tuple[str, ...]
    to: int | None
    to_names: tuple[str, ...]
    payload: tuple[int, ...]
    payload_names: tuple[str, ...]
    within: str = ""
    receivers: tuple[str, ...] = ()


_KAFKA = ("kafka", "aiokafka", "confluent_kafka")
_AWS = ("boto3", "aioboto3", "aiobotocore", "botocore")
_PRODUCERS = ("producer",)
_STREAMS = ("faststream", "propan")
PUBLISHING: Mapping[str, tuple[Publishing, ...]] = {
    "send": (
        Publishing("Kafka", _KAFKA, 0, ("topic",), (1, 2), ("value", "key", "headers"), "Producer", _PRODUCERS),
        Publishing("Faust", ("faust",), None, (), (1,), ("value", "key", "headers"), "topic"),
    ),
    "send_and_wait": (
        Publishing("Kafka", _KAFKA, 0, ("topic",), (1, 2), ("value", "key", "headers"), "Producer", _PRODUCERS),
    ),
    "produce": (
        Publishing("Kafka", _KAFKA, 0, ("topic",), (1, 2), ("value", "key", "headers"), "Producer", _PRODUCERS),
    ),
    "basic_publish": (
        Publishing(
            "RabbitMQ", ("pika", "aio_pika", "aiormq", "amqp"), 1, ("routing_key",), (2, 3), ("body", "properties"),
            receivers=("channel", "ch", "chan"),
        ),
    ),
    "publish": (
        Publishing("RabbitMQ", ("aio_pika",), 1, ("routing_key",), (0,), ("message",), receivers=("exchange",)),
        Publishing("Kombu", ("kombu",), 1, ("routing_key", "exchange"), (0,), ("body", "headers"), "roducer",
                   _PRODUCERS),
        Publishing("NATS", ("nats",), 0, ("subject",), (1,), ("payload", "headers"), receivers=("nc", "js", "nats")),
        Publishing("SNS", _AWS, None, ("TopicArn", "TargetArn"), (), ("Message", "MessageAttributes", "Subject"),
                   receivers=("sns",)),
        Publishing("Google Pub/Sub", ("google",), 0, ("topic",), (1,), ("data",), "ublisher", ("publisher",)),
        Publishing("Redis", ("redis", "aioredis"), 0, ("channel",), (1,), ("message",), receivers=("redis",)),
        Publishing("MQTT", ("paho", "aiomqtt", "asyncio_mqtt"), 0, ("topic",), (1,), ("payload",), receivers=("mqtt",)),
        Publishing("FastStream", _STREAMS, 1, ("queue", "topic", "subject", "channel", "list", "stream"), (0,),
                   ("message", "headers")),
    ),
    "xadd": (Publishing("Redis", ("redis", "aioredis"), 0, ("name",), (1,), ("fields",), receivers=("redis",)),),
    "send_message": (
        Publishing("SQS", _AWS, None, ("QueueUrl",), (), ("MessageBody", "MessageAttributes"), receivers=("sqs",)),
    ),
    "send_message_batch": (Publishing("SQS", _AWS, None, ("QueueUrl",), (), ("Entries",), receivers=("sqs",)),),
    "put_events": (Publishing("EventBridge", _AWS, None, (), (), ("Entries",), receivers=("events",)),),
    "send_messages": (
        Publishing("Azure Service Bus", ("azure",), None, (), (0,), ("message",), receivers=("sender",)),
    ),
}  # fmt: skip
ENVELOPES = frozenset(
    {"Message", "ServiceBusMessage", "EventData", "BasicProperties", "PubsubMessage", "IncomingMessage", "MessageBody"}
)
"""What a message is put into before it is sent: all that it is made of travels."""
