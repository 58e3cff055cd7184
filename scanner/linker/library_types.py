"""What calls of library functions and methods give back, where a later stage has to know."""

from __future__ import annotations

_RETURNS = {
    # DB-API (PEP 249): connect() gives a connection, cursor() a cursor
    "sqlite3.connect": "dbapi.Connection",
    "psycopg2.connect": "dbapi.Connection",
    "psycopg.connect": "dbapi.Connection",
    "psycopg.Connection.connect": "dbapi.Connection",
    "psycopg.AsyncConnection.connect": "dbapi.Connection",
    "pymysql.connect": "dbapi.Connection",
    "MySQLdb.connect": "dbapi.Connection",
    "mysql.connector.connect": "dbapi.Connection",
    "aiomysql.connect": "dbapi.Connection",
    "aiosqlite.connect": "dbapi.Connection",
    "aiopg.connect": "dbapi.Connection",
    "pyodbc.connect": "dbapi.Connection",
    "oracledb.connect": "dbapi.Connection",
    "cx_Oracle.connect": "dbapi.Connection",
    "pymssql.connect": "dbapi.Connection",
    "pg8000.connect": "dbapi.Connection",
    "duckdb.connect": "dbapi.Connection",
    "snowflake.connector.connect": "dbapi.Connection",
    "psycopg2.pool.ThreadedConnectionPool": "dbapi.Pool",
    "psycopg2.pool.SimpleConnectionPool": "dbapi.Pool",
    "psycopg_pool.ConnectionPool": "dbapi.Pool",
    "psycopg_pool.AsyncConnectionPool": "dbapi.Pool",
    "aiopg.create_pool": "dbapi.Pool",
    "aiomysql.create_pool": "dbapi.Pool",
    "dbapi.Pool.getconn": "dbapi.Connection",
    "dbapi.Pool.connection": "dbapi.Connection",
    "dbapi.Pool.acquire": "dbapi.Connection",
    "dbapi.Connection.cursor": "dbapi.Cursor",
    "dbapi.Connection.execute": "dbapi.Cursor",
    "django.db.connection.cursor": "dbapi.Cursor",
    "asyncpg.connect": "asyncpg.Connection",
    "asyncpg.create_pool": "asyncpg.Pool",
    "asyncpg.Pool.acquire": "asyncpg.Connection",
    # SQLAlchemy
    "sqlalchemy.create_engine": "sqlalchemy.Engine",
    "sqlalchemy.ext.asyncio.create_async_engine": "sqlalchemy.Engine",
    "sqlmodel.create_engine": "sqlalchemy.Engine",
    "sqlalchemy.Engine.connect": "sqlalchemy.Connection",
    "sqlalchemy.Engine.begin": "sqlalchemy.Connection",
    "sqlalchemy.orm.sessionmaker": "sqlalchemy.orm.sessionmaker",
    "sqlalchemy.orm.sessionmaker.__call__": "sqlalchemy.orm.Session",
    "sqlalchemy.orm.sessionmaker.begin": "sqlalchemy.orm.Session",
    "sqlalchemy.ext.asyncio.async_sessionmaker": "sqlalchemy.orm.sessionmaker",
    "sqlalchemy.orm.scoped_session": "sqlalchemy.orm.scoped_session",
    "sqlalchemy.orm.scoped_session.__call__": "sqlalchemy.orm.Session",
    # loggers
    "logging.getLogger": "logging.Logger",
    "logging.Logger.getChild": "logging.Logger",
    "logging.LoggerAdapter": "logging.Logger",
    "celery.utils.log.get_task_logger": "logging.Logger",
    "structlog.get_logger": "structlog.BoundLogger",
    "structlog.getLogger": "structlog.BoundLogger",
    "structlog.stdlib.get_logger": "structlog.BoundLogger",
    "structlog.BoundLogger.bind": "structlog.BoundLogger",
    "structlog.BoundLogger.new": "structlog.BoundLogger",
    "structlog.BoundLogger.unbind": "structlog.BoundLogger",
    "loguru.logger.bind": "loguru.logger",
    "loguru.logger.opt": "loguru.logger",
    "loguru.logger.patch": "loguru.logger",
    "logbook.Logger": "logbook.Logger",
    "absl.logging.get_absl_logger": "logging.Logger",
    "celery.utils.log.get_logger": "logging.Logger",
    "kombu.log.get_logger": "logging.Logger",
    "multiprocessing.get_logger": "logging.Logger",
    "multiprocessing.log_to_stderr": "logging.Logger",
    "oslo_log.log.getLogger": "logging.Logger",
    "prefect.get_run_logger": "logging.Logger",
    "structlog.wrap_logger": "structlog.BoundLogger",
    "structlog.BoundLogger.try_unbind": "structlog.BoundLogger",
    "loguru.logger.contextualize": "loguru.logger",
}

