"""Work outside requests: tasks and consumers, compared with what the libraries register."""

from __future__ import annotations

import pytest

from assay.scanner.framework import Framework
from assay.scanner.frameworks.arq import ARQ
from assay.scanner.frameworks.brokers.consumers import KAFKA, RABBITMQ, REDIS, SQS
from assay.scanner.frameworks.celery.tasks import CELERY
from assay.scanner.frameworks.dramatiq import DRAMATIQ
from assay.scanner.frameworks.rq import RQ
from assay.scanner.frameworks.schedulers import APSCHEDULER
from assay.scanner.model.work import Consumer, Task
from tests.projects import context_of
from tests.test_framework_samples import asked, expected


def tasks_of(framework: Framework, main: str, **modules: str) -> tuple[dict[str, Task], list[str]]:
    """By name, and what was said to be unresolved."""
    context = context_of(main, **modules)
    return {t.name: t for t in framework.tasks(context)}, [d.message for d in context.diagnostics]


def consumers_of(framework: Framework, main: str, **modules: str) -> tuple[list[Consumer], list[str]]:
    context = context_of(main, **modules)
    return list(framework.consumers(context)), [d.message for d in context.diagnostics]


def test_celery_registers_the_same_tasks() -> None:
    told = {row["name"]: row for row in asked("celery")["tasks"]}
    wanted = {row["name"]: row for row in expected("celery")["tasks"]}
    assert set(told) == set(wanted)
    for name, row in wanted.items():
        assert told[name]["handler"] == row["handler"]
        assert bool(told[name]["schedules"]) == ("schedule" in row), name
        if name != "shop.reports.lights":  # only its beat sends it elsewhere
            assert told[name]["queue"] == row.get("queue", "celery"), name


# --- schedules ---


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("30", "every 30 seconds"),
        ("1.5", "every 1.5 seconds"),
        ("timedelta(minutes=1)", "every minute"),
        ("timedelta(hours=1, minutes=30)", "every 1 hour 30 minutes"),
        ("timedelta(2)", "every 2 days"),
        ("timedelta(seconds=settings.PERIOD)", "computed"),
        ("crontab()", "* * * * *"),
        ("crontab(minute=0, hour='*/3')", "0 */3 * * *"),
        ("crontab(0, 12)", "0 12 * * *"),
        ("crontab(day_of_week='mon-fri', day_of_month='1', month_of_year=[1, 7])", "* * 1 1,7 mon-fri"),
        ("crontab(minute=settings.MINUTE)", "? * * * *"),
        ("solar('sunset', 1, 2)", "at sunset"),
        ("NIGHT", "0 3 * * *"),
        ("settings.SCHEDULE", "computed"),
    ],
)
def test_schedules(expression: str, text: str) -> None:
    main = f"""
        from datetime import timedelta
        from celery import Celery, shared_task
        from celery.schedules import crontab, solar
        from elsewhere import settings
        NIGHT = crontab(minute=0, hour=3)
        @shared_task
        def work(): ...
        app = Celery()
        app.conf.beat_schedule = {{"work": {{"task": "main.work", "schedule": {expression}}}}}
    """
    assert tasks_of(CELERY, main)[0]["main.work"].schedule == text


# --- Celery ---


def test_celery_settings_may_stand_in_django_s() -> None:
    found, said = tasks_of(
        CELERY,
        """
        CELERY_TASK_ROUTES = {"tasks.a": {"queue": "first"}, "tasks.*": {"queue": "rest"}}
        CELERY_BEAT_SCHEDULE = {"a": {"task": "tasks.a", "schedule": 10}}
        if True:
            CELERY_BEAT_SCHEDULE["b"] = {"task": "tasks.b", "schedule": 20}
        CELERY_BEAT_SCHEDULE.update({"c": dict(task="tasks.c", schedule=30)})
        """,
        tasks="from celery import shared_task\n" + "".join(f"@shared_task\ndef {n}(): ...\n" for n in "abc"),
    )
    assert {name: (t.queue, t.schedule) for name, t in found.items()} == {
        "tasks.a": ("first", "every 10 seconds"),
        "tasks.b": ("rest", "every 20 seconds"),
        "tasks.c": ("rest", "every 30 seconds"),
    }
    assert said == []


