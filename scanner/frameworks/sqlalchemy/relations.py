"""Relations between mapped classes: `relationship()`, `Relationship()`, and the other side that a `backref` makes.

https://docs.sqlalchemy.org/en/20/orm/relationship_api.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.frameworks.sqlalchemy.mapped import is_declared_attr, lineage
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol
from assay.scanner.model.table import Loading, Relation
from assay.scanner.readers.python import form

_MAKERS = frozenset({"relationship", "Relationship", "dynamic_loader", "relation"})
_LOADING = {
    "select": Loading.ON_ACCESS, "joined": Loading.WITH_ROWS, "subquery": Loading.WITH_ROWS,
    "selectin": Loading.WITH_ROWS, "immediate": Loading.WITH_ROWS, "raise": Loading.REFUSED,
    "raise_on_sql": Loading.REFUSED, "noload": Loading.REFUSED, "dynamic": Loading.QUERY,
    "write_only": Loading.QUERY,
}  # fmt: skip
_COLLECTIONS = re.compile(r"\b(list|List|set|Set|Sequence|Collection|InstrumentedList)\[")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Declared:
    """A relation as a class states it; `to_many` is None where only the foreign keys tell. `backref` is the relation
    that it makes on the other side.
    """

    name: str
    target: str
    to_many: bool | None
    loading: Loading
    binding: Binding
    call: form.Call
    backref: str | None = None
    backref_loading: Loading = Loading.ON_ACCESS


def relations_of(cls: ClassSymbol, project: Project) -> dict[str, Declared]:
    """By the attribute's name, inherited ones included."""
    found: dict[str, Declared] = {}
    for base in reversed(lineage(cls, project)):
        for name, bindings in base.scope.bindings.items():
            for call in _calls(bindings[-1]):
                if last_name(call.func) in _MAKERS:
                    found[name] = _declared(name, call, bindings[-1])
    return found


def relation(declared: Declared, references: set[str | None], target_table: str | None) -> Relation:
    """`references` are the tables that the class's own foreign keys point to."""
    to_many = declared.to_many
    if to_many is None:
        to_many = target_table is None or target_table not in references
    module = declared.binding.scope.module
    return Relation(declared.name, declared.target, to_many, declared.loading, module.location(declared.call))


def _calls(binding: Binding) -> Iterator[form.Call]:
    if isinstance(binding.value, form.Call):
        yield binding.value
    elif binding.function is not None and is_declared_attr(binding):
        for statement in binding.function.returns:
            if isinstance(statement.value, form.Call):
                yield statement.value


def _declared(name: str, call: form.Call, binding: Binding) -> Declared:
    target, is_many = _annotated(binding.annotation)
    given = call.argument(0, "argument")
    loading = _loading(_option(call, "lazy"))
    if last_name(call.func) == "dynamic_loader" or (target is not None and is_many and _is_query(binding.annotation)):
        loading = Loading.QUERY
    uselist = _option(call, "uselist")
    if isinstance(uselist, form.Const) and isinstance(uselist.value, bool):
        is_many = uselist.value
    elif is_many is None and (_option(call, "secondary") is not None or loading is Loading.QUERY):
        is_many = True
    elif is_many is None and _option(call, "remote_side") is not None:
        is_many = False
    backref, backref_loading = _backref(_option(call, "backref"))
    named = _target(given) if given is not None else None
    return Declared(name, named or target or "", is_many, loading, binding, call, backref, backref_loading)


def _option(call: form.Call, name: str) -> form.Expr | None:
    """A keyword, of SQLModel's `sa_relationship_kwargs={...}` too."""
    stated = call.keyword(name)
    further = call.keyword("sa_relationship_kwargs")
    if stated is None and isinstance(further, form.Dict):
        for key, value in zip(further.keys, further.values, strict=True):
            if isinstance(key, form.Const) and key.value == name:
                return value
    return stated


def _loading(lazy: form.Expr | None) -> Loading:
    if lazy is None:
        return Loading.ON_ACCESS
    if isinstance(lazy, form.Const):
        if isinstance(lazy.value, bool) or lazy.value is None:
            return Loading.ON_ACCESS if lazy.value is True else Loading.WITH_ROWS
        return _LOADING.get(str(lazy.value), Loading.UNKNOWN)
    return Loading.UNKNOWN


def _backref(node: form.Expr | None) -> tuple[str | None, Loading]:
    """`backref="posts"`, `backref=backref("posts", lazy="dynamic")`."""
    if isinstance(node, form.Call):
        name = node.positional[0] if node.positional else None
        text = name.value if isinstance(name, form.Const) and isinstance(name.value, str) else None
        return text, _loading(node.keyword("lazy"))
    if isinstance(node, form.Const) and isinstance(node.value, str):
        return node.value, Loading.ON_ACCESS
    return None, Loading.ON_ACCESS


def _target(node: form.Expr) -> str | None:
    """The class's name of `relationship(User)`, `relationship("User")`, `relationship(lambda: User)`."""
    if isinstance(node, form.Lambda):
        node = node.body
    if isinstance(node, form.Const) and isinstance(node.value, str):
        return node.value.rsplit(".", 1)[-1]
    return last_name(node)


def _annotated(node: form.Expr | None) -> tuple[str | None, bool | None]:
    """The class that an annotation names, and whether it is a collection of these."""
    text = _text(node) if node is not None else ""
    if not text:
        return None, None
    words = [w for w in _WORD.findall(text) if w not in ("Mapped", "Optional", "None", "list", "List", "Union")]
    is_many = bool(_COLLECTIONS.search(text)) or _is_query(node)
    return (words[-1] if words else None), is_many


def _is_query(node: form.Expr | None) -> bool:
    return isinstance(node, form.Subscript) and last_name(node.value) in ("WriteOnlyMapped", "DynamicMapped")


def _text(node: form.Expr) -> str:
    """The annotation's names and brackets, in quotes or not."""
    match node:
        case form.Const(value=str() as text):
            return text
        case form.Subscript(value=value, index=index):
            return f"{_text(value)}[{_text(index)}]"
        case form.Binary(left=left, right=right):
            parts = [t for t in (_text(left), _text(right)) if t not in ("", "None")]
            return " ".join(parts)
        case form.Display(items=items):
            return " ".join(_text(item) for item in items)
    return last_name(node) or ""
