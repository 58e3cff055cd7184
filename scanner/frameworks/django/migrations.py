"""Django's migrations: what each depends on, and what it does to the schema.

https://docs.djangoproject.com/en/stable/ref/migration-operations/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from assay.scanner.dataflow.constants import list_items, one_or_many, string_value
from assay.scanner.framework import Context, Sited
from assay.scanner.frameworks.django.constants import Evaluator
from assay.scanner.frameworks.django.fields import label_of
from assay.scanner.frameworks.django.schema_steps import operation_name, steps_of
from assay.scanner.frameworks.django.settings import settings_for
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.model.migration import UNKNOWN_PARENT, Migration, SchemaChange
from assay.scanner.model.schema import SchemaStep, Unclear
from assay.scanner.readers.python import form
from assay.scanner.schema.sql import steps_of_sql

_FRAMEWORK = "Django ORM"
_BASES = frozenset({"django.db.migrations.Migration", "django.db.migrations.migration.Migration"})
_FIRST = "__first__"
_OF_MODEL = frozenset(
    {
        "CreateModel", "DeleteModel", "RenameModel", "AlterModelTable", "AlterModelTableComment", "AlterModelOptions",
        "AlterModelManagers", "AlterUniqueTogether", "AlterIndexTogether", "AlterOrderWithRespectTo",
    }
)  # fmt: skip
_OF_DATABASE = frozenset({"RunPython", "RunSQL"})
_BY_NAME = ("name", "old_name", "index", "constraint")


@dataclass(slots=True)
class _Tables:
    """The tables' names by app and model, as far as the migrations read so far have made them."""

    stated: dict[tuple[str, str], str] = field(default_factory=dict)

    def of(self, app: str, model: str) -> str:
        return self.stated.get((app, model.lower()), f"{app}_{model.lower()}")

    def state(self, app: str, model: str, table: str | None) -> str:
        """Note what a model's table is called from now on, by default after app and model."""
        if table is not None:
            self.stated[app, model.lower()] = table.strip('"')
        else:
            self.stated.pop((app, model.lower()), None)
        return self.of(app, model)

    def rename(self, app: str, old: str, new: str | None) -> None:
        """A model with a table's name of its own keeps it under its new name."""
        stated = self.stated.pop((app, old.lower()), None)
        if stated is not None and new is not None:
            self.stated[app, new.lower()] = stated


@dataclass(frozen=True, slots=True, eq=False)
class _Operation:
    """A call in `operations`, and whether it works on the database, on what Django believes of it, or on both."""

    call: form.Call
    scope: Scope
    is_real: bool = True
    is_believed: bool = True


def migrations(context: Context) -> Iterator[Migration]:
    """Every `Migration` class, with the dependencies that `run_before` of another adds."""
    reader = _Reader(context)
    read = list(reader.read())
    # Two projects of one tree may each have an app of the same name.
    found = {migration.name: migration for migration in read}
    before: dict[str, tuple[str, ...]] = {}
    for later, earlier in reader.run_before:
        before[later] = (*before.get(later, ()), earlier)
    stand_ins = {old: new for old, new in reader.replaced if old not in found}
    for name in sorted(found):
        app = name.split(".", 1)[0]
        if all(p.endswith(_FIRST) or not p.startswith(f"{app}.") for p in found[name].parents):
            stand_ins.setdefault(f"{app}.{_FIRST}", name)
    for migration in read:
        parents = (*migration.parents, *before.get(migration.name, ()))
        yield replace(migration, parents=_resolved(replace(migration, parents=parents), stand_ins))


def _resolved(migration: Migration, stand_ins: Mapping[str, str]) -> tuple[str, ...]:
    """The parents by the names that files have: of a squashed migration, of an app's first one.

    Libraries call their first one `0001_initial`. That of the own app is no dependency.
    """
    app = migration.name.split(".", 1)[0]
    kept = (parent for parent in migration.parents if parent != f"{app}.{_FIRST}")
    return tuple(dict.fromkeys(stand_ins.get(p, p.replace(_FIRST, "0001_initial")) for p in kept))


