"""A function of the tests as it runs once: on which class, and with which arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True, eq=False)
class Framed:
    """An expression with the run that its names belong to."""

    node: form.Expr
    frame: Frame


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """`cls` is the class of `self`; `given` holds the arguments by parameter, `rest` what `*args` takes, and `turns`
    the items that loops stand at, by what they loop over.
    """

    scope: Scope
    cls: ClassSymbol | None = None
    given: Mapping[str, Framed] = field(default_factory=dict)
    rest: tuple[Framed, ...] = ()
    turns: Mapping[form.Expr, Framed] = field(default_factory=dict)
    depth: int = 0

    @property
    def function(self) -> FunctionSymbol | None:
        return self.scope.enclosing_function

    def inside(self, scope: Scope) -> Frame:
        """The run of what surrounds the function, of which nothing is known but the class."""
        return Frame(scope, self.cls, depth=self.depth + 1)


def called(function: FunctionSymbol, call: form.Call, caller: Frame, cls: ClassSymbol | None) -> Frame:
    """The run of the function that the call starts."""
    given: dict[str, Framed] = {}
    positional = [Framed(node, caller) for node in call.positional]
    starred = next((a.value for a in call.args if a.star == 1), None)
    if starred is not None and isinstance(starred, form.Name):
        positional += caller.rest
    in_order = [p for p in function.parameters if p.kind is not form.ParamKind.KEYWORD_ONLY]
    plain = [p for p in in_order if p.kind in (form.ParamKind.POSITIONAL_ONLY, form.ParamKind.NORMAL)]
    for param, item in zip(plain, positional, strict=False):
        given[param.name] = item
    for param in function.parameters:
        named = call.keyword(param.name)
        if named is not None:
            given[param.name] = Framed(named, caller)
        elif param.name not in given and param.default is not None:
            given[param.name] = Framed(param.default, Frame(function.outer, cls, depth=caller.depth + 1))
    rest = tuple(positional[len(plain) :])
    return Frame(function.scope, cls, given, rest, depth=caller.depth + 1)
