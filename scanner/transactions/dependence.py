"""Why one write needs the other: what is wrong with the data when only the first of two is made."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form
from assay.scanner.transactions.events import Event
from assay.scanner.transactions.quantities import moved_quantity
from assay.scanner.transactions.writes import Store, Write

_MADE_AGAIN = frozenset(
    """token tokens session sessions notification notifications otp verification code confirmation device ping
    invitation job message email cache view""".split()
)
"""What rows are about that are made anew when they are missing, or that nobody misses."""
_CREATING = (("create",), ("add",), ("insert",), ("new",), ("make",))
_KEYS = frozenset({"lastrowid", "fetchone", "inserted_primary_key", "scalar_one", "scalar"})
_COLLECTING = frozenset({"append", "extend"})
_LINKING = frozenset({"update", "aupdate", "values", "bulk_update", "add", "add_all", "merge"})
"""Calls that give rows what they hold."""
_TELLING = frozenset(
    {"send", "notify", "mail", "email", "publish", "log", "emit", "track", "sync", "dispatch", "index", "snapshot"}
)
_STORING = frozenset({"save", "create", "add", "insert", "store", "persist", "save_to_db", "add_to_db"})
_UPDATING = frozenset({"update", "aupdate"})
_MOST_KINDS = 3
"""Models of which a helper writes rows."""


def reason(first: Event, second: Event, function: FunctionSymbol, project: Project) -> str | None:
    """What is left behind when the second write is not made; None where nothing shows that it matters."""
    if not _are_sure(first) or not _are_sure(second):
        return None
    replaced = _replaced(first, second)
    if replaced is not None:
        return f"without the second, the {replaced} rows are gone and nothing replaces them"
    moved = moved_quantity(first, second, function)
    if moved is not None:
        return f"without the second, `{moved}` is changed on one side alone"
    made = _made(first, second, function, project)
    if made is None:
        return None
    is_child = any(creates(w, second, function, project) for w in second.writes)
    return f"without the second, the new {made} {'lacks what belongs to it' if is_child else 'belongs to nothing'}"


def _are_sure(event: Event) -> bool:
    return any(w.is_sure for w in event.writes)


# --- rows that replace others ---


def _replaced(first: Event, second: Event) -> str | None:
    """`rows.delete()`, and new rows of the same model after it."""
    gone = {w.model for w in first.writes if w.action == "delete" and w.model and w.is_sure}
    made = {w.model for w in second.writes if w.action == "create" and w.is_sure}
    if first.helper is not None or _picks_listed(first.node):
        return None
    if second.helper is not None and any(w.model not in gone for w in second.writes):
        return None  # it does something else, and makes such rows on the way
    both = sorted(m for m in gone & made if not is_made_again(m))
    return both[0] if both else None


def _picks_listed(node: form.Expr | form.Stmt) -> bool:
    """`rows.filter(pk__in=gone).delete()`: those that are no longer wanted, and not all."""
    return any(
        (
            isinstance(n, form.Call)
            and (any((a.name or "").endswith("__in") for a in n.args) or last_name(n.func) == "in_")
        )
        for n in form.walk(node)
    )


# --- rows that belong to one that was made before ---


def _made(first: Event, second: Event, function: FunctionSymbol, project: Project) -> str | None:
    """The model of the row that the first makes and the second is given."""
    makes = [w for w in first.writes if w.is_sure and creates(w, first, function, project)]
    if not makes or _is_flow(first) or _is_flow(second):
        return None
    rows = frozenset(rows_of(first, function))
    if not rows or _is_of_same_row(first, second, rows):
        return None
    given = [w.model for w in second.writes if w.model]
    if given and all(is_made_again(model) for model in given):
        return None
    if not _is_given(second, derived(rows, function, first.start, second.start), function, project):
        return None
    return next((w.model for w in makes if w.model[:1].isupper()), "row")


def _is_flow(event: Event) -> bool:
    """Whether a helper does so much that it is a process of its own, or only tells others about the row."""
    if event.helper is None:
        return False
    told = words(event.helper.name)
    kinds = {w.model for w in event.writes if w.model}
    return len(kinds) > _MOST_KINDS or "or" in told or not _TELLING.isdisjoint(told)


def _is_given(second: Event, rows: frozenset[str], function: FunctionSymbol, project: Project) -> bool:
    """Whether what the second makes or changes holds the row, or what was made of it."""
    node = second.node
    if isinstance(node, form.Assign):
        return node.value is not None and mentions(node.value, rows)
    if not isinstance(node, form.Call):
        return False
    if any(creates(w, second, function, project) for w in second.writes):
        return mentions(node, rows)
    name = last_name(node.func)
    return name in _LINKING and second.helper is None and any(mentions(a.value, rows) for a in node.args)


def creates(write: Write, event: Event, function: FunctionSymbol, project: Project) -> bool:
    """Whether the write makes a row: `save()` does where what is saved is new."""
    node = write.node
    if write.action == "create":
        return True
    is_added = write.store is Store.AT_COMMIT and isinstance(node, form.Call) and last_name(node.func) == "add"
    own = _own_row(event)
    if own is not None and write.action == "update" and _is_new(own, function, project):
        value = project.infer(own, function.scope)
        if is_added or (isinstance(value, Instance) and value.cls is not None and value.cls.name == write.model):
            return True
    if event.helper is not None and is_added:
        return words(event.helper.name)[:1] in _CREATING  # `repository.create(row)`, of whatever row
    if write.action != "update" or event.helper is not None or not isinstance(node, form.Call):
        return False
    if last_name(node.func) not in ("save", "asave") or not isinstance(node.func, form.Attr):
        return False
    return _is_new(node.func.value, function, project)


def _is_new(owner: form.Expr, function: FunctionSymbol, project: Project) -> bool:
    """Whether what is saved has been made here: a row, or a form or serializer that is given no row."""
    if not isinstance(owner, form.Name):
        return False
    if function.name == "perform_create" and owner.id in {p.name for p in function.parameters}:
        return True
    bindings = function.scope.lookup(owner.id, owner.start)
    before = [b for b in bindings if b.value is not None and b.value.end <= owner.start]
    last = max(before, key=lambda b: b.offset, default=None)
    if last is None or last.how is not How.ASSIGN:
        return False
    value = last.value.value if isinstance(last.value, form.Await) else last.value
    return isinstance(value, form.Call) and _makes(value, function, project)


def _makes(call: form.Call, function: FunctionSymbol, project: Project) -> bool:
    cls = project.infer(call.func, function.scope)
    if not isinstance(cls, ClassSymbol):
        # `form.save(commit=False)`, of a form that has no row
        is_unsaved = last_name(call.func) == "save" and isinstance(call.func, form.Attr)
        return is_unsaved and isinstance(call.func, form.Attr) and _is_new(call.func.value, function, project)
    if any(name.startswith(("rest_framework.", "django.forms.")) for name in project.base_names(cls)):
        is_rest = any(name.startswith("rest_framework.") for name in project.base_names(cls))
        return call.keyword("instance") is None and not (is_rest and call.positional)
    return not any(a.name in ("pk", "id") for a in call.args)


def rows_of(event: Event, function: FunctionSymbol) -> Iterator[str]:
    """The names of what the event makes: what its result is assigned to, what it is called on, what it is given."""
    node = event.node
    is_sql = event.helper is None and isinstance(node, form.Call) and last_name(node.func) == "execute"
    for statement in function.nodes:
        if isinstance(statement, form.Assign) and statement.value is not None:
            value = statement.value.value if isinstance(statement.value, form.Await) else statement.value
            if value is node or (is_sql and statement.start > node.end and _reads_key(value)):
                yield from (t.id for t in _targets(statement) if isinstance(t, form.Name))
    own = _own_row(event)
    if own is not None:
        yield own.id
    if event.helper is not None or not isinstance(node, form.Call) or not isinstance(node.func, form.Attr):
        return
    if node.func.attr in ("add", "add_all", "merge"):
        for given in node.positional[:1]:
            items = given.items if isinstance(given, form.Display) else [given]
            yield from (i.id for i in items if isinstance(i, form.Name))
    elif node.func.attr in ("save", "asave") and isinstance(node.func.value, form.Name):
        yield node.func.value.id


def _own_row(event: Event) -> form.Name | None:
    """`user` of `user.save()`, a method of the project that stores the row it is called on."""
    node = event.node
    if event.helper is None or not isinstance(node, form.Call) or not isinstance(node.func, form.Attr):
        return None
    owner = node.func.value
    is_storing = event.helper.name in _STORING and not node.positional
    return owner if isinstance(owner, form.Name) and is_storing else None


def _reads_key(value: form.Expr) -> bool:
    """`cursor.lastrowid`, `cursor.fetchone()[0]` of an INSERT that returns the key."""
    return any(isinstance(n, form.Attr) and n.attr in _KEYS for n in form.walk(value))


def _targets(statement: form.Assign) -> Iterator[form.Expr]:
    for target in statement.targets:
        yield from target.items if isinstance(target, form.Display) else (target,)


def _is_of_same_row(first: Event, second: Event, rows: frozenset[str]) -> bool:
    """Whether the second only goes on with the row: `user.save()` after `user = User.objects.create()`."""
    node = second.node
    if isinstance(node, form.Assign | form.AugAssign):
        targets = node.targets if isinstance(node, form.Assign) else [node.target]
        return any(_root(t) in rows for t in targets)
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr):
        own = _own_row(second)
        if own is not None and own.id in rows:
            return True
        is_own = _root(node.func.value) in rows
        is_related = isinstance(node.func.value, form.Attr) and any(w.action == "create" for w in second.writes)
        if is_own and not is_related and (second.helper is None or all(w.action == "update" for w in second.writes)):
            return True
        if node.func.attr in ("add", "merge") and node.positional and _root(node.positional[0]) in rows:
            return True
        if node.func.attr in _UPDATING and mentions(node.func.value, rows):
            return True  # `User.objects.filter(pk=user.pk).update(...)`
    models = {w.model for w in second.writes}
    made = {w.model for w in first.writes}
    return (
        second.helper is not None
        and "" not in models
        and models <= made
        and all(w.action != "create" for w in second.writes)
    )


def _root(node: form.Expr) -> str | None:
    while isinstance(node, form.Attr | form.Subscript | form.Call):
        node = node.func if isinstance(node, form.Call) else node.value
    return node.id if isinstance(node, form.Name) else None


def derived(rows: frozenset[str], function: FunctionSymbol, start: int, end: int) -> frozenset[str]:
    """The names, too, of what is made of the rows between two places: `child = Child(parent=row)`; without those that
    are given another value.
    """
    found = set(rows)
    for node in function.nodes:
        if not start < node.start < end:
            continue
        if isinstance(node, form.Assign) and node.value is not None:
            names = {t.id for t in _targets(node) if isinstance(t, form.Name)}
            if node.value.start <= start < node.value.end or (names <= rows and _reads_key(node.value)):
                continue
            found = found | names if mentions(node.value, frozenset(found)) else found - names
        elif isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _COLLECTING:
            owner = _root(node.func.value)
            if owner is not None and any(mentions(a, frozenset(found)) for a in node.positional):
                found.add(owner)
    return frozenset(found)


def mentions(node: form.Expr | form.Stmt, names: frozenset[str]) -> bool:
    """Whether one of the names stands in it."""
    return any(isinstance(n, form.Name) and n.id in names for n in form.walk(node))


@lru_cache(maxsize=2048)
def is_made_again(model: str) -> bool:
    """Whether rows of the model are made anew when they are missing, or nobody misses them."""
    return not _MADE_AGAIN.isdisjoint(words(model))
