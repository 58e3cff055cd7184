"""Which calls send messages, where these go, and who handles them, over modules and services."""

from __future__ import annotations

import pytest

from assay.scanner import inventory
from assay.scanner.config import Config
from assay.scanner.config.structure import ServiceConfig
from assay.scanner.engine import Options, Understanding, understand
from assay.scanner.executors import InlineExecutor

FILES = {
    "shop/tasks.py": """
import dramatiq
from celery import Celery
from huey import RedisHuey

app = Celery("shop")
huey = RedisHuey("shop")

@app.task(queue="mails")
def send_mail(user_id, text): ...

@app.task(name="shop.bill")
def bill(order_id): ...

@dramatiq.actor(queue_name="pictures")
def resize(key): ...

@huey.task()
def count(day): ...

def import_rows(path): ...
""",
    "shop/places.py": """
from functools import partial

import boto3
import pika
from arq import create_pool
from confluent_kafka import Producer
from django.db import transaction
from faststream.kafka import KafkaBroker
from kafka import KafkaProducer
from redis import Redis
from rq import Queue
from taskiq import InMemoryBroker

from shop import tasks
from shop.tasks import app, bill, count, import_rows, resize, send_mail

queue = Queue("imports", connection=Redis())
events = KafkaBroker()
broker = InMemoryBroker()

@broker.task
async def shrink(key): ...
kafka = KafkaProducer()

def plain(user):
    send_mail.delay(user.id, "hello")

def with_options(user):
    tasks.send_mail.apply_async(args=(user.id,), kwargs={"text": "hello"}, queue="urgent")

def described(user):
    send_mail.s(user.id, "hello").set(countdown=1).apply_async()

def deferred(user):
    transaction.on_commit(partial(send_mail.delay, user.id, text="hello"))

def by_name(order):
    app.send_task("shop.bill", args=[order.id])

def dramatiq_actor(key):
    resize.send_with_options(args=(key,), delay=10)

def huey_task(day):
    count(day)

def rq_job(path):
    queue.enqueue(import_rows, path, job_timeout=60)

async def arq_job(path):
    redis = await create_pool()
    await redis.enqueue_job("import_rows", path)

def to_kafka(order):
    kafka.send("orders", value=order)

def to_confluent(order):
    Producer({}).produce("payments", order)

def to_rabbit(body):
    channel = pika.BlockingConnection().channel()
    channel.basic_publish(exchange="", routing_key="mails", body=body)

def to_sqs(body):
    boto3.client("sqs").send_message(QueueUrl="https://sqs/orders", MessageBody=body)

def to_sns(body):
    boto3.client("sns").publish(TopicArn="arn:orders", Message=body)

async def to_faststream(order):
    await events.publish(order, "orders")

def to_redis(text):
    Redis().publish("prices", text)

async def taskiq_task(key):
    await shrink.kiq(key)

class Backoff:
    def delay(self, seconds): ...

def none_of_them(mail, event):
    Backoff().delay(5)
    mail.send(event)
    event.publish()
""",
    "stock/reader.py": """
from kafka import KafkaConsumer

def read():
    for message in KafkaConsumer("orders", group_id="stock"):
        print(message)
""",
}
MAIL, BILL = "tasks.send_mail", "shop.bill"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Understanding:
    root = tmp_path_factory.mktemp("messages")
    for path, text in FILES.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    config = Config(services={"shop": ServiceConfig("shop"), "stock": ServiceConfig("stock")})
    return understand(root, Options(config, analyzers=False, make_pool=lambda _: InlineExecutor()))


@pytest.mark.parametrize(
    ("function", "library", "task", "destination", "arguments"),
    [
        ("plain", "Celery", MAIL, "mails", ["user_id", "text"]),
        ("with_options", "Celery", MAIL, "urgent", ["user_id", "text"]),
        ("described", "Celery", MAIL, "mails", ["user_id", "text"]),
        ("deferred", "Celery", MAIL, "mails", ["user_id", "text"]),
        ("by_name", "Celery", BILL, None, ["order_id"]),
        ("dramatiq_actor", "Dramatiq", "resize", "pictures", ["key"]),
        ("huey_task", "Huey", "tasks.count", None, ["day"]),
        ("rq_job", "RQ", "tasks.import_rows", "imports", ["path"]),
        ("arq_job", "arq", "tasks.import_rows", "imports", ["path"]),
        ("to_kafka", "Kafka", None, "orders", ["value"]),
        ("to_confluent", "Kafka", None, "payments", [None]),
        ("to_rabbit", "RabbitMQ", None, "mails", ["body"]),
        ("to_sqs", "SQS", None, "https://sqs/orders", ["MessageBody"]),
        ("to_faststream", "FastStream", None, "orders", [None]),
        ("to_redis", "Redis", None, "prices", [None]),
        ("taskiq_task", "taskiq", None, None, ["key"]),
        ("to_sns", "SNS", None, "arn:orders", ["Message"]),
    ],
)
def test_a_call_that_sends_is_told_with_what_it_sends_and_where(
    known: Understanding,
    function: str,
    library: str,
    task: str | None,
    destination: str | None,
    arguments: list[str | None],
) -> None:
    service = next(s for s in known.linked.services if s.name == "shop")
    sent = [m for m in service.messages if m.function == f"places:{function}"]

    assert [(m.library, m.task, m.destination) for m in sent] == [(library, task, destination)]
    assert [a.name for a in sent[0].arguments] == arguments


def test_what_only_has_such_a_name_sends_nothing(known: Understanding) -> None:
    service = next(s for s in known.linked.services if s.name == "shop")
    assert [m for m in service.messages if m.function == "places:none_of_them"] == []


def test_the_inventory_ties_a_topic_to_its_consumers_in_other_services(known: Understanding) -> None:
    shop = next(s for s in inventory.take(known).services if s.name == "shop")
    handlers = {m.function: m.handlers for m in shop.messages}

    assert handlers["places:to_kafka"] == ["reader:read"]
    assert handlers["places:plain"] == ["tasks:send_mail"]
    assert handlers["places:to_sns"] == []
