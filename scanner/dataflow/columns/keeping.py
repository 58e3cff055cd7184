"""How a column's value is kept: by the column's type, by its class, and by what the code assigns to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from assay.scanner.dataflow.columns.contents import ENCRYPTING, is_encrypted_type
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.model.key import ColumnKeeping
from assay.scanner.model.place import Evidence
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form

_TEXTS = frozenset(
    """String Text Unicode UnicodeText VARCHAR CHAR NVARCHAR TEXT CLOB str AutoString CharField TextField EmailField
    URLField SlugField FixedCharField JSON JSONB JSONField HStore ARRAY ArrayField MutableDict LONGTEXT MEDIUMTEXT
    CITEXT""".split()
)
_NUMBERS = frozenset(
    """Integer BigInteger SmallInteger Numeric INTEGER BIGINT IntegerField BigIntegerField PositiveIntegerField
    PositiveBigIntegerField DecimalField BigIntField int""".split()
)
_SMALL_NUMBERS = frozenset({"Integer", "SmallInteger", "INTEGER", "IntegerField", "PositiveIntegerField", "int"})
"""Those of 32 bits or less in most databases."""
_BYTES = frozenset({"LargeBinary", "BinaryField", "BLOB", "BYTEA", "BlobField", "bytes", "VARBINARY", "LONGBLOB"})
_WRITING = ("create", "values", "update", "get_or_create", "update_or_create", "acreate", "insert", "bulk_create")
_GENERATING = frozenset(
    {"generate", "generated", "generates", "random", "urlsafe", "uuid", "urandom", "randbytes", "choices"}
)
"""Words of functions that make up a value nobody guesses."""


class Keeping:
    """How the columns of one project are kept."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, table: Table, column: Column) -> tuple[ColumnKeeping, tuple[Evidence, ...]] | None:
        """None for a column whose type holds no such thing: a switch, a date, a reference."""
        if is_encrypted_type(column.type) or is_encrypted_type(column.name):
            return ColumnKeeping.ENCRYPTED, (Evidence(column.location, "it says that it is encrypted"),)
        is_plain = column.type in _TEXTS | _NUMBERS | _BYTES
        types = () if is_plain else self._project.classes_named(column.type)
        if not types and not is_plain:
            return None
        found = self._encrypted(table, column, types)
        if found is not None:
            return ColumnKeeping.ENCRYPTED, (found,)
        if column.type in _BYTES or types:
            return ColumnKeeping.UNKNOWN, ()
        twin = next((c for c in table.columns if c.name in _twins(column.name)), None)
        if twin is not None:
            return ColumnKeeping.UNKNOWN, (Evidence(twin.location, "an encrypted one stands beside it"),)
        return ColumnKeeping.PLAIN, tuple(self._plain(table, column))[:1]

    def is_number(self, column: Column) -> bool:
        """Whether the type takes digits only."""
        return column.type in _NUMBERS

    def is_small_number(self, column: Column) -> bool:
        """Whether the type takes ten digits at most."""
        return column.type in _SMALL_NUMBERS

    def is_made_here(self, table: Table, column: Column) -> Evidence | None:
        """Where the service makes the value up itself: a token of its own."""
        for value, scope in self._assigned(table, column):
            for part in (value, *_given_to(value, scope)):
                for node in form.walk(part):
                    if isinstance(node, form.Call) and not _GENERATING.isdisjoint(words(last_name(node.func) or "")):
                        return scope.module.evidence(node, "the service makes it itself")
        return None

    def _encrypted(self, table: Table, column: Column, types: Iterable[ClassSymbol]) -> Evidence | None:
        for cls in types:
            for method in cls.methods.values():
                for node in method.nodes:
                    if self._encrypts(node, method.scope):
                        return method.module.evidence(node, "its type encrypts")
        for cls in self._classes(table):
            for method in cls.methods.values():
                if any(_mentions(node, column.name) for node in (*method.nodes, *method.decorators)):
                    found = next((n for n in method.nodes if self._encrypts(n, method.scope)), None)
                    if found is not None:
                        return method.module.evidence(found, "its class encrypts it")
        for value, scope in [*self._assigned(table, column), *self._items.get(column.name, [])]:
            if self._is_encrypted(value, scope):
                return scope.module.evidence(value, "it is encrypted before it is stored")
        return None

    def _plain(self, table: Table, column: Column) -> Iterator[Evidence]:
        for call, scope in self._project.calls_named(table.model):
            value = call.keyword(column.name)
            if value is not None and not isinstance(value, form.Const):
                yield scope.module.evidence(value, "it is stored as it comes")

    def _classes(self, table: Table) -> list[ClassSymbol]:
        return [c for c in self._project.classes_named(table.model) if c.module.path == table.location.path]

    def _attributes(self, table: Table, column: Column) -> Iterator[str]:
        """Attributes that the column goes by in the code: `_iban = Column("iban", Text)`."""
        for cls in self._classes(table):
            for name, bindings in cls.scope.bindings.items():
                for binding in bindings:
                    first = binding.value.argument(0, "name") if isinstance(binding.value, form.Call) else None
                    if isinstance(first, form.Const) and first.value == column.name:
                        yield name

    def _assigned(self, table: Table, column: Column) -> Iterator[tuple[form.Expr, Scope]]:
        """What the code puts into the column: through the class, a statement, or an attribute of that name."""
        names = {column.name, f"_{column.name}", column.name.lstrip("_"), *self._attributes(table, column)}
        for call, scope in self._project.calls_named(table.model, *_WRITING):
            yield from ((argument.value, scope) for argument in call.args if argument.name in names)
        for module in self._project.modules.values():
            scopes = dict.fromkeys(s for name in sorted(names) for s in module.writes_by_name.get(name, ()))
            for scope in scopes:
                for node in form.walk_body(scope.body, into_definitions=False):
                    if isinstance(node, form.Assign) and node.value is not None and _writes(node, names):
                        yield node.value, scope

    @cached_property
    def _items(self) -> dict[str, list[tuple[form.Expr, Scope]]]:
        """What is put into rows by the names of columns: `values["iban"] = ...`, `setattr(row, "iban", ...)`."""
        found: dict[str, list[tuple[form.Expr, Scope]]] = {}
        for module in self._project.modules.values():
            for scope in dict.fromkeys(s for scopes in module.writes_by_name.values() for s in scopes):
                for node in form.walk_body(scope.body, into_definitions=False):
                    match node:
                        case form.Assign(
                            targets=[form.Subscript(index=form.Const(value=str() as key))], value=value
                        ) if value is not None:
                            found.setdefault(key, []).append((value, scope))
        for call, scope in self._project.calls_named("setattr"):
            match call.positional:
                case [_, form.Const(value=str() as key), value]:
                    found.setdefault(key, []).append((value, scope))
        return found

    def _is_encrypted(self, value: form.Expr, scope: Scope) -> bool:
        """Whether a call in it encrypts, or a name in it holds what one gave."""
        for node in form.walk(value):
            if self._encrypts(node, scope):
                return True
            if isinstance(node, form.Name) and not ENCRYPTING.isdisjoint(words(node.id)):
                return True
            if any(_encrypts(inner) for given in _given_to(node, scope) for inner in form.walk(given)):
                return True
        return False

    def _encrypts(self, node: form.Expr | form.Stmt, scope: Scope) -> bool:
        """Whether it is a call that encrypts, or of a function that makes one."""
        if not isinstance(node, form.Call):
            return False
        callee = None if _encrypts(node) else self._project.callee_function(node, scope)
        return _encrypts(node) or (callee is not None and any(map(_encrypts, callee.nodes)))


