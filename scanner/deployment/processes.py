"""The process command model: which server a command line starts, on which port, and how it drains.

Defaults follow the servers' documentation: gunicorn 27, uvicorn 0.54, hypercorn 0.18, daphne 4.2, granian 2.7.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from assay.scanner.model.workload import Drain, Lanes, Process, WorkloadKind
from assay.scanner.readers.variables import expand, is_resolved

_WORKERS = "WEB_CONCURRENCY"
"""By which Gunicorn and Uvicorn are told how many processes to start, unless a flag says so."""
GUNICORN_GRACEFUL_TIMEOUT = 30.0
HYPERCORN_GRACEFUL_TIMEOUT = 3.0

_LANES = {"daphne": Lanes.LOOP, "waitress": Lanes.MANY}
"""Of servers that no flag gives more: Daphne is one process, Waitress has four threads."""

INFRASTRUCTURE_PROGRAMS = frozenset(
    [
        "redis-server",
        "valkey-server",
        "postgres",
        "mysqld",
        "mariadbd",
        "mongod",
        "rabbitmq-server",
        "memcached",
        "minio",
        "nginx",
        "caddy",
        "httpd",
        "haproxy",
        "traefik",
        "envoy",
        "pgbouncer",
        "etcd",
        "consul",
        "vault",
    ]
)
LOAD_GENERATORS = frozenset({"locust", "k6", "vegeta", "artillery", "ab", "wrk"})
JOB_PROGRAMS = frozenset(
    [
        "alembic",
        "aerich",
        "pip",
        "uv",
        "poetry",
        "npm-ci",
        "echo",
        "true",
        "false",
        "sleep",
        "mkdir",
        "chmod",
        "chown",
        "cp",
        "mv",
        "rm",
        "cat",
        "ls",
        "export",
        "set",
        "source",
        ".",
        "cd",
        "test",
        "[",
        "[[",
        "curl",
        "wget",
        "psql",
        "pg_dump",
        "pg_isready",
        "createdb",
        "pytest",
        "tox",
        "coverage",
        "wait-for",
        "wait-for-it.sh",
        "exit",
        "printf",
        "pre-commit",
        "mypy",
        "ruff",
        "black",
        "flake8",
        "python-wait",
        "envsubst",
        "aws",
        "gcloud",
        "kubectl",
        "date",
        "touch",
        "ln",
        "sed",
        "awk",
        "grep",
        "read",
        "until",
        "unset",
        "eval",
        "trap",
        "wait",
        "shift",
    ]
)
SUPERVISORS = frozenset({"supervisord", "honcho", "foreman", "overmind", "circusd", "s6-svscan", "runsvdir"})
"""They take the signal and stop their children."""

MANAGEMENT_WORKERS = frozenset(
    {"rqworker", "rqworker-pool", "rqscheduler", "qcluster", "process_tasks", "run_huey", "runworker"}
)
MANAGEMENT_WORKERS_OF_PACKAGES = frozenset({"celery", "db_worker", "rundramatiq", "procrastinate"})
MANAGEMENT_JOBS = frozenset(
    [
        "migrate",
        "makemigrations",
        "collectstatic",
        "createsuperuser",
        "loaddata",
        "dumpdata",
        "check",
        "compilemessages",
        "shell",
        "dbshell",
        "test",
        "flush",
        "wait_for_db",
        "createcachetable",
        "clearsessions",
        "compress",
        "seed",
    ]
)


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What a command line is read against: environment variables that are known, and configuration files that may
    say what its flags don't (`gunicorn.conf.py` is read without being named).
    """

    env: Mapping[str, str]
    has_gunicorn_conf: bool = False


def classify(words: Sequence[str], context: CommandContext) -> Process:
    """What the command runs; a command that isn't known is UNKNOWN, not guessed."""
    words = unwrapped([expand(w, context.env) for w in words])
    text = " ".join(words)
    if not words:
        return Process(None, WorkloadKind.UNKNOWN, text)
    development = any(w in ("--reload", "--auto-reload") or w.startswith("--reload=") for w in words)
    program, rest = _program(words)
    process = _by_program(program, rest, context)
    return replace(process, text=text, is_development_server=process.is_development_server or development)


