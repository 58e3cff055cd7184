"""The logging part of the model: which calls log, how their texts come about, what handlers do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.dataflow.blocks import ModuleBlocks
from assay.scanner.dataflow.log_config import logging_setups
from assay.scanner.dataflow.log_files import file_sinks
from assay.scanner.dataflow.logs import Logs, link_logs
from assay.scanner.framework import Context
from assay.scanner.model.log import HandlerEffect, LogFormat, MessageForm
from assay.scanner.readers.python import form
from tests.projects import project_of


def logs_of(text: str, **modules: str) -> Logs:
    return link_logs(project_of({"app.py": text, **{f"{name}.py": body for name, body in modules.items()}}))


HEAD = "import logging\nlog = logging.getLogger(__name__)\nNAME = 'x'\ndef f(a, b):\n    log.info({})\n"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("'text'", MessageForm.CONSTANT),
        ("'two ' 'parts'", MessageForm.CONSTANT),
        ("'two ' + 'parts'", MessageForm.CONSTANT),
        ("f'no holes'", MessageForm.CONSTANT),
        ("NAME", MessageForm.CONSTANT),
        ("'%s', a", MessageForm.CONSTANT),
        ("f'{a}'", MessageForm.INTERPOLATED),
        ("'x' f'{a}'", MessageForm.INTERPOLATED),
        ("'%s' % a", MessageForm.INTERPOLATED),
        ("'{}'.format(a)", MessageForm.INTERPOLATED),
        ("NAME.format(a)", MessageForm.INTERPOLATED),
        ("'x' + a", MessageForm.INTERPOLATED),
        ("'x' if a else f'{b}'", MessageForm.INTERPOLATED),
        ("a", MessageForm.VARIABLE),
        ("a + b", MessageForm.VARIABLE),
        ("a % b", MessageForm.VARIABLE),
        ("str(a)", MessageForm.VARIABLE),
        ("*a", MessageForm.VARIABLE),
    ],
)
def test_how_a_message_comes_about(message: str, expected: MessageForm) -> None:
    (call,) = logs_of(HEAD.format(message)).log_calls
    assert call.form is expected


@pytest.mark.parametrize(
    ("setup", "call", "library"),
    [
        ("import logging", "logging.info('x')", "logging"),
        ("from logging import getLogger\nl = getLogger()", "l.info('x')", "logging"),
        ("import logging\nl = logging.LoggerAdapter(logging.getLogger(), {})", "l.info('x')", "logging"),
        ("from flask import current_app", "current_app.logger.info('x')", "logging"),
        ("from celery.utils.log import get_task_logger\nl = get_task_logger('x')", "l.info('x')", "logging"),
        ("import structlog\nl = structlog.get_logger().bind(a=1)", "l.info('x')", "structlog"),
        ("from loguru import logger", "logger.opt(lazy=True).success('x')", "loguru"),
        ("import logbook\nl = logbook.Logger('x')", "l.notice('x')", "logbook"),
        ("from acme import log", "log.info('x')", None),
    ],
)
def test_loggers(setup: str, call: str, library: str | None) -> None:
    (found,) = logs_of(f"{setup}\ndef f():\n    {call}\n").log_calls
    assert found.library == library


@pytest.mark.parametrize(
    "text",
    [
        "import math\nmath.log(2)",
        "def log(name): ...\nlog('x')",
        "from django.contrib import messages\nmessages.error(1, 'x')",
        "class Log:\n    def info(self, text): ...\nlog = Log()\nlog.info('x')",
        "class Job:\n    def log(self, text): ...\n    def run(self):\n        self.log('x')",
        "results = {}\nresults.error('x')",
    ],
)
def test_no_loggers(text: str) -> None:
    assert logs_of(text).log_calls == ()


def test_a_log_call_knows_its_handler_and_ids_are_stable() -> None:
    text = """
        import logging
        log = logging.getLogger(__name__)
        def f():
            log.info("a")
            try:
                g()
            except Exception:
                log.error("b", exc_info=True)
    """
    first, second = logs_of(text).log_calls
    (handler,) = logs_of(text).except_handlers
    assert (first.handler, second.handler) == (None, handler.subject_id)
    assert (first.has_traceback, second.has_traceback) == (False, True)
    moved = logs_of("\n\n# moved\n" + text.replace("\n        ", "\n")).log_calls
    assert [c.subject_id for c in moved] == [first.subject_id, second.subject_id]


BODY = """import logging, sys
log = logging.getLogger()
def f(self, errors):
    try:
        g()
    except Exception as e:
        {}