def _twins(name: str) -> tuple[str, ...]:
    """What the column that takes the encrypted value is called, where a plain one is on its way out."""
    return f"{name}_e", f"{name}_enc", f"{name}_encrypted", f"enc_{name}", f"encrypted_{name}"


def _given_to(node: form.Expr | form.Stmt, scope: Scope) -> list[form.Expr]:
    """What a name was assigned."""
    bindings = scope.lookup(node.id, node.start) if isinstance(node, form.Name) else []
    return [b.value for b in bindings if b.how is How.ASSIGN and b.value is not None]


def _encrypts(node: form.Expr | form.Stmt) -> bool:
    return isinstance(node, form.Call) and not ENCRYPTING.isdisjoint(words(form.dotted(node.func) or ""))


def _writes(node: form.Assign, names: set[str]) -> bool:
    return any(isinstance(target, form.Attr) and target.attr in names for target in node.targets)


def _mentions(node: form.Expr | form.Stmt, column: str) -> bool:
    match node:
        case form.Attr(attr=name) | form.Const(value=str() as name) | form.Name(id=name):
            return name.strip("_") == column.strip("_")
        case form.Call(args=args):  # `@validates("ssn")`
            return any(isinstance(a.value, form.Const) and a.value.value == column for a in args)
    return False
