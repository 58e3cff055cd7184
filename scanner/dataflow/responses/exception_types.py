"""Types of exceptions: whose texts were written for clients, and whose tell of what is inside the service."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Literal
from assay.scanner.readers.python import form

_DEEPEST = 3
"""Calls between what is tried and who raises."""


class Text(Enum):
    """What the text of an exception tells."""

    FOR_CLIENTS = "for clients"
    """The project wrote it, or a library that speaks of what the client sent."""
    OF_RAISER = "of its raiser"
    """Whoever raises it writes it: the project's own code, or what is below it."""
    INTERNAL = "internal"
    """It tells of tables, hosts, paths or code."""
    UNKNOWN = "unknown"


_ANYTHING = frozenset({"builtins.Exception", "builtins.BaseException"})
_OF_DATABASES = {
    "sqlalchemy": ("SQLAlchemyError", "DBAPIError"), "django": ("DatabaseError", "Error"),
    **dict.fromkeys(("psycopg", "psycopg2", "sqlite3", "pymysql", "MySQLdb"), ("Error", "DatabaseError")),
    "asyncpg": ("PostgresError",), "pymongo": ("PyMongoError",), "peewee": ("PeeweeException",),
}  # fmt: skip
_OF_RAISER = frozenset(
    """ValueError RuntimeError LookupError AssertionError NotImplementedError ArithmeticError KeyError TypeError Warning
    UserWarning UnicodeError UnicodeDecodeError UnicodeEncodeError OverflowError ZeroDivisionError""".split()
)
_INNER_LIBRARIES = frozenset(
    """sqlalchemy psycopg psycopg2 asyncpg pymysql MySQLdb mysql sqlite3 cx_Oracle oracledb pymongo motor redis aioredis
    requests httpx urllib urllib3 http socket ssl smtplib aiosmtplib ftplib subprocess botocore boto3 kombu pika
    aiokafka kafka elasticsearch opensearchpy ldap ldap3 paramiko grpc peewee tortoise docker kubernetes celery select
    multiprocessing concurrent""".split()
)
"""Libraries behind the service: their errors name hosts, statements, files."""
_ABSENT = frozenset(
    {"DoesNotExist", "ObjectDoesNotExist", "NoResultFound", "MultipleResultsFound", "DoesNotExistError"}
)
_CLIENT_LIBRARIES = frozenset(
    """pydantic pydantic_core marshmallow jsonschema webargs voluptuous cerberus wtforms werkzeug fastapi starlette
    flask quart rest_framework ninja litestar sanic falcon tornado bottle jwt jose itsdangerous email_validator
    phonenumbers croniter json simplejson orjson zoneinfo pytz dateutil decimal uuid binascii flask_restful
    flask_jwt_extended strawberry graphql graphene flask_smorest apiflask connexion pyparsing packaging trafaret schema
    colander quart_auth flask_login flask_httpauth authlib oauthlib oauth2_provider
    cattrs attrs django_filters apispec jinja2""".split()
)
"""Libraries whose errors speak of what the client sent."""


def caught_types(node: form.Expr | None, scope: Scope, project: Project) -> Iterator[ClassSymbol | External | None]:
    """What an `except` clause, or the registration of a handler, names; `Exception` for a bare clause."""
    if node is None:
        yield External("builtins.BaseException")
        return
    if isinstance(node, form.Display):
        for item in node.items:
            yield from caught_types(item, scope, project)
        return
    value = project.infer(node, scope)
    if isinstance(value, Literal) and isinstance(value.node, form.Display):
        for item in value.node.items:
            yield from caught_types(item, value.scope, project)
    else:
        yield value if isinstance(value, ClassSymbol | External) else None


def is_anything(raised: External) -> bool:
    """`Exception` and its base, behind which anything may be."""
    return raised.name in _ANYTHING


def is_anything_of_database(raised: External) -> bool:
    """The base of all errors of a database's library: around a change nothing else goes wrong."""
    package, name = raised.name.split(".", 1)[0], last_part(raised.name)
    return name in _OF_DATABASES.get(package, ())


def text_of(raised: ClassSymbol | External | None) -> Text:
    """What the text of such an exception tells."""
    if raised is None:
        return Text.UNKNOWN
    if isinstance(raised, ClassSymbol):
        return Text.FOR_CLIENTS
    package, name = raised.name.split(".", 1)[0], last_part(raised.name)
    if raised.name in _ANYTHING:
        return Text.INTERNAL
    if name in _ABSENT or package in _CLIENT_LIBRARIES:
        return Text.FOR_CLIENTS
    if package == "django":
        return Text.INTERNAL if raised.name.startswith("django.db") else Text.FOR_CLIENTS
    if package == "aiohttp":
        return Text.FOR_CLIENTS if raised.name.startswith("aiohttp.web") else Text.INTERNAL
    if package == "builtins":
        return Text.OF_RAISER if name in _OF_RAISER else Text.INTERNAL
    if package in _INNER_LIBRARIES:
        return Text.INTERNAL
    return Text.FOR_CLIENTS if {"validation", "invalid"} & set(words(name)) else Text.UNKNOWN


def writes_text(tried: list[form.Stmt], raised: External, scope: Scope, project: Project) -> bool | None:
    """Whether the project itself raises that in what is tried, with a text of its own; None where it can't be told.

    False where only conversions of the standard library do, which speak of what they were given.
    """
    calls = [n for n in form.walk_body(tried, into_definitions=False) if isinstance(n, form.Call)]
    callees = [project.callee_function(call, scope) for call in calls]
    name = last_part(raised.name)
    if any(callee is not None and _raises(callee, name, _DEEPEST, project) for callee in callees):
        return True
    own = any(
        isinstance(n, form.Raise) and _is_raise_of(n, name) for n in form.walk_body(tried, into_definitions=False)
    )
    if own:
        return True
    is_known = all(
        callee is not None or (project.callee_name(call, scope) or "").split(".", 1)[0] in _CONVERTING
        for call, callee in zip(calls, callees, strict=True)
    )
    return False if is_known else None


_CONVERTING = frozenset(
    {"builtins", "datetime", "uuid", "json", "decimal", "ipaddress", "zoneinfo", "base64", "binascii"}
)


@remembered
def _raises(function: FunctionSymbol, name: str, depth: int, project: Project) -> bool:
    if any(isinstance(n, form.Raise) and _is_raise_of(n, name) for n in function.nodes):
        return True
    if not depth:
        return False
    callees = (project.callee_function(n, function.scope) for n in function.nodes if isinstance(n, form.Call))
    return any(_raises(c, name, depth - 1, project) for c in callees if c is not None and c is not function)


def _is_raise_of(node: form.Raise, name: str) -> bool:
    exc = node.exc
    return isinstance(exc, form.Call) and last_name(exc.func) == name