"""
HEADERS = ["if a:", "for a in b:", "while a:", "with a:", "try:", "def f():", "class C:"]


@pytest.mark.parametrize(
    ("body", "effect"),
    [
        ("raise", HandlerEffect.RAISES),
        ("self.retry()", HandlerEffect.RAISES),
        ("log.error('x')", HandlerEffect.LOGS),
        ("sys.exit(1)", HandlerEffect.EXITS),
        ("print(e)", HandlerEffect.PRINTS),
        ("self.metric.inc()", HandlerEffect.COUNTS),
        ("errors.append(e)", HandlerEffect.ANSWERS),
        ("return {'error': 'x'}", HandlerEffect.ANSWERS),
        ("return 'x', 404", HandlerEffect.REFUSES),
        ("return 'x', 503", HandlerEffect.ANSWERS),
        ("pass", None),
        ("return None", None),
        ("if 'x' in str(e): pass", None),
        ("if settings.DEBUG: raise", None),
        ("self.cache = None", None),
        ("lambda: print(e)", None),
    ],
)
def test_what_a_handler_does(body: str, effect: HandlerEffect | None) -> None:
    (handler,) = logs_of(BODY.format(body)).except_handlers
    assert (handler.effects[0][0] if handler.effects else None) is effect


@given(st.lists(st.sampled_from(HEADERS), max_size=6))
def test_the_innermost_block_is_the_one_the_statement_stands_in(headers: list[str]) -> None:
    lines = [f"{'    ' * depth}{header}\n" for depth, header in enumerate(headers)]
    lines.append("    " * len(headers) + "mark()\n")
    tries = [depth for depth in reversed(range(len(headers))) if headers[depth] == "try:"]
    lines.extend(f"{'    ' * depth}finally:\n{'    ' * depth}    pass\n" for depth in tries)
    project = project_of({"app.py": "".join(lines)})
    module = project.modules["app.py"]
    (call,) = [c for c, _ in module.calls if isinstance(c.func, form.Name) and c.func.id == "mark"]
    block = ModuleBlocks(module).innermost(call.start)
    assert any(s.start == call.start for s in block.body)
    assert len(list(block.outwards())) == len(headers) + 1


def test_a_json_format_string_in_a_file_is_no_json() -> None:
    ini = (
        b"[loggers]\nkeys=root\n[handlers]\nkeys=c\n[formatters]\nkeys=g\n[logger_root]\nhandlers=c\n"
        b'[formatter_g]\nformat={"message": "%(message)s"}\n'
    )
    (sink,) = file_sinks({"logging.conf": ini, "alembic.ini": b"[alembic]\n" + ini, "other.ini": b"[x]\ny=1\n"})
    assert (sink.format, sink.evidence.location.line) == (LogFormat.FORMATTED_JSON, 10)


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        (
            "logging.yaml",
            b"version: 1\nhandlers: {}\nformatters:\n  j:\n    (): pythonjsonlogger.json.JsonFormatter\n",
            LogFormat.MACHINE,
        ),
        ("logging.json", b'{"handlers": {}, "formatters": {"p": {"format": "%(message)s"}}}', LogFormat.PLAIN),
    ],
)
def test_dictionaries_in_files(path: str, data: bytes, expected: LogFormat) -> None:
    assert [s.format for s in file_sinks({path: data})] == [expected]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{", b"a: [", b"[x"])
def test_files_that_are_something_else(data: bytes) -> None:
    assert list(file_sinks({"a.yaml": data, "a.json": data, "a.ini": data})) == []


def test_every_process_kind_has_one_setup() -> None:
    project = project_of(
        {
            "web.py": "from flask import Flask\napp = Flask('x')\nother = Flask('y')\n",
            "work.py": "from celery import Celery\napp = Celery('x')\n",
        }
    )
    setups = logging_setups(Context(project), list(project.modules.values()))
    assert [s.subject_id for s in setups] == ["logging of the web process", "logging of the worker process"]
