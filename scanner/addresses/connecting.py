"""What connects to an address, by the dotted name of what is called: the libraries' own documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connecting:
    """`arguments` may hold the address, the first one by the place `at`, where it has one."""

    what: str
    arguments: tuple[str, ...]
    at: int | None = 0


_REDIS_URL = Connecting("a Redis client", ("url",))
_REDIS = Connecting("a Redis client", ("host",))
_SQL_URL = Connecting("a database engine", ("url", "name_or_url"))
_SQL = Connecting("a database connection", ("dsn", "conninfo", "host"))
_MYSQL = Connecting("a database connection", ("host",))
_MONGO = Connecting("a MongoDB client", ("host",))
_AMQP = Connecting("a connection to the broker", ("url",))
_AMQP_HOST = Connecting("a connection to the broker", ("host",))
_KAFKA = Connecting("a Kafka client", ("bootstrap_servers",), None)
_CHANNEL = Connecting("a gRPC channel", ("target",))
_SEARCH = Connecting("a search client", ("hosts",))

CONNECTING: Mapping[str, Connecting] = {
    **{f"{module}.{name}": _REDIS for module in ("redis", "redis.asyncio", "valkey", "aioredis")
       for name in ("Redis", "StrictRedis", "Valkey", "ConnectionPool", "BlockingConnectionPool")},
    **{f"{module}.{name}from_url": _REDIS_URL for module in ("redis", "redis.asyncio", "valkey", "aioredis")
       for name in ("", "Redis.", "StrictRedis.", "ConnectionPool.", "Valkey.")},
    "sqlalchemy.create_engine": _SQL_URL,
    "sqlalchemy.ext.asyncio.create_async_engine": _SQL_URL,
    "sqlmodel.create_engine": _SQL_URL,
    "psycopg2.connect": _SQL,
    "psycopg.connect": _SQL,
    "psycopg.AsyncConnection.connect": _SQL,
    "psycopg_pool.ConnectionPool": _SQL,
    "psycopg_pool.AsyncConnectionPool": _SQL,
    "asyncpg.connect": _SQL,
    "asyncpg.create_pool": _SQL,
    "databases.Database": Connecting("a database connection", ("url",)),
    "pymysql.connect": _MYSQL,
    "MySQLdb.connect": _MYSQL,
    "mysql.connector.connect": Connecting("a database connection", ("host",), None),
    "aiomysql.create_pool": _MYSQL,
    "pymongo.MongoClient": _MONGO,
    "pymongo.AsyncMongoClient": _MONGO,
    "motor.motor_asyncio.AsyncIOMotorClient": _MONGO,
    "mongoengine.connect": Connecting("a MongoDB client", ("host",), 1),
    "pika.ConnectionParameters": _AMQP_HOST,
    "pika.URLParameters": _AMQP,
    "aio_pika.connect": _AMQP,
    "aio_pika.connect_robust": _AMQP,
    "kombu.Connection": Connecting("a connection to the broker", ("hostname",)),
    "celery.Celery": Connecting("Celery", ("broker", "backend"), None),
    "dramatiq.brokers.redis.RedisBroker": Connecting("the broker of Dramatiq", ("url", "host"), None),
    "dramatiq.brokers.rabbitmq.RabbitmqBroker": Connecting("the broker of Dramatiq", ("url", "host"), None),
    "kafka.KafkaProducer": _KAFKA,
    "kafka.KafkaConsumer": _KAFKA,
    "aiokafka.AIOKafkaProducer": _KAFKA,
    "aiokafka.AIOKafkaConsumer": _KAFKA,
    "faststream.kafka.KafkaBroker": Connecting("a Kafka client", ("bootstrap_servers",)),
    "nats.connect": Connecting("a NATS client", ("servers",)),
    "grpc.insecure_channel": _CHANNEL,
    "grpc.secure_channel": _CHANNEL,
    "grpc.aio.insecure_channel": _CHANNEL,
    "grpc.aio.secure_channel": _CHANNEL,
    "elasticsearch.Elasticsearch": _SEARCH,
    "elasticsearch.AsyncElasticsearch": _SEARCH,
    "opensearchpy.OpenSearch": _SEARCH,
    "smtplib.SMTP": Connecting("a mail client", ("host",)),
    "smtplib.SMTP_SSL": Connecting("a mail client", ("host",)),
    "aiosmtplib.SMTP": Connecting("a mail client", ("hostname",)),
    "aiosmtplib.send": Connecting("a mail client", ("hostname",), None),
    "tortoise.Tortoise.init": Connecting("a database connection", ("db_url",), None),
    "tortoise.contrib.fastapi.register_tortoise": Connecting("a database connection", ("db_url",), None),
    "pymemcache.client.base.Client": Connecting("a Memcached client", ("server",)),
    "boto3.client": Connecting("a client of AWS", ("endpoint_url",), None),
    "boto3.resource": Connecting("a client of AWS", ("endpoint_url",), None),
}  # fmt: skip
