"""How the tables of a service come to be: by migrations, at its start, or by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.entry_points import is_command
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.model.migration import SchemaOrigin
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Schema
from assay.scanner.model.table import Table
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.python import form
from assay.scanner.schema.trees import Tree
from assay.scanner.services import ServiceRoot

_CREATE_TABLE = re.compile(r"^\s*CREATE\s+TABLE\b", re.IGNORECASE)
_ANYTHING = re.compile("")
_SPECIAL = re.compile(r"sqlite|memory|test|debug|dev|local", re.IGNORECASE)
"""What a test asks that lets tables be made in development only."""
_OTHER_TOOLS = frozenset(
    {"aerich", "yoyo-migrations", "peewee-migrate", "piccolo", "pyway", "sqlalchemy-migrate", "beanie", "pony-migrate"}
)
_OWN_TOOL = re.compile(r"(^|[._])(migrations?|migrate)($|[._])")
_STARTING = frozenset({"create_app", "make_app", "get_app", "lifespan", "startup", "on_startup", "init_app"})
_DEEPEST = 4


def origin_of(
    root: ServiceRoot, tables: Sequence[Table], trees: Sequence[Tree], schema: Schema, gathered: Gathered
) -> SchemaOrigin:
    """What is found of it; a service that maps no tables has none to make."""
    mapped = [t for t in tables if t.role is Role.PROD]
    if not mapped:
        return SchemaOrigin(root.root, root.location, Role.PROD, 0)
    at_run_time: list[Evidence] = []
    perhaps: list[Evidence] = []
    by_hand: list[Evidence] = []
    for node, scope, text in _making(gathered):
        module = scope.module
        if module.role is not Role.PROD or gathered.owners.of(module.path) is not root:
            continue
        runs = _runs(node, scope, gathered.project)
        kind = at_run_time if runs else by_hand if runs is False else perhaps
        kind.append(module.evidence(node, text))
    migrated = [Evidence(t.migrations[0].location, f"{len(t.migrations)} migrations of {t.name}") for t in trees]
    migrated += list(_other_tools(gathered, root))
    makers = sorted((*at_run_time, *perhaps, *by_hand), key=lambda e: e.location)
    told = [*at_run_time, *(() if migrated else makers), *migrated]
    places = [*(evidence.location for evidence in told), mapped[0].location]
    return SchemaOrigin(
        service=root.root,
        location=places[0],
        role=Role.PROD,
        tables=len(mapped),
        migrated_by=tuple(migrated),
        made_at_run_time=tuple(at_run_time),
        perhaps_at_run_time=tuple(perhaps),
        made_by_hand=tuple(by_hand),
        starts_elsewhere=any(not t.is_created for t in schema.tables),
        own_tool=tuple(_own_tool(gathered, root)),
    )


def _making(gathered: Gathered) -> Iterator[tuple[form.Node, Scope, str]]:
    """Where all tables of the models are made, or one by a statement."""
    project = gathered.project
    for call, scope in project.calls_named("create_all", "create_tables"):
        if isinstance(call.func, form.Attr) and _is_metadata(call.func, scope, project):
            yield call, scope, f"{call.func.attr}() makes tables from the models"
    for call, scope in project.calls_named("run_sync", "generate_schemas"):
        given = call.positional[0] if call.positional else None
        if isinstance(given, form.Attr) and given.attr == "create_all":
            yield call, scope, "create_all() makes tables from the models"
        elif last_name(call.func) == "generate_schemas":
            yield call, scope, "generate_schemas() makes tables from the models"
    for execution in gathered.executions:
        text = string_value(execution.text.node, execution.text.scope, project)
        if text is not None and _CREATE_TABLE.match(text) and "sqlite" not in execution.driver.lower():
            yield execution.call, execution.scope, "a statement makes a table"


def _is_metadata(func: form.Attr, scope: Scope, project: Project) -> bool:
    """`Base.metadata.create_all`, `db.create_all`, peewee's `database.create_tables`; no function of the project."""
    owner = last_name(func.value) or ""
    if project.infer(func, scope) is not None and isinstance(project.infer(func, scope), FunctionSymbol):
        return False
    return owner.endswith(("metadata", "db", "database")) or owner in ("meta", "Base")