class _Reader:
    """Reads the migrations of all apps, in the order of their names."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._tables = _Tables()
        self.run_before: list[tuple[str, str]] = []
        """Pairs of a migration and one that has to come before it."""
        self.replaced: list[tuple[str, str]] = []
        """Pairs of a migration and the one that it was squashed into."""

    def read(self) -> Iterator[Migration]:
        for cls in self._project.classes:
            parts = cls.module.name.split(".")
            if cls.name == "Migration" and len(parts) > 1 and self._project.is_subclass(cls, *_BASES):
                yield self._migration(cls, self._app(cls), parts[-1])

    def _app(self, cls: ClassSymbol) -> str:
        """The app's label: of the package around `migrations`, or what MIGRATION_MODULES says of another place."""
        package = cls.module.name.rsplit(".", 1)[0]
        settings = settings_for(self._project, cls.module.path)
        modules = settings.get("MIGRATION_MODULES") if settings is not None else None
        if modules is not None and isinstance(modules.node, form.Dict):
            for key, value in zip(modules.node.keys, modules.node.values, strict=True):
                place = string_value(value, modules.scope, self._project)
                if isinstance(key, form.Const) and isinstance(key.value, str) and place == package:
                    return key.value
        return label_of(package.rpartition(".")[0] or package, cls.module, self._project)

    def _migration(self, cls: ClassSymbol, app: str, name: str) -> Migration:
        operations = list(self._operations(cls))
        real = [o for o in operations if o.is_real]
        changes = {o: self._change(o, app) for o in operations}
        changes |= {o: replace(changes[o], is_reversible=False) for o in real if not _is_reversible(o, self._project)}
        forward = tuple(changes[o] for o in real)
        if not self._is_atomic(cls):
            changes = {o: replace(change, in_transaction=False) for o, change in changes.items()}
            forward = tuple(changes[o] for o in real)
        believed = tuple(changes[o] for o in operations if o.is_believed)
        replaced: list[str] = []
        is_reversible = all(c.is_reversible for c in forward)
        for node, scope in self._items(cls, "run_before"):
            later = self._dependency(node, scope)
            if later != UNKNOWN_PARENT:
                self.run_before.append((later, f"{app}.{name}"))
        for node, scope in self._items(cls, "replaces"):
            old = self._dependency(node, scope)
            if old != UNKNOWN_PARENT:
                replaced.append(old)
                self.replaced.append((old, f"{app}.{name}"))
        parents = tuple(self._dependency(node, scope) for node, scope in self._items(cls, "dependencies"))
        return Migration(
            name=f"{app}.{name}",
            parents=tuple(p for p in parents if p != UNKNOWN_PARENT),
            is_placed=UNKNOWN_PARENT not in parents,
            framework=_FRAMEWORK,
            location=cls.location,
            role=cls.module.role,
            changes=forward,
            reversals=tuple(reversed(forward)) if is_reversible else (),
            is_reversible=is_reversible,
            believed=believed if believed != forward else None,
            replaces=tuple(replaced),
        )

    def _is_atomic(self, cls: ClassSymbol) -> bool:
        stated = self._project.class_attribute(cls, "atomic")
        return not (stated is not None and isinstance(stated[0], form.Const) and stated[0].value is False)

    def _items(self, cls: ClassSymbol, name: str) -> list[tuple[form.Expr, Scope]]:
        """The items of a list in the class; that there is a list that can't be read is said."""
        found = self._project.class_attribute(cls, name)
        if found is None:
            return []
        items = list_items(*found, self._project)
        if not items and not (isinstance(found[0], form.Display) and not found[0].items):
            self._context.unresolved(cls.location, f"the {name} of this migration are computed at run time")
        return items

    def _dependency(self, node: form.Expr, scope: Scope) -> str:
        """`app.name` of `("app", "name")` and of `swappable_dependency(settings.AUTH_USER_MODEL)`."""
        if isinstance(node, form.Display) and len(node.items) == 2:
            parts = [string_value(item, scope, self._project) for item in node.items]
            if None not in parts:
                return ".".join(str(part) for part in parts)
        if isinstance(node, form.Call) and last_name(node.func) == "swappable_dependency" and node.args:
            settings = settings_for(self._project, scope.module.path)
            model = Evaluator(self._project, settings).text(Sited(node.args[0].value, scope)) or "auth.User"
            return f"{model.split('.', 1)[0]}.{_FIRST}"
        self._context.unresolved(scope.module.location(node), "what this migration depends on is computed at run time")
        return UNKNOWN_PARENT

    # --- operations ---

    def _operations(self, cls: ClassSymbol) -> Iterator[_Operation]:
        for node, scope in self._items(cls, "operations"):
            if isinstance(node, form.Call):
                yield from self._flattened(_Operation(node, scope))
            else:
                message = "an operation of this migration is computed at run time"
                self._context.unresolved(scope.module.location(node), message)

    def _flattened(self, operation: _Operation) -> Iterator[_Operation]:
        """The operation, or those inside of `SeparateDatabaseAndState`, or of `RunSQL(state_operations=...)`."""
        call = operation.call
        if last_name(call.func) == "RunSQL":
            believed = call.argument(2, "state_operations")
            yield replace(operation, is_believed=operation.is_believed and believed is None)
            yield from self._inner(believed, replace(operation, is_real=False))
        elif last_name(call.func) == "SeparateDatabaseAndState":
            believed = call.argument(1, "state_operations")
            is_silent = believed is None or (isinstance(believed, form.Display) and not believed.items)
            real = replace(operation, is_believed=operation.is_believed and is_silent)
            yield from self._inner(call.argument(0, "database_operations"), real)
            yield from self._inner(believed, replace(operation, is_real=False))
        else:
            yield operation

    def _inner(self, listed: form.Expr | None, outer: _Operation) -> Iterator[_Operation]:
        for node, inner in list_items(listed, outer.scope, self._project) if listed is not None else ():
            if isinstance(node, form.Call):
                yield from self._flattened(replace(outer, call=node, scope=inner))

    def _change(self, operation: _Operation, app: str) -> SchemaChange:
        """What the operation changes; models that it makes, moves or renames are noted."""
        call = operation.call
        name = last_name(call.func) or ""
        location = operation.scope.module.location(call)
        if name in _OF_DATABASE:
            return SchemaChange(name, location, steps=self._steps(operation, app))
        is_of_model = name in _OF_MODEL
        named = call.argument(0, "old_name" if name == "RenameModel" else "name" if is_of_model else "model_name")
        model = self._text(named, operation)
        if model is None:
            self._context.unresolved(location, f"which model {name} changes is computed at run time")
            return SchemaChange(name, location, steps=self._steps(operation, app))
        table = self._tables.of(app, model)
        if name == "CreateModel":
            table = self._tables.state(app, model, self._stated_table(operation))
        elif name == "AlterModelTable":
            self._tables.state(app, model, self._text(call.argument(1, "table"), operation))
        elif name == "RenameModel":
            self._tables.rename(app, model, self._text(call.argument(1, "new_name"), operation))
        changed = None if is_of_model else self._changed(operation)
        return SchemaChange(name, location, table, changed, self._steps(operation, app))

    def _steps(self, operation: _Operation, app: str) -> tuple[SchemaStep, ...]:
        call, scope = operation.call, operation.scope
        if operation_name(call, scope, self._project) != "RunSQL":
            return steps_of(call, scope, app, self._project)
        node = call.argument(0, "sql")
        texts = [self._statement(*item) for item in one_or_many(node, scope, self._project)] if node else []
        return tuple(step for text in texts or [None] for step in (steps_of_sql(text) if text else (Unclear(),)))

    def _statement(self, node: form.Expr, scope: Scope) -> str | None:
        """A statement, or one with its parameters: `("UPDATE a SET b = %s", [1])`; an empty one is none."""
        first = node.items[0] if isinstance(node, form.Display) and node.items else node
        text = string_value(first, scope, self._project)
        return text.replace("%s", "0").replace("%%", "%") or "SELECT 1" if text is not None else None

    def _stated_table(self, operation: _Operation) -> str | None:
        """`options={"db_table": ...}` of a `CreateModel`."""
        options = operation.call.argument(2, "options")
        if not isinstance(options, form.Dict):
            return None
        for key, value in zip(options.keys, options.values, strict=True):
            if isinstance(key, form.Const) and key.value == "db_table":
                return self._text(value, operation)
        return None

    def _changed(self, operation: _Operation) -> str | None:
        """The field, index or constraint that is meant."""
        call = operation.call
        node = next((n for name in _BY_NAME if (n := call.keyword(name)) is not None), None)
        if node is None and len(call.positional) > 1:
            node = call.positional[1]
        return self._text(node.keyword("name") if isinstance(node, form.Call) else node, operation)

    def _text(self, node: form.Expr | None, operation: _Operation) -> str | None:
        return string_value(node, operation.scope, self._project) if node is not None else None


def _is_reversible(operation: _Operation, project: Project) -> bool:
    """Whether Django can go back: by itself, or by what the code gives it for that."""
    call = operation.call
    name = operation_name(call, operation.scope, project)
    if name in _OF_DATABASE:
        reverse = call.argument(1, "reverse_code" if name == "RunPython" else "reverse_sql")
        is_own = last_name(call.func) != name  # a class of the project may know how by itself
        return is_own or not (reverse is None or (isinstance(reverse, form.Const) and reverse.value is None))
    value = project.infer(call.func, operation.scope)
    stated = project.class_attribute(value, "reversible") if isinstance(value, ClassSymbol) else None
    return not (stated is not None and isinstance(stated[0], form.Const) and stated[0].value is False)