_SAME_TYPE = {
    "sqlite3.Connection": "dbapi.Connection",
    "sqlite3.Cursor": "dbapi.Cursor",
    "psycopg2.extensions.connection": "dbapi.Connection",
    "psycopg2.extensions.cursor": "dbapi.Cursor",
    "psycopg.Connection": "dbapi.Connection",
    "psycopg.AsyncConnection": "dbapi.Connection",
    "psycopg.Cursor": "dbapi.Cursor",
    "psycopg.AsyncCursor": "dbapi.Cursor",
    "aiosqlite.Connection": "dbapi.Connection",
    "aiosqlite.Cursor": "dbapi.Cursor",
    "aiopg.connection.Connection": "dbapi.Connection",
    "aiopg.Connection": "dbapi.Connection",
    "aiopg.Cursor": "dbapi.Cursor",
    "aiomysql.Connection": "dbapi.Connection",
    "pymysql.connections.Connection": "dbapi.Connection",
    "asyncpg.pool.Pool": "asyncpg.Pool",
    "asyncpg.connection.Connection": "asyncpg.Connection",
    "sqlalchemy.engine.Engine": "sqlalchemy.Engine",
    "sqlalchemy.engine.Connection": "sqlalchemy.Connection",
    "sqlalchemy.engine.base.Engine": "sqlalchemy.Engine",
    "sqlalchemy.engine.base.Connection": "sqlalchemy.Connection",
    "sqlalchemy.ext.asyncio.AsyncEngine": "sqlalchemy.Engine",
    "sqlalchemy.ext.asyncio.AsyncConnection": "sqlalchemy.Connection",
    "sqlalchemy.ext.asyncio.AsyncSession": "sqlalchemy.orm.Session",
    "sqlalchemy.orm.session.Session": "sqlalchemy.orm.Session",
    "sqlmodel.Session": "sqlalchemy.orm.Session",
    "sqlmodel.ext.asyncio.session.AsyncSession": "sqlalchemy.orm.Session",
    "structlog.stdlib.BoundLogger": "structlog.BoundLogger",
    "structlog.stdlib.AsyncBoundLogger": "structlog.BoundLogger",
    "structlog.typing.BindableLogger": "structlog.BoundLogger",
    "loguru.Logger": "loguru.logger",
    "loguru._logger.Logger": "loguru.logger",
    "structlog.types.FilteringBoundLogger": "structlog.BoundLogger",
    "structlog.typing.FilteringBoundLogger": "structlog.BoundLogger",
    "flask.app.Flask": "flask.Flask",
    "flask.blueprints.Blueprint": "flask.Blueprint",
    "fastapi.routing.APIRouter": "fastapi.APIRouter",
    "fastapi.applications.FastAPI": "fastapi.FastAPI",
}


def canonical(name: str) -> str:
    """One name for a library object that has several."""
    return _SAME_TYPE.get(name, name)


def result_of_call(callee: str) -> str:
    """The type of what calling `callee` gives; an unlisted function's result bears the function's own name."""
    return _RETURNS.get(callee, canonical(callee))


def result_of_instance_call(type_name: str) -> str | None:
    """The type of what calling an instance gives: `sessionmaker(...)()` is a session."""
    return _RETURNS.get(f"{type_name}.__call__")
