"""What a call passes, and to what it is bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.taint.values import (
    Func,
    Klass,
    Slot,
    Value,
)
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call passes. `others` stands for what `*args` and `**kwargs` bring where that isn't known one by one;
    where they are handed on as they came, `star` and `double` are them.
    """

    positional: tuple[Value, ...]
    keywords: Mapping[str, Value]
    others: Value | None = None
    nodes: tuple[form.Expr | None, ...] = ()
    """The expressions of the positional arguments."""
    keyword_nodes: Mapping[str, form.Expr] | None = None
    star: Slot | None = None
    double: Slot | None = None

    @classmethod
    def none(cls) -> Arguments:
        return cls((), {})

    @property
    def all(self) -> list[Value]:
        more = (self.others, self.star, self.double)
        return [*self.positional, *self.keywords.values(), *(v for v in more if v is not None)]

    def get(self, position: int | None, name: str) -> Value | None:
        """By keyword, or by place where it has one."""
        if name in self.keywords:
            return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        if self.double is not None:
            return self.double.below(name)
        return self.others

    def node(self, position: int, name: str = "") -> form.Expr | None:
        if position < len(self.nodes):
            return self.nodes[position]
        return (self.keyword_nodes or {}).get(name)


def bound(method: FunctionSymbol, owner: Value | None, cls: ClassSymbol) -> Func:
    """A method looked up on an object, or on its class where `owner` is None."""
    if method.is_static():
        return Func(method)
    is_of_class = any(form.dotted(d) == "classmethod" for d in method.decorators)
    return Func(method, Klass(cls) if is_of_class else owner)


def default_name(param: form.Param) -> str:
    """The name under which a nested function keeps what a parameter's default was when it was defined."""
    return f"{param.name}="
