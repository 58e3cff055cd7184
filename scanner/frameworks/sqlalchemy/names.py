"""How a mapped class's table gets its name: stated, computed by a base, or derived by the library from the class's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.reaching import Definition, Flow, Kind, State
from assay.scanner.dataflow.sources import RequestSources
from assay.scanner.dataflow.strings import TextReader
from assay.scanner.frameworks.sqlalchemy.mapped import SQLMODEL, lineage
from assay.scanner.frameworks.sqlalchemy.per_class import returned_for
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.readers.python import form

_NAMING_THEMSELVES = ("flask_sqlalchemy.", "alchemical.", "advanced_alchemy.")
_WORD_BEGINS = re.compile(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))")
_SPLITTING = frozenset({"sub", "split", "findall", "finditer", "underscore", "snake_case", "camel_to_snake"})
_PLURALS = frozenset({"pluralize", "plural", "plural_noun"})
_NAME = "__tablename__"


def snake_case(name: str) -> str:
    """`HTTPLogEntry` is `http_log_entry`, as Flask-SQLAlchemy names tables."""
    return _WORD_BEGINS.sub(r"_\1", name).lower().lstrip("_")


def names_itself(cls: ClassSymbol, project: Project) -> bool:
    """Whether the library derives the table's name from the class's."""
    names = project.base_names(cls)
    return SQLMODEL in names or any(name.startswith(_NAMING_THEMSELVES) for name in names)


def library_name(cls: ClassSymbol, project: Project) -> str:
    """The name that a library which names tables itself gives."""
    return cls.name.lower() if SQLMODEL in project.base_names(cls) else snake_case(cls.name)


def computed_name(function: FunctionSymbol, cls: ClassSymbol, project: Project, *, is_heir: bool) -> str | None:
    """What a `declared_attr` function returns for the class, where it can be worked out."""
    for returned in returned_for(function, cls, project, is_heir=is_heir):
        this = function.node.params[0].name
        found = _evaluated(returned, function, {f"{this}.__name__": cls.name}, project)
        if found is not None:
            return found
    return _in_words(function, cls, project)


def gives_none(function: FunctionSymbol, cls: ClassSymbol, project: Project) -> bool:
    """Whether it names no table for a class below one that has a table: that one is shared."""
    found = returned_for(function, cls, project, is_heir=True)
    return not found or all(isinstance(node, form.Const) and node.value is None for node in found)


def imposed_name(cls: ClassSymbol, project: Project) -> str | None:
    """What `__init_subclass__` of a base, or its metaclass, sets `__tablename__` to."""
    for function, given in _class_makers(cls, project):
        for node in function.walk():
            value = _set_by(node)
            if value is not None:
                names = dict.fromkeys(given, cls.name)
                return _evaluated(value, function, names, project) or _in_words(function, cls, project)
    return None


def _class_makers(cls: ClassSymbol, project: Project) -> Iterator[tuple[FunctionSymbol, list[str]]]:
    """Functions that run for each new class, with the spellings by which they know its name."""
    for base in lineage(cls, project):
        function = base.methods.get("__init_subclass__")
        if function is not None and function.node.params and base is not cls:
            yield function, [f"{function.node.params[0].name}.__name__"]
        for argument in base.node.bases:
            meta = project.infer(argument.value, base.outer) if argument.name == "metaclass" else None
            if isinstance(meta, ClassSymbol):
                for name in ("__new__", "__init__"):
                    method = project.method(meta, name)
                    if method is not None and len(method.node.params) > 1:
                        yield method, [method.node.params[1].name, f"{method.node.params[0].name}.__name__"]


def _set_by(node: form.Expr | form.Stmt) -> form.Expr | None:
    """What a statement sets `__tablename__` to: of a class, in a dict of its attributes, or by `setattr`."""
    if isinstance(node, form.Assign):
        for target in node.targets:
            key = target.index if isinstance(target, form.Subscript) else None
            is_key = isinstance(key, form.Const) and key.value == _NAME
            if is_key or (isinstance(target, form.Attr) and target.attr == _NAME):
                return node.value
    if isinstance(node, form.Call) and last_name(node.func) in ("setattr", "setdefault"):
        places = [p.value if isinstance(p, form.Const) else None for p in node.positional]
        if _NAME in places[:-1]:
            return node.positional[-1]
    return None


def _evaluated(node: form.Expr, function: FunctionSymbol, names: dict[str, str], project: Project) -> str | None:
    """The one string the expression comes to where these names stand for these strings."""
    state = State(function.scope, {})
    known = next((s for returned, s in Flow(function.scope).returns if returned is node), state)
    for name, value in names.items():
        constant = form.Const(start=function.node.start, end=function.node.end, value=value)
        known = known.put(name, Definition(Kind.ASSIGN, state, constant))
    texts = TextReader(project, RequestSources(project, {})).texts(node, known)
    literals = {text.literal for text in texts} - {"None"}
    return literals.pop() or None if len(literals) == 1 else None


def _in_words(function: FunctionSymbol, cls: ClassSymbol, project: Project) -> str | None:
    """The name's words joined by underscores, where the function, or one that it calls, takes it apart by a pattern."""
    inside = [function]
    for node in function.walk():
        callee = project.callee_function(node, function.scope) if isinstance(node, form.Call) else None
        if callee is not None:
            inside.append(callee)
    called = {last_name(n.func) for f in inside for n in f.walk() if isinstance(n, form.Call)}
    return snake_case(cls.name) if called & _SPLITTING and not called & _PLURALS else None