def _runs(node: form.Node, scope: Scope, project: Project) -> bool | None:
    """Whether the service itself runs the code: True for sure, False where a person does, None where it isn't told."""
    function = scope.enclosing_function
    body = function.node.body if function is not None else scope.module.scope.body
    if _is_special(node, body):
        return False
    answer = _of_scope(scope, project, _DEEPEST)
    # What a test lets through may be for a setting that production doesn't have.
    return None if answer and _is_special(node, body, _ANYTHING) else answer


def _of_scope(scope: Scope, project: Project, depth: int, seen: tuple[FunctionSymbol, ...] = ()) -> bool | None:
    function = scope.enclosing_function
    if offline_reason(scope) is not None or (function is not None and is_command(function, project)):
        return False
    if function is None:
        return True
    if function.name in _STARTING or any(
        "startup" in (form.dotted(d) or "") or _is_event(d) for d in function.decorators
    ):
        return True
    if not depth or function in seen:
        return None
    answers = []
    for call, at in project.callers(function):
        at_top = at.enclosing_function is None
        is_main = at_top and _is_special(call, at.module.scope.body, re.compile("__main__"))
        special = at.enclosing_function.node.body if at.enclosing_function is not None else at.module.scope.body
        hidden = is_main or _is_special(call, special)
        answers.append(False if hidden else _of_scope(at, project, depth - 1, (*seen, function)))
    if any(a is True for a in answers):
        return True
    return False if answers and all(a is False for a in answers) else None


def _is_event(decorator: form.Expr) -> bool:
    """`@app.on_event("startup")`, `@app.before_first_request`, and a route."""
    called = decorator.func if isinstance(decorator, form.Call) else decorator
    return last_name(called) in (
        "on_event",
        "before_first_request",
        "before_request",
        "route",
        "get",
        "post",
        "lifespan",
    )


def _is_special(node: form.Node, body: Sequence[form.Stmt], words: re.Pattern[str] = _SPECIAL) -> bool:
    """Whether a test around the code asks for a kind of process that isn't the deployed service."""
    for statement in body:
        if not statement.start <= node.start < statement.end:
            continue
        if isinstance(statement, form.If):
            said = " ".join(_words(statement.test))
            if words.search(said) or "__main__" in said:
                return True
        inner = [s for s in statement.children() if isinstance(s, form.Stmt)]
        return _is_special(node, inner, words)
    return False


def _words(test: form.Expr) -> Iterator[str]:
    for node in form.walk(test):
        if isinstance(node, form.Const) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, form.Name):
            yield node.id
        elif isinstance(node, form.Attr):
            yield node.attr


def _other_tools(gathered: Gathered, root: ServiceRoot) -> Iterator[Evidence]:
    for path, facts in sorted(gathered.context.files.items()):
        if isinstance(facts, DependencyFacts) and (
            root.root == "." or path.startswith(f"{root.root}/") or "/" not in path
        ):
            for requirement in facts.requirements:
                if requirement.name.lower() in _OTHER_TOOLS:
                    yield Evidence(requirement.span.at(path), f"{requirement.name} migrates")


def _own_tool(gathered: Gathered, root: ServiceRoot) -> Iterator[Evidence]:
    for module in gathered.project.modules.values():
        if _is_own_tool(module) and gathered.owners.of(module.path) is root:
            yield Evidence(module.span(0, 0), "is this a migration tool of the service's own?")


def _is_own_tool(module: Module) -> bool:
    return module.role is Role.PROD and _OWN_TOOL.search(module.name) is not None and bool(module.functions)