def _program(words: list[str]) -> tuple[str, list[str]]:
    """The program's bare name and its arguments, seen through `python -m` and `python /venv/bin/x`."""
    program, rest = words[0].rsplit("/", 1)[-1], words[1:]
    if re.fullmatch(r"(python|pypy)[\d.]*", program):
        while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c"):
            rest = rest[2:] if rest[0] in ("-W", "-X") else rest[1:]
        if rest[:1] == ["-m"] and len(rest) > 1:
            return rest[1].partition(".")[0] if rest[1] != "http.server" else "http.server", rest[2:]
        if rest and rest[0].rsplit("/", 1)[-1] in ("manage.py", *SERVERS):
            return rest[0].rsplit("/", 1)[-1], rest[1:]
        return "python", rest
    return program, rest


def _by_program(program: str, rest: list[str], context: CommandContext) -> Process:
    if program in SERVERS:
        return SERVERS[program](rest, context)
    if program in INFRASTRUCTURE_PROGRAMS:
        return Process(program, WorkloadKind.INFRASTRUCTURE, "")
    if program in LOAD_GENERATORS:
        return Process(program, WorkloadKind.LOAD_GENERATOR, "")
    if program in SUPERVISORS:
        return Process(program, WorkloadKind.UNKNOWN, "")
    if program in ("watchmedo", "nodemon", "watchfiles"):
        return Process(program, WorkloadKind.UNKNOWN, "", is_development_server=True)
    if program == "tail" or (program == "sleep" and rest[:1] == ["infinity"]):
        return Process(program, WorkloadKind.UNKNOWN, "", is_development_server=True)
    if program in JOB_PROGRAMS:
        return Process(program, WorkloadKind.JOB, "")
    return Process(None, WorkloadKind.UNKNOWN, "")


def _gunicorn(rest: list[str], context: CommandContext) -> Process:
    given = context.env.get("GUNICORN_CMD_ARGS", "")
    rest = [*_split(given), *rest]
    configured = context.has_gunicorn_conf or _flag(rest, "-c", "--config") is not None
    bind = _flag(rest, "-b", "--bind")
    if bind is None and not configured:
        bind = f"0.0.0.0:{context.env['PORT']}" if "PORT" in context.env else "127.0.0.1:8000"
    stated = _number(_flag(rest, "--graceful-timeout"))
    drain = stated if stated is not None else None if configured else GUNICORN_GRACEFUL_TIMEOUT
    return Process(
        "gunicorn",
        WorkloadKind.WEB,
        "",
        port=_port(bind),
        workers=_integer(_flag(rest, "-w", "--workers") or context.env.get(_WORKERS)),
        drain=Drain.UNKNOWN if drain is None else Drain.BOUNDED,
        drain_seconds=drain,
        drain_is_stated=stated is not None,
        lanes=_gunicorn_lanes(rest, context, configured=configured),
    )


def _gunicorn_lanes(rest: Sequence[str], context: CommandContext, *, configured: bool) -> Lanes:
    """https://docs.gunicorn.org/en/stable/design.html: one worker of one thread, unless it is told otherwise."""
    workers, threads = _flag(rest, "-w", "--workers") or context.env.get(_WORKERS), _flag(rest, "--threads")
    if _times(rest, "-w", "--workers") > 1:
        return Lanes.CONTRADICTORY
    counts = [_integer(text) for text in (workers, threads) if text is not None]
    if any(count is not None and count > 1 for count in counts):
        return Lanes.MANY
    if configured or None in counts:
        return Lanes.ELSEWHERE
    kind = (_flag(rest, "-k", "--worker-class") or "sync").rpartition(".")[2].lower()
    if kind in ("gevent", "eventlet", "geventwebsocketworker", "ggeventworker", "eventletworker", "tornado"):
        return Lanes.MANY
    return Lanes.LOOP if "uvicorn" in kind or "asgi" in kind else Lanes.ONE if kind == "sync" else Lanes.UNKNOWN


