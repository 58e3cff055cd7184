"""Sessions of Nox: functions that run commands (nox.thea.codes)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from assay.scanner.linker.project import Project
from assay.scanner.readers.python import form
from assay.scanner.readers.span import Span
from assay.scanner.readers.tasks import NamedTask, TaskCommand

_RUNNING = ("session.run", "session.run_always", "session.run_install")


def nox_sessions(project: Project) -> Iterator[tuple[str, NamedTask]]:
    """Each function of a `noxfile.py` with what it runs (`session.run("pytest", ...)`), as far as words are written."""
    for module in project.modules.values():
        if module.path.rpartition("/")[2] != "noxfile.py":
            continue
        for function in module.functions:
            commands = []
            for node in form.walk_body(function.node.body):
                if not isinstance(node, form.Call) or form.dotted(node.func) not in _RUNNING:
                    continue
                words = [a.value.value for a in node.args if isinstance(a.value, form.Const) and a.name is None]
                place = module.location(node)
                span = Span(place.line, place.column, place.end_line, place.end_column)
                commands.append(TaskCommand(shlex.join(w for w in words if isinstance(w, str)), span))
            if commands:
                yield module.path, NamedTask(function.node.name, commands[0].span, tuple(commands))
