"""How production comes to a place that starts a server: by a script that an image runs, or by importing it."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.ways import way_to
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.workload import WorkloadKind
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot

_NOT_SERVING = frozenset(
    {WorkloadKind.JOB, WorkloadKind.WORKER, WorkloadKind.INFRASTRUCTURE, WorkloadKind.LOAD_GENERATOR}
)
_WORD = re.compile(r"\w+")
_PYTHON = ("python", "pypy", "uv", "poetry", "pipenv")


class Starts:
    """Answers for the places of one service."""

    def __init__(self, service: ServiceRoot, gathered: Gathered) -> None:
        self._gathered = gathered
        self._commands = tuple(self._production_commands(service))

    def comes_to(self, node: form.Node, scope: Scope) -> tuple[bool | None, tuple[Evidence, ...]]:
        """Whether production gets to the place, and what tells it; None where nothing says how it is started."""
        script = next((e for text, e in self._commands if _runs(text, scope.module)), None)
        if script is not None:
            return True, (script,)
        if not self._only_as_script(node, scope) and self._is_loaded(scope.module):
            return True, ()
        return (False, (self._commands[0][1],)) if self._commands else (None, ())

    def _production_commands(self, service: ServiceRoot) -> Iterator[tuple[str, Evidence]]:
        deployment = self._gathered.deployments.get(service.name)
        for workload in deployment.workloads if deployment is not None else ():
            text = workload.process.text or (workload.command.text if workload.command is not None else "")
            if workload.role is Role.PROD and workload.kind not in _NOT_SERVING and text:
                place = workload.command.location if workload.command is not None else workload.location
                yield text, Evidence(place, f"production starts with `{text.splitlines()[0][:80]}`")

    def _is_loaded(self, module: Module) -> bool:
        """Whether something imports the module or starts with it: true where no start is known."""
        own = last_part(module.name)
        if not self._commands or any(own in _WORD.findall(text) for text, _ in self._commands):
            return True
        imports = (b for m in self._gathered.project.modules.values() for b in m.imports)
        return any(own in (b.name, last_part(b.module or "")) for b in imports)

    def _only_as_script(self, node: form.Node, scope: Scope) -> bool:
        """Whether it runs below `if __name__ == "__main__"`, or in a function that is called from nowhere but there."""
        function = scope.function
        if function is None:
            return _is_below_guard(scope.body, node.start)
        callers = self._gathered.project.callers(function)
        return all(s.function is None and _is_below_guard(s.body, call.start) for call, s in callers)


def _is_below_guard(body: Sequence[form.Stmt], offset: int) -> bool:
    return any(
        isinstance(branch.test, form.Compare) and form.dotted(branch.test.left) == "__name__"
        for branch in way_to(body, offset)
    )


def _runs(command: str, module: Module) -> bool:
    """`python -m shop.main`, `python src/shop/main.py`, `wait-for db:5432 -- python main.py`."""
    try:
        words = shlex.split(command)
    except ValueError:  # a shell would refuse it too
        return False
    for index, word in enumerate(words):
        if posixpath.basename(word).startswith(_PYTHON):
            given = words[index + 1 :]
            if "-m" in given and given[given.index("-m") + 1 :][:1] == [module.name]:
                return True
            script = next((w for w in given if w.endswith(".py")), None)
            if script is not None:
                own = posixpath.normpath(script).lstrip("./")
                return module.path == own or module.path.endswith(f"/{own}") or own.endswith(f"/{module.path}")
    return False