def _loop_lanes(workers: str | None, *, configured: bool = False) -> Lanes:
    """Of a server that runs one event loop in each of its processes."""
    count = _integer(workers) if workers is not None else None if configured else 1
    return Lanes.ELSEWHERE if count is None else Lanes.MANY if count > 1 else Lanes.LOOP


def _uvicorn(rest: list[str], context: CommandContext) -> Process:
    port = _flag(rest, "--port") or context.env.get("UVICORN_PORT") or "8000"
    seconds = _number(_flag(rest, "--timeout-graceful-shutdown"))
    return Process(
        "uvicorn",
        WorkloadKind.WEB,
        "",
        port=None if _flag(rest, "--uds", "--fd") else _port(port),
        workers=_integer(_flag(rest, "--workers") or context.env.get(_WORKERS)),
        drain=Drain.UNBOUNDED if seconds is None else Drain.BOUNDED,
        drain_seconds=seconds,
        drain_is_stated=seconds is not None,
        lanes=_loop_lanes(_flag(rest, "--workers") or context.env.get(_WORKERS)),
    )


def _fastapi(rest: list[str], context: CommandContext) -> Process:
    if rest[:1] not in (["run"], ["dev"]):
        return Process(None, WorkloadKind.UNKNOWN, "")
    served = _uvicorn(rest[1:], context)
    return replace(served, server="fastapi run", is_development_server=rest[0] == "dev")


def _hypercorn(rest: list[str], context: CommandContext) -> Process:  # noqa: ARG001
    configured = _flag(rest, "-c", "--config") is not None
    stated = _number(_flag(rest, "--graceful-timeout"))
    drain = stated if stated is not None else None if configured else HYPERCORN_GRACEFUL_TIMEOUT
    bind = _flag(rest, "-b", "--bind") or (None if configured else "127.0.0.1:8000")
    return Process(
        "hypercorn",
        WorkloadKind.WEB,
        "",
        port=_port(bind),
        drain=Drain.UNKNOWN if drain is None else Drain.BOUNDED,
        drain_seconds=drain,
        drain_is_stated=stated is not None,
        lanes=_loop_lanes(_flag(rest, "-w", "--workers"), configured=configured),
    )


def _times(words: Sequence[str], *names: str) -> int:
    """How often a flag is given."""
    short = tuple(n for n in names if not n.startswith("--"))
    is_it = (
        w in names or w.startswith(tuple(f"{n}=" for n in names)) or (w.startswith(short) and w[:2] != "--")
        for w in words
    )
    return sum(is_it)


def _web(name: str, default_port: str | None, *port_flags: str) -> Callable[[list[str], CommandContext], Process]:
    def build(rest: list[str], context: CommandContext) -> Process:  # noqa: ARG001
        lanes = _LANES.get(name, Lanes.UNKNOWN)
        if name == "granian":
            lanes = _loop_lanes(_flag(rest, "--workers"))
        return Process(name, WorkloadKind.WEB, "", port=_port(_flag(rest, *port_flags) or default_port), lanes=lanes)

    return build


def _flask(rest: list[str], context: CommandContext) -> Process:
    verbs = [w for w in rest if not w.startswith("-")]
    if "run" not in verbs:
        return Process("flask", WorkloadKind.JOB, "") if "db" in verbs else Process(None, WorkloadKind.UNKNOWN, "")
    port = _flag(rest, "-p", "--port") or context.env.get("FLASK_RUN_PORT") or "5000"
    switched_on = context.env.get("FLASK_DEBUG", "0").lower() not in ("0", "false", "no", "")
    development = context.env.get("FLASK_ENV") == "development"  # of Flask before 2.3
    debug = "--debug" in rest or "--debugger" in rest or switched_on or development
    return Process("flask run", WorkloadKind.WEB, "", port=_port(port), is_development_server=debug)