def test_what_celery_computes_is_said() -> None:
    found, said = tasks_of(
        CELERY,
        """
        import os
        from celery import Celery
        from elsewhere import beat
        app = Celery()
        app.conf.beat_schedule = beat()
        @app.task(name=os.environ["NAME"])
        def work(): ...
        """,
    )
    assert list(found) == ["main.work"]
    assert said == ["the name of this task can't be told", "the beat's schedule is computed at run time"]


def test_a_decorator_called_task_is_not_celery_s() -> None:
    found, _ = tasks_of(
        CELERY,
        """
        import celery
        from invoke import task
        from elsewhere import celery_app, runner
        @task
        def a(): ...
        @runner.task
        def b(): ...
        @celery_app.task
        def c(): ...
        """,
    )
    # `celery_app` comes from a module that isn't there: its name says enough where nothing else does.
    assert set(found) <= {"main.c"}


def test_a_decorator_of_the_project_registers_what_it_decorates() -> None:
    found, _ = tasks_of(
        DRAMATIQ,
        """
        from dramatiq import actor as _actor
        def actor(name, **options):
            def decorate(function):
                _actor(function, actor_name=name, **options)
                return function
            return decorate
        @actor(actor_name="mails.send", queue_name="mails")
        def send(): ...
        """,
    )
    assert {name: (t.handler, t.queue) for name, t in found.items()} == {"mails.send": ("main:send", "mails")}


# --- others ---


def test_rq_follows_what_a_helper_is_given() -> None:
    found, said = tasks_of(
        RQ,
        """
        from functools import partial
        import django_rq
        def later(function, *arguments):
            queue = django_rq.get_queue("low")
            return partial(queue.enqueue, function, *arguments)
        class Job:
            @classmethod
            def handle(cls): ...
            @classmethod
            def put(cls):
                later(cls.handle)
        """,
    )
    assert {name: (t.handler, t.queue) for name, t in found.items()} == {"main.Job.handle": ("main:Job.handle", "low")}
    assert said == []


def test_arq_says_which_list_it_can_t_read() -> None:
    found, said = tasks_of(
        ARQ,
        """
        import arq
        from elsewhere import everything
        class WorkerSettings:
            functions = everything()
            cron_jobs = []
        """,
    )
    assert (found, said) == ({}, ["the functions in this list can't be told"])


def test_a_computed_trigger_is_said_to_be_computed() -> None:
    found, _ = tasks_of(
        APSCHEDULER,
        """
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from elsewhere import trigger, settings
        scheduler = AsyncIOScheduler()
        def a(): ...
        def b(): ...
        scheduler.add_job(a, trigger)
        scheduler.add_job(b, "interval", seconds=settings.PERIOD)
        """,
    )
    assert {name: t.schedule for name, t in found.items()} == {"main.a": "computed", "main.b": "computed"}


# --- consumers ---


def test_a_client_of_the_project_is_no_consumer_itself() -> None:
    found, _ = consumers_of(
        KAFKA,
        """
        from confluent_kafka import Consumer
        class Client(Consumer):
            def __init__(self, topic):
                super().__init__({})
                self.subscribe([topic])
            def subscribe(self, topics):
                super().subscribe(topics)
        def run():
            client = Consumer({})
            client.subscribe(["orders"])
        """,
    )
    assert [(c.handler, c.sources) for c in found] == [("main:run", ("orders",))]


def test_sources_from_the_environment_are_said_to_be_unknown() -> None:
    found, said = consumers_of(
        SQS,
        """
        import os
        import boto3
        def run():
            return boto3.client("sqs").receive_message(QueueUrl=os.environ["QUEUE"])
        """,
    )
    assert [(c.handler, c.sources) for c in found] == [("main:run", ())]
    assert said == ["what this consumer reads can't be told"]


def test_a_channel_of_unknown_type_is_known_by_its_method() -> None:
    found, _ = consumers_of(
        RABBITMQ,
        """
        import pika
        def handle(channel, method, properties, body): ...
        def consume(channel):
            channel.basic_consume("orders", handle)
            channel.consume("other")
        """,
    )
    assert [(c.handler, c.sources) for c in found] == [("main:handle", ("orders",))]


def test_only_the_pubsub_of_redis_is_one() -> None:
    found, _ = consumers_of(
        REDIS,
        """
        import redis
        def run(newsletter):
            newsletter.subscribe("a")
            redis.Redis().pubsub().psubscribe("b.*")
        """,
    )
    assert [c.sources for c in found] == [("b.*",)]
