"""How the clients of message brokers are told what to read, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subscription:
    """One way to begin reading.

    `method` is the last name of what is called, `package` the top-level package that it belongs to, and `within` a part
    of its dotted name that has to be there too. What is read stands at `source_at` or under one of `source_names`; all
    positional arguments name sources where `is_many`. `of_receiver` says that the object it is called on was made with
    the source's name. `handler_at` and `handler_names` give the function that gets each message, where one does;
    `is_telling` says that the method's name alone tells that it is this one.
    """

    method: str
    package: str
    source_at: int | None = 0
    source_names: tuple[str, ...] = ()
    handler_at: int | None = None
    handler_names: tuple[str, ...] = ()
    within: str = ""
    is_many: bool = False
    of_receiver: bool = False
    is_telling: bool = False


_TOPICS = ("topics", "pattern", "partitions")

KAFKA = (
    Subscription("KafkaConsumer", "kafka", is_many=True),
    Subscription("AIOKafkaConsumer", "aiokafka", is_many=True),
    *(
        Subscription(method, package, source_names=_TOPICS, within="Consumer")
        for package in ("kafka", "aiokafka", "confluent_kafka")
        for method in ("subscribe", "assign")
    ),
)
RABBITMQ = (
    Subscription(
        "basic_consume", "pika", 0, ("queue",), 1, ("on_message_callback", "consumer_callback"), is_telling=True
    ),
    Subscription("consume", "pika", 0, ("queue",), within="channel"),
    Subscription("consume", "aio_pika", None, (), 0, ("callback",), within="queue", of_receiver=True),
    Subscription("iterator", "aio_pika", None, within="queue", of_receiver=True),
)
KOMBU = (
    Subscription("Consumer", "kombu", 1, ("queues",), None, ("callbacks", "on_message")),
    Subscription("SimpleQueue", "kombu", 0, ("name",), within="onnection"),
)
NATS = (
    Subscription("subscribe", "nats", 0, ("subject",), None, ("cb",)),
    Subscription("pull_subscribe", "nats", 0, ("subject",)),
)
SQS = tuple(
    Subscription(method, package, None, ("QueueUrl",), is_telling=method == "receive_message", of_receiver=True)
    for package in ("boto3", "aioboto3", "aiobotocore")
    for method in ("receive_message", "receive_messages")
)
PUBSUB = (
    Subscription("subscribe", "google", 0, ("subscription",), 1, ("callback",), within="SubscriberClient"),
    Subscription("pull", "google", None, ("subscription",), within="SubscriberClient"),
)
REDIS = (
    Subscription("subscribe", "redis", is_many=True, within="pubsub"),
    Subscription("psubscribe", "redis", is_many=True, within="pubsub"),
    Subscription("xreadgroup", "redis", 2, ("streams",), is_telling=True),
    Subscription("xread", "redis", 0, ("streams",), is_telling=True),
)
MQTT = (Subscription("subscribe", "paho", 0, ("topic",)),)
SERVICE_BUS = (
    Subscription("get_queue_receiver", "azure", 0, ("queue_name",)),
    Subscription("get_subscription_receiver", "azure", 0, ("topic_name",)),
)


@dataclass(frozen=True, slots=True)
class Decorator:
    """A decorator that makes a function read what its arguments name."""

    framework: str
    package: str
    name: str
    source_names: tuple[str, ...]


DECORATORS = (
    Decorator("Faust", "faust", "agent", ("channel",)),
    Decorator("FastStream", "faststream", "subscriber", ("subject", "topic", "queue", "channel", "list", "stream")),
    Decorator("Propan", "propan", "handle", ("subject", "topic", "queue")),
)

READS = frozenset({"poll", "consume", "getone", "getmany", "listen", "get_message", "fetch", "messages"})
"""Methods that take messages from what was subscribed before."""