def _manage(rest: list[str], context: CommandContext) -> Process:
    verb, arguments = (rest[0], rest[1:]) if rest else ("", [])
    if verb in ("runserver", "runserver_plus"):
        address = next((a for a in arguments if not a.startswith("-")), "8000")
        return Process("runserver", WorkloadKind.WEB, "", port=_port(address), is_development_server=True)
    if verb == "celery":
        return _celery(arguments, context)
    if verb in MANAGEMENT_WORKERS or verb in MANAGEMENT_WORKERS_OF_PACKAGES:
        return Process(f"manage.py {verb}", WorkloadKind.WORKER, "", drain=Drain.UNBOUNDED)
    if verb in MANAGEMENT_JOBS or verb.startswith(("wait_for", "create", "init", "load", "import", "migrate", "clear")):
        return Process(f"manage.py {verb}", WorkloadKind.JOB, "")
    if verb == "rq" and arguments[:1] in (["worker"], ["scheduler"]):
        return Process("rq", WorkloadKind.WORKER, "", drain=Drain.UNBOUNDED)
    return Process(None, WorkloadKind.UNKNOWN, "")


def _celery(rest: list[str], context: CommandContext) -> Process:
    verb = next((w for w in rest if w in ("worker", "beat", "flower", "multi", "inspect", "call", "control")), None)
    if verb == "worker":
        if "REMAP_SIGTERM" in context.env:  # cold shutdown: tasks are not waited for
            return Process("celery", WorkloadKind.WORKER, "")
        limit = _number(_flag(rest, "--time-limit"))
        drain = Drain.UNBOUNDED if limit is None else Drain.BOUNDED
        return Process(
            "celery", WorkloadKind.WORKER, "", drain=drain, drain_seconds=limit, drain_is_stated=limit is not None
        )
    if verb == "beat":
        return Process("celery beat", WorkloadKind.WORKER, "", drain=Drain.BOUNDED, drain_seconds=0.0)
    if verb == "flower":
        return Process("flower", WorkloadKind.WEB, "", port=_port(_flag(rest, "--port") or "5555"))
    return Process(None, WorkloadKind.UNKNOWN if verb == "multi" else WorkloadKind.JOB, "")


def _worker(name: str) -> Callable[[list[str], CommandContext], Process]:
    def build(rest: list[str], context: CommandContext) -> Process:  # noqa: ARG001
        return Process(name, WorkloadKind.WORKER, "", drain=Drain.UNKNOWN)

    return build


def _rq(rest: list[str], context: CommandContext) -> Process:  # noqa: ARG001
    if rest[:1] in (["worker"], ["worker-pool"], ["scheduler"]):
        return Process("rq", WorkloadKind.WORKER, "", drain=Drain.UNBOUNDED)
    return Process("rq", WorkloadKind.JOB, "")


SERVERS: Mapping[str, Callable[[list[str], CommandContext], Process]] = {
    "gunicorn": _gunicorn,
    "uvicorn": _uvicorn,
    "fastapi": _fastapi,
    "hypercorn": _hypercorn,
    "daphne": _web("daphne", "8000", "-p", "--port"),
    "granian": _web("granian", "8000", "--port"),
    "uwsgi": _web("uwsgi", None, "--http", "--http-socket", "--https", "--http11-socket"),
    "waitress-serve": _web("waitress", "8080", "--port", "--listen"),
    "http.server": _web("http.server", None),
    "flask": _flask,
    "manage.py": _manage,
    "django-admin": _manage,
    "celery": _celery,
    "rq": _rq,
    "rqworker": _worker("rq"),
    "rqscheduler": _worker("rq"),
    "arq": _worker("arq"),
    "dramatiq": _worker("dramatiq"),
    "huey_consumer": _worker("huey"),
    "huey_consumer.py": _worker("huey"),
    "taskiq": _worker("taskiq"),
    "procrastinate": _worker("procrastinate"),
}


