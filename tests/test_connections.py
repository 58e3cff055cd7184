"""What services are connected with: hosts and variables that are services of the tree, and what stays outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.scanner.connections import Reached, address_variables, connections, reached_by, with_services
from assay.scanner.model.message import Message
from assay.scanner.model.neighbour import Neighbour
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.model.setting import Setting
from assay.scanner.model.work import Consumer, Task
from assay.scanner.model.workload import Platform, Process, Workload, WorkloadKind
from assay.scanner.results import Connection, ConnectionKind

HERE = Location("app.py", 1, 1, 1, 2)


def calling(*urls: str | None, role: Role = Role.PROD) -> Service:
    calls = tuple(OutboundCall("app:get", n, HERE, role, "requests", "GET", url) for n, url in enumerate(urls, 1))
    return Service("orders", ".", HERE, Role.PROD, outbound_calls=calls)


def said(service: Service) -> list[tuple[str, str, str]]:
    return [(c.kind.value, c.name, c.what) for c in connections(service)]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.pay.example/v1?x=1", "api.pay.example"),
        ("https://ada:secret@API.pay.example:8443/v1", "api.pay.example"),
        ("https://keys.{}.example/{}", "keys.*.example"),
        ("http://{}/items", "computed addresses"),
        ("https://api.{}", "computed addresses"),
        ("{}/items", "computed addresses"),
        (None, "computed addresses"),
    ],
)
def test_a_call_is_told_by_its_host_and_never_by_a_secret(url: str | None, name: str) -> None:
    assert [c.name for c in connections(calling(url))] == [name]


def test_calls_of_one_host_are_counted_and_those_of_tests_are_not() -> None:
    assert said(calling("https://a.example/1", "https://a.example/2")) == [("host", "a.example", "2 calls")]
    assert said(calling("https://a.example/1", role=Role.TEST)) == []


def test_work_and_workloads_are_connections() -> None:
    process = Process("celery", WorkloadKind.WORKER, "")

    def workload(name: str, platform: Platform, kind: WorkloadKind, image: str, dockerfile: str | None) -> Workload:
        is_built = dockerfile is not None
        return Workload(
            name,
            name,
            platform,
            kind,
            HERE,
            Role.PROD,
            process,
            image=image,
            built_here=is_built,
            dockerfile=dockerfile,
        )

    service = Service(
        "orders",
        ".",
        HERE,
        Role.PROD,
        tasks=(
            Task("a", "app:a", "Celery", HERE, Role.PROD),
            Task("b", "app:b", "Celery", HERE, Role.PROD, schedule="every hour"),
            Task("c", "app:c", "Celery", HERE, Role.PROD, queue="mail"),
        ),
        consumers=(Consumer("app:d", ("orders.created",), "Kafka", HERE, Role.PROD),),
        workloads=(
            workload("worker", Platform.COMPOSE, WorkloadKind.WORKER, "acme/orders", "Dockerfile"),
            workload("Dockerfile", Platform.DOCKERFILE, WorkloadKind.UNKNOWN, "python:3.12", "Dockerfile"),
            workload(
                "db", Platform.COMPOSE, WorkloadKind.INFRASTRUCTURE, "registry.example/postgres:16@sha256:0", None
            ),
            workload("someone-elses", Platform.COMPOSE, WorkloadKind.UNKNOWN, "acme/web", None),
        ),
    )
    assert said(service) == [
        ("container", "worker", "compose, worker"),
        ("messages", "orders.created", "Kafka, 1 consumer"),
        ("tasks", "Celery", "2 tasks, 1 by a schedule"),
        ("tasks", "Celery: mail", "1 task"),
        ("infrastructure", "db", "postgres:16, compose"),
    ]


def test_messages_are_connections_of_who_reads_and_of_who_sends_them() -> None:
    def sent(ordinal: int, library: str, destination: str | None, task: str | None) -> Message:
        handler = f"app:{task}" if task is not None else None
        return Message(library, "app:place", ordinal, "send", HERE, Role.PROD, task, handler, destination)

    service = Service(
        "orders",
        ".",
        HERE,
        Role.PROD,
        tasks=(Task("a", "app:a", "Celery", HERE, Role.PROD), Task("b", "app:b", "Celery", HERE, Role.PROD)),
        consumers=(Consumer("app:d", ("orders.created",), "Kafka", HERE, Role.PROD),),
        messages=(
            sent(1, "Kafka", "orders.created", None),
            sent(2, "Kafka", "orders.paid", None),
            sent(3, "SNS", None, None),
            sent(4, "Celery", None, "a"),
            sent(5, "Celery", None, "a"),
        ),
    )
    assert said(service) == [
        ("messages", "SNS", "1 producer"),
        ("messages", "orders.created", "Kafka, 1 consumer, 1 producer"),
        ("messages", "orders.paid", "Kafka, 1 producer"),
        ("tasks", "Celery", "2 tasks, sent at 2 places"),
    ]


def test_variables_that_hold_addresses_are_known_by_their_names() -> None:
    names = ("STOCK_API_ADDR", "STOCK_URL", "USER_SERVICE_HOST", "DATABASE_URL", "TIMEOUT", "API_KEY")
    settings = tuple(Setting(n, "environment", "app", HERE, Role.PROD, variables=(n,)) for n in names)
    service = Service("orders", ".", HERE, Role.PROD, settings=settings)
    assert set(address_variables(service)) == {"STOCK_API_ADDR", "STOCK_URL", "USER_SERVICE_HOST", "DATABASE_URL"}


def test_a_host_or_a_variable_with_the_name_of_a_service_is_that_service() -> None:
    host = Connection(ConnectionKind.HOST, "user-service.prod.svc", "2 calls")
    own = Connection(ConnectionKind.HOST, "orders", "1 call")
    found = with_services(
        {
            "orders": ((own, host), ("USERSERVICE_API_ADDR", "AUDIT_API_ADDR", "DATABASE_URL", "ORDERS_URL")),
            "user_service": ((), ()),
        }
    )
    assert found["user_service"] == ()
    assert [(c.kind.value, c.name, c.what) for c in found["orders"]] == [
        ("service", "user_service", "2 calls, address in USERSERVICE_API_ADDR"),
        ("host", "orders", "1 call"),
        ("address", "audit", "address in AUDIT_API_ADDR"),
    ]


def test_an_address_of_the_environment_leads_to_what_the_deployment_has_there() -> None:
    found = with_services(
        {"orders": ((), ("PEOPLE_ADDR", "STOCK_API_ADDR", "USERS_ADDR")), "users": ((), ())},
        {
            "orders": (
                Reached("PEOPLE_ADDR", "people", "services/users", 2),
                Reached("STOCK_API_ADDR", "warehouse", None, 0),
                Reached("USERS_ADDR", "users", None, 1),
            )
        },
        {"services/orders": "orders", "services/users": "users"},
    )
    assert [(c.kind.value, c.name, c.what) for c in found["orders"]] == [
        ("service", "users", "2 calls, address in PEOPLE_ADDR, 1 call, address in USERS_ADDR"),
        ("address", "warehouse", "address in STOCK_API_ADDR"),
    ]


def test_a_call_to_a_neighbour_is_told_with_the_neighbour() -> None:
    service = calling(None)
    call = service.outbound_calls[0].location
    reaching = replace(
        service, neighbours=(Neighbour(".", "USERS_ADDR", "users:80", "users", None, HERE, Role.PROD, (call,)),)
    )
    assert said(reaching) == []
    assert reached_by(reaching) == (Reached("USERS_ADDR", "users", None, 1),)
