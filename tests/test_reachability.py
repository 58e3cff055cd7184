"""The call graph: what runs when something runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.dataflow.reachability import Callers, reachable_from
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from tests.projects import project_of


def function(project: Project, qualname: str) -> FunctionSymbol:
    return next(f for f in project.functions if f.qualname == qualname)


def reached(project: Project, root: str) -> set[str]:
    return {f.qualname for f in reachable_from(project, [function(project, root)])}


def test_calls_lead_over_modules() -> None:
    project = project_of(
        {
            "a.py": "from b import second\ndef first():\n    second()\n",
            "b.py": "def second():\n    third()\ndef third():\n    pass\ndef other():\n    pass\n",
        }
    )
    assert reached(project, "first") == {"first", "second", "third"}


def test_names_handed_over_are_called() -> None:
    project = project_of(
        {
            "a.py": """
                from fastapi import Depends
                def session(): ...
                def each(row): ...
                def route(db=Depends(session)):
                    return list(map(each, db))
            """
        }
    )
    assert reached(project, "route") == {"route", "session", "each"}


def test_methods_lead_to_their_overrides_and_classes_to_their_constructors() -> None:
    project = project_of(
        {
            "a.py": """
                class Sender:
                    def __init__(self): self.connect()
                    def connect(self): ...
                    def send(self): ...
                class Mail(Sender):
                    def send(self): ...
                def notify():
                    sender = Sender()
                    sender.send()
            """
        }
    )
    assert reached(project, "notify") == {"notify", "Sender.__init__", "Sender.connect", "Sender.send", "Mail.send"}


def test_an_interface_behind_a_registry_is_reached_but_a_common_name_is_not() -> None:
    project = project_of(
        {
            "a.py": """
                class Runner:
                    def run_report(self): ...
                class Sql(Runner):
                    def run_report(self): ...
                class Unrelated:
                    def close(self): ...
                class Other:
                    def close(self): ...
                def route(registry):
                    registry["sql"].run_report()
                    registry["sql"].close()
            """
        }
    )
    assert reached(project, "route") == {"route", "Runner.run_report", "Sql.run_report"}


def test_recursion_ends() -> None:
    project = project_of({"a.py": "def ping():\n    pong()\ndef pong():\n    ping()\n"})
    assert reached(project, "ping") == {"ping", "pong"}
    assert Callers(project).root_of(function(project, "ping"), []) is None


EDGES = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20)


@given(EDGES, st.integers(0, 6))
def test_backwards_agrees_with_forwards_and_with_the_graph(edges: set[tuple[int, int]], root: int) -> None:
    lines = [
        f"def f{i}():\n    pass\n" + "".join(f"    f{b}()\n" for a, b in sorted(edges) if a == i) for i in range(7)
    ]
    project = project_of({"a.py": "".join(lines)})
    wanted, todo = {root}, [root]
    while todo:
        current = todo.pop()
        new = {b for a, b in edges if a == current} - wanted
        wanted |= new
        todo += new
    start = function(project, f"f{root}")
    assert reached(project, f"f{root}") == {f"f{i}" for i in wanted}
    callers = Callers(project)
    assert {i for i in range(7) if callers.root_of(function(project, f"f{i}"), [start]) is start} == wanted