# --- words -----------------------------------------------------------------------------------------------------------

RUNNERS = {
    ("uv", "run"): frozenset(
        {"--project", "--directory", "--group", "--extra", "--with", "--env-file", "--package", "-p"}
    ),
    ("poetry", "run"): frozenset({"-C", "--directory"}),
    ("pipenv", "run"): frozenset(),
    ("pdm", "run"): frozenset({"-p"}),
    ("hatch", "run"): frozenset(),
    ("newrelic-admin", "run-program"): frozenset(),
}
"""Programs that run another in an environment, and their options that take a value."""

WRAPPERS = frozenset(
    {"opentelemetry-instrument", "ddtrace-run", "nice", "ionice", "stdbuf", "time", "chpst", "doppler"}
)
DROPPERS = frozenset({"gosu", "su-exec", "setpriv", "s6-setuidgid"})
"""They take a user and then replace themselves with the command."""
WAITERS = frozenset({"wait-for", "wait-for.sh", "wait-for-it", "wait-for-it.sh", "dockerize", "wait", "wait4ports"})
"""They wait for a host and then `exec` what follows `--`."""
INITS = frozenset({"tini", "tini-static", "dumb-init", "catatonit", "docker-init", "init"})


def unwrapped(words: Sequence[str]) -> list[str]:
    """The command without the programs that only prepare it and then become it."""
    rest = list(words)
    while rest:
        shorter = _without_wrapper(rest)
        if shorter == rest:
            return rest
        rest = shorter
    return rest


def _without_wrapper(words: list[str]) -> list[str]:
    name = words[0].rsplit("/", 1)[-1]
    if name == "env":
        rest = words[1:]
        while rest and (rest[0].startswith("-") or "=" in rest[0]):
            rest = rest[2:] if rest[0] in ("-u", "-C") else rest[1:]
        return rest
    if name in DROPPERS:
        rest = [w for w in words[1:] if not w.startswith("-") or w == "--"] if name == "setpriv" else words[1:]
        return rest if name == "setpriv" else rest[1:]
    if name in WAITERS and "--" in words:
        return words[words.index("--") + 1 :]
    if name in INITS:
        return init_removed(words)
    if name in WRAPPERS:
        rest = words[1:]
        while rest and rest[0].startswith("-"):
            rest = rest[1:]
        return rest or words
    options = RUNNERS.get((name, words[1] if len(words) > 1 else ""))
    if options is not None:
        return _after_options(words[2:], options) or words
    return words


def _after_options(words: list[str], with_value: frozenset[str]) -> list[str]:
    rest = words
    while rest and rest[0].startswith("-"):
        if rest[0] == "--":
            return rest[1:]
        rest = rest[2:] if rest[0] in with_value else rest[1:]
    return rest


def init_removed(words: list[str]) -> list[str]:
    """`tini -g -- cmd` and `dumb-init cmd` without the init."""
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        if rest[0] == "--":
            return rest[1:]
        rest = rest[2:] if rest[0] in ("-e", "-p", "-r", "--rewrite") else rest[1:]
    return rest


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _flag(words: Sequence[str], *names: str) -> str | None:
    """The value of an option, the last one that is given: `-b X`, `-bX`, `--bind X`, `--bind=X`."""
    found: str | None = None
    for index, word in enumerate(words):
        for name in names:
            if word == name and index + 1 < len(words):
                found = words[index + 1]
            elif word.startswith(name + "="):
                found = word[len(name) + 1 :]
            elif len(name) == 2 and name[0] == "-" and word.startswith(name) and len(word) > 2 and word[1] != "-":
                found = word[2:]
    return found


def _port(address: str | None) -> int | None:
    """The port at the end of an address; None for sockets and for what isn't resolved."""
    if address is None or not is_resolved(address) or address.startswith(("unix:", "fd:", "/")):
        return None
    match = re.search(r"(?:^|:)(\d{1,5})$", address)
    return int(match[1]) if match is not None else None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d+(\.\d+)?", text) else None


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
