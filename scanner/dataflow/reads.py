"""Which reads of many rows reach what a handler returns, and what bounds and orders them.

An abstract interpreter over expressions: it follows the returned value backwards through assignments, query chains,
comprehensions, serializers and calls of project functions, with the arguments they were given. It is flow-insensitive
inside a function: a name stands for everything it is ever bound to there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.dataflow.branches import branches_on_none
from assay.scanner.dataflow.frames import Frame, fills, left_at_none, loop_statements, surely_given, surely_sent
from assay.scanner.dataflow.returned import (
    NOTHING,
    Returned,
    Shape,
    narrowed,
    of_unknown_size,
    passed_through_unknown,
    perhaps_ordered,
    refined,
    with_inputs,
)
from assay.scanner.framework import Framework, Route, RowLibrary, Rows, Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.query import Bound, Order
from assay.scanner.readers.python import form

_REDUCERS = frozenset({
    "len", "sum", "min", "max", "any", "all", "next", "bool", "str", "int", "float", "repr", "hash", "isinstance",
    "print", "round", "id", "type", "getattr",
})  # fmt: skip
_COLLECTORS = frozenset({
    "list", "tuple", "set", "sorted", "reversed", "frozenset", "filter", "map", "enumerate", "zip", "dict", "iter",
})  # fmt: skip
_PAGE_WORDS = frozenset({
    "count", "total", "page", "pages", "page_size", "pagesize", "per_page", "perpage", "limit", "offset", "next",
    "previous", "prev", "pagination", "meta", "links", "num_pages", "total_pages", "total_count", "totalresults",
    "total_results", "itemsperpage", "items_per_page", "has_next", "has_prev", "cursor", "next_cursor",
    "prev_cursor", "has_more", "size", "skip", "first", "last", "status", "success", "message", "error", "ok",
    "code",
})  # fmt: skip
"""Keys beside the list in a response that wraps one."""
_FOLDED_PAGE_WORDS = frozenset(word.replace("_", "") for word in _PAGE_WORDS)
_REQUEST_LIMITED = ("paginat",)
_SERIALIZING = ("dump", "dumps", "jsonify")
"""Methods of marshmallow's schemas that give what a client gets."""
_PAGE_SIZES = ("page_size", "per_page", "limit", "size")


Activation = tuple[
    FunctionSymbol,
    frozenset[str],
    frozenset[str],
    frozenset[tuple[str, Returned]],
    frozenset[tuple[str, FunctionSymbol]],
]
"""What a summary depends on: the function, arguments left at None, those surely given, and those that hold rows or
functions.
"""


class Reads:
    """The interpreter. One per project; summaries of functions are shared between handlers."""

    def __init__(self, project: Project, known: Iterable[Framework]) -> None:
        self._project = project
        readers = [f for f in known if f.rows is not None]
        self._libraries: tuple[RowLibrary, ...] = tuple(f.rows for f in readers if f.rows is not None)
        self._packages = frozenset(p for f in readers for p in f.packages) | {"builtins"}
        """Packages whose functions do nothing to rows but what their library says."""
        self._summaries: dict[Activation, Returned] = {}
        self._active: set[FunctionSymbol] = set()

    @property
    def project(self) -> Project:
        return self._project

    def of_route(self, route: Route) -> Returned:
        """What the route's handler returns, through the project decorators around it."""
        if route.handler is not None:
            returned = self.of_handler(route.handler)
            inside = Frame(route.handler, present=surely_sent(route.handler))
            for answer in route.answers:
                returned |= self._eval(answer.node, answer.scope, inside)
            if returned.rows or route.rows is None:
                return returned
        if route.rows is None:
            return NOTHING
        frame = self._frame_of_class_scope(route.rows.scope)
        return self._eval(route.rows.node, route.rows.scope, frame).shaped(Shape.LIST)

    def of_handler(self, handler: FunctionSymbol) -> Returned:
        frame = Frame(handler, present=surely_sent(handler))
        returned = NOTHING
        for wrapper in self._wrappers(handler):
            returned |= self._body(wrapper)
        return returned if returned.rows else returned | self._body(frame)

    def _frame_of_class_scope(self, scope: Scope) -> Frame | None:
        function = scope.enclosing_function
        return Frame(function) if function is not None else None

    # --- decorators of the project ---

    def _wrappers(self, handler: FunctionSymbol) -> Iterator[Frame]:
        """A frame for each inner function that a project decorator puts in the handler's place, innermost first."""
        for decorator in reversed(handler.decorators):
            factory_call = decorator if isinstance(decorator, form.Call) else None
            named = factory_call.func if factory_call is not None else decorator
            function = self._project.infer(named, handler.outer)
            if not isinstance(function, FunctionSymbol):
                continue
            outer = Frame(function)
            if factory_call is not None:
                outer = self._frame_of_call(function, factory_call, handler.outer, None)
                inner = self._returned_function(function)
                if inner is None:
                    continue
                outer = Frame(inner, closure=outer)
            if not outer.function.parameters:
                continue
            outer.callables[outer.function.parameters[0].name] = handler
            wrapper = self._returned_function(outer.function)
            if wrapper is not None:
                yield Frame(wrapper, closure=outer)

    def _returned_function(self, function: FunctionSymbol) -> FunctionSymbol | None:
        """The nested function that it returns, bare or wrapped in other calls."""
        nested = {
            b.function for bs in function.scope.bindings.values() for b in bs if b.function and b.how is How.FUNCTION
        }
        for statement in function.returns:
            for node in form.walk(statement):
                if isinstance(node, form.Name):
                    found = next(
                        (b.function for b in function.scope.bindings.get(node.id, ()) if b.function in nested), None
                    )
                    if found is not None:
                        return found
        return None

    # --- functions ---

    def _body(self, frame: Frame) -> Returned:
        """The union of everything the function returns or yields."""
        function = frame.function
        if function in self._active:
            return NOTHING
        self._active.add(function)
        try:
            returned = NOTHING
            for node in function.walk():
                if isinstance(node, form.Return) and node.value is not None:
                    if not self._never_runs(node.start, frame):
                        returned |= self._eval(node.value, function.scope, frame)
                elif isinstance(node, form.Yield) and node.value is not None:
                    value = self._eval(node.value, function.scope, frame)
                    returned |= value if node.is_from else value.without_rows
            return returned
        finally:
            self._active.discard(function)

    def _frame_of_call(self, function: FunctionSymbol, call: form.Call, scope: Scope, frame: Frame | None) -> Frame:
        arguments = [(p, self._project.bound_argument(call, function, p)) for p in function.parameters]
        inside = Frame(
            function,
            absent=left_at_none(call, arguments),
            present=surely_given(function, arguments, frame.present if frame is not None else frozenset()),
            closure=self._closure_for(function, frame),
        )
        for param, argument in arguments:
            if argument is None:
                continue
            value = self._project.infer(argument, scope)
            if isinstance(value, FunctionSymbol):
                inside.callables[param.name] = value
            returned = self._eval(argument, scope, frame)
            if returned is not NOTHING:
                inside.arguments[param.name] = returned
        return inside

    def _closure_for(self, function: FunctionSymbol, frame: Frame | None) -> Frame | None:
        while frame is not None:
            if frame.function.scope is function.outer:
                return frame
            frame = frame.closure
        return None

    def _summary(self, inside: Frame) -> Returned:
        """What the activation returns. Functions of a closure depend on more than their arguments."""
        if inside.closure is not None:
            return self._body(inside)
        key = (
            inside.function,
            inside.absent,
            inside.present,
            frozenset(inside.arguments.items()),
            frozenset(inside.callables.items()),
        )
        if key not in self._summaries:
            self._summaries[key] = self._body(inside)
        return self._summaries[key]

    # --- expressions ---

    def _eval(self, node: form.Expr, scope: Scope, frame: Frame | None) -> Returned:
        if frame is None:
            return self._evaluated(node, scope, None)
        if node not in frame.values:
            frame.values[node] = NOTHING  # for a name that is defined in terms of itself
            frame.values[node] = self._evaluated(node, scope, frame)
        return frame.values[node]

    def _evaluated(  # noqa: C901 - one case for each kind of node
        self, node: form.Expr, scope: Scope, frame: Frame | None
    ) -> Returned:
        for library in self._libraries:
            source = library.source(node, scope, self._project)
            if isinstance(source, Rows):
                return Returned((replace(source, library=library),), Shape.LIST)
            if source is not None:
                return NOTHING
        match node:
            case form.Name():
                return self._name(node, scope, frame)
            case form.Call():
                return self._call(node, scope, frame)
            case form.Attr(value=base, attr=attr):
                return self._attribute(base, attr, scope, frame)
            case form.Subscript():
                return self._subscript(node, scope, frame)
            case form.Comprehension(generators=generators):
                looped = NOTHING
                for generator in generators:
                    looped |= self._iterated(generator.iter, scope, frame)
                return looped.shaped(Shape.LIST)
            case form.Display(items=items):
                return self._display(node, items, scope, frame)
            case form.Dict():
                return self._dict(node, scope, frame)
            case form.Conditional(body=body, orelse=orelse):
                return self._eval(body, scope, frame) | self._eval(orelse, scope, frame)
            case form.Boolean(values=values):
                return self._all(values, scope, frame)
            case form.Await(value=value) | form.Starred(value=value) | form.Walrus(value=value):
                return self._eval(value, scope, frame)
            case form.Binary(op="+" | "|" | "&", left=left, right=right):
                return self._eval(left, scope, frame) | self._eval(right, scope, frame)
        return NOTHING

    def _all(self, nodes: Iterable[form.Expr], scope: Scope, frame: Frame | None) -> Returned:
        returned = NOTHING
        for node in nodes:
            returned |= self._eval(node, scope, frame)
        return returned

    def _iterated(self, node: form.Expr, scope: Scope, frame: Frame | None) -> Returned:
        """What a loop over the expression goes through."""
        value = self._project.infer(node, scope)
        if isinstance(value, ClassSymbol) and self._project.is_subclass(
            value, "enum.Enum", "enum.StrEnum", "enum.IntEnum"
        ):
            return Returned(bounded=(scope.module.evidence(node, f"the members of the enum {value.name}"),))
        return self._eval(node, scope, frame)

    def _display(self, node: form.Display, items: list[form.Expr], scope: Scope, frame: Frame | None) -> Returned:
        if node.kind == "tuple":
            # `return body, status`: what comes first is the answer.
            return self._eval(items[0], scope, frame) if items else NOTHING
        returned = self._all(items, scope, frame)
        if returned.rows:
            return returned
        if not items:
            return Returned(shape=Shape.LIST)
        return replace(
            returned, shape=Shape.LIST, bounded=(scope.module.evidence(node, "a list written out in the code"),)
        )

    def _dict(self, node: form.Dict, scope: Scope, frame: Frame | None) -> Returned:
        returned, lists, others = NOTHING, 0, 0
        for key, value in zip(node.keys, node.values, strict=True):
            part = self._eval(value, scope, frame)
            returned |= part
            if key is None or part.rows or part.shape is Shape.LIST:
                lists += 1
            elif not (isinstance(key, form.Const) and _is_about_the_page(str(key.value))):
                others += 1
        if not returned.rows:
            return replace(returned, shape=Shape.OBJECT, bounded=())
        return returned.shaped(Shape.WRAPPER if lists == 1 and not others else Shape.OBJECT)

    def _name(self, node: form.Name, scope: Scope, frame: Frame | None) -> Returned:
        owner = frame.owning(node.id) if frame is not None else None
        if owner is None:
            return self._global(node, scope)
        if node.id not in owner.names:
            # In source order, each binding seeing those before it: `q = select(A)`, then `q = q.limit(n)`.
            owner.names[node.id] = owner.arguments.get(node.id, NOTHING)
            for binding in owner.function.scope.bindings[node.id]:
                if self._never_runs(binding.offset, owner):
                    continue
                earlier, later = owner.names[node.id], self._binding(binding, owner)
                if earlier.rows and not later.rows and _made_of_itself(binding, node.id):
                    # `if pk: rows = rows.first()`: one row or all of them, by something that isn't known here.
                    earlier = of_unknown_size(earlier)
                owner.names[node.id] = refined(earlier, later)
            owner.names[node.id] |= self._filled(node.id, owner)
        return owner.names[node.id]

    def _never_runs(self, offset: int, frame: Frame) -> bool:
        """It stands in `if order_by is not None:`, and this call was given no `order_by`; or in the other branch, and
        it was given one.
        """
        for branch in branches_on_none(frame.function):
            if branch.start <= offset < branch.end:
                owner = frame.owning(branch.name)
                if owner is not None and branch.name in (owner.absent if branch.when_given else owner.present):
                    return True
        return False

    def _binding(self, binding: Binding, frame: Frame) -> Returned:
        if binding.value is None or binding.how is How.PARAMETER:
            return NOTHING
        value = self._eval(binding.value, binding.scope, frame)
        if binding.how is How.FOR or (binding.how is How.UNPACK and binding.index not in (0, None)):
            return value.without_rows
        return value

    def _filled(self, name: str, frame: Frame) -> Returned:
        """What loops append to the list, or put into the dict, of that name."""
        returned = NOTHING
        for loop, statement in loop_statements(frame.function):
            if fills(statement, name):
                returned |= self._iterated(loop.iter, frame.function.scope, frame).shaped(Shape.LIST)
        return returned

    def _global(self, node: form.Name, scope: Scope) -> Returned:
        for binding in scope.lookup(node.id):
            if binding.scope.function is None and isinstance(binding.value, form.Display | form.Dict):
                return Returned(
                    shape=Shape.LIST,
                    bounded=(binding.scope.module.evidence(binding.value, "a constant of the module"),),
                )
        return NOTHING

    def _attribute(self, base: form.Expr, attr: str, scope: Scope, frame: Frame | None) -> Returned:
        value = self._project.infer(base, scope)
        if isinstance(value, Instance) and value.cls is not None:
            member = self._project.method(value.cls, attr)
            if member is not None and any((form.dotted(d) or "").endswith("property") for d in member.decorators):
                return self._summary(Frame(member))
        returned = self._eval(base, scope, frame)
        stepped = self._step(returned, attr, None, scope)
        return returned if stepped is None else stepped

    def _subscript(self, node: form.Subscript, scope: Scope, frame: Frame | None) -> Returned:
        base = self._eval(node.value, scope, frame)
        is_key = isinstance(node.index, form.Const) and isinstance(node.index.value, str)
        if not base.rows:
            return base if is_key else base.without_rows
        if isinstance(node.index, form.Slice):
            if node.index.upper is None:
                return base
            evidence = scope.module.evidence(node, "a slice takes a part of the rows")
            length = _length(node.index, node.index.upper)
            limited = tuple(
                replace(r, bound=Bound.LIMITED, limit=evidence, page_input=(Sited(length, scope),)) for r in base.rows
            )
            return with_inputs(replace(base, rows=limited), (length,), scope)
        return base if is_key else base.without_rows

    # --- calls ---

    def _call(self, call: form.Call, scope: Scope, frame: Frame | None) -> Returned:
        if isinstance(call.func, form.Name) and frame is not None:
            owner = frame.owning(call.func.id)
            wrapped = owner.callables.get(call.func.id) if owner is not None else None
            if wrapped is not None:
                return self._activated(wrapped, call, scope, frame)
        receiver = NOTHING
        if isinstance(call.func, form.Attr):
            receiver = self._eval(call.func.value, scope, frame)
            if call.func.attr == "limit" and self._is_left_at_none(call, frame):
                return receiver  # `query.limit(None)` limits nothing
            stepped = self._step(receiver, call.func.attr, call, scope)
            if stepped is not None:
                return stepped
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, Instance) and callee.type_name == "functools.partial" and callee.origin is not None:
            callee = self._project.infer(callee.origin.positional[0], callee.scope or scope)
        match callee:
            case External(name=name):
                return self._named_many(call, scope, self._library_call(name, call, scope, frame))
            case BoundMethod(function=function):
                # `Serializer(rows).data()`: what the object was made of comes out again.
                returned = self._project_call(function, call, scope, frame)
                if returned.rows or not receiver.rows:
                    return returned
                return returned | (of_unknown_size(receiver) if self._is_source(call.func, scope) else receiver)
            case FunctionSymbol():
                return self._project_call(callee, call, scope, frame)
            case ClassSymbol():
                return self._arguments(call, scope, frame)
        return self._named_many(call, scope, self._unresolved_call(call, scope, frame))

    def _named_many(self, call: form.Call, scope: Scope, returned: Returned) -> Returned:
        """`anything.paginate(page, size)`, `Schema(many=True).dump(anything)`: whatever it is, it is many."""
        if returned.rows or not isinstance(call.func, form.Attr) or not call.args:
            return returned
        if call.func.attr == "paginate":
            return _page(call, scope)
        schema = self._project.infer(call.func.value, scope) if call.func.attr in _SERIALIZING else None
        if isinstance(schema, Instance) and (_is_of_many(call) or _is_of_many(schema.origin)):
            evidence = scope.module.evidence(call, "a schema of many")
            return returned | Returned((Rows("rows", evidence, Bound.UNKNOWN, Order.UNKNOWN),), Shape.LIST)
        return returned

    def _is_left_at_none(self, call: form.Call, frame: Frame | None) -> bool:
        only = call.args[0].value if len(call.args) == 1 else None
        owner = frame.owning(only.id) if isinstance(only, form.Name) and frame is not None else None
        return isinstance(only, form.Name) and owner is not None and only.id in owner.absent

    def _step(self, base: Returned, method: str, call: form.Call | None, scope: Scope) -> Returned | None:
        """What `base.method(...)` gives by the libraries' word; None when no library knows the method."""
        if not base.rows:
            return None
        rows: list[Rows] = []
        inputs: tuple[form.Expr, ...] = ()
        known = False
        for row in base.rows:
            for library in (row.library,) if row.library is not None else self._libraries:
                result = library.step(row, method, call, scope)
                if result is None:
                    continue
                known = True
                if isinstance(result, Rows):
                    if method == "group_by" and result.bound is Bound.UNLIMITED:
                        # As many rows as there are groups, which only the data knows.
                        result = replace(result, bound=Bound.UNKNOWN)
                    rows.append(narrowed(result, method, call, scope))
                    if result.page_input and result.page_input != row.page_input:
                        inputs = tuple(s.node for s in result.page_input)
                break
            else:
                rows.append(row)
        if not known:
            return None
        if not rows:
            return base.without_rows
        return with_inputs(replace(base, rows=tuple(dict.fromkeys(rows))), inputs, scope)

    def _arguments(self, call: form.Call, scope: Scope, frame: Frame | None) -> Returned:
        """The rows among the arguments: what a serializer, a response class or an unknown helper passes on."""
        parts = [self._eval(a.value, scope, frame) for a in call.args]
        returned = NOTHING
        for part in parts:
            returned |= part
        if not returned.rows:
            return Returned(
                inputs=returned.inputs, unknown=returned.unknown, bounded=returned.bounded, shape=returned.shape
            )
        others = sum(
            1
            for argument, part in zip(call.args, parts, strict=True)
            if argument.name is not None
            and not part.rows
            and argument.name != "many"
            and not _is_about_the_page(argument.name)
        )
        named = any(a.name is not None and p.rows for a, p in zip(call.args, parts, strict=True))
        return returned.shaped(Shape.OBJECT if named and others else returned.shape)

    def _library_call(self, name: str, call: form.Call, scope: Scope, frame: Frame | None) -> Returned:
        short = last_part(name)
        if name.startswith("builtins."):
            if short in _REDUCERS:
                return NOTHING
            if short == "dict" and not call.positional:
                return self._dict(_as_display(call), scope, frame)
            if short in _COLLECTORS:
                arguments = [self._iterated(a.value, scope, frame) for a in call.args if a.name is None]
                returned = NOTHING
                for argument in arguments:
                    returned |= argument
                return returned.shaped(Shape.LIST) if returned.rows or returned.bounded else returned
        returned = self._arguments(call, scope, frame)
        if returned.rows and any(word in short.lower() for word in _REQUEST_LIMITED):
            evidence = scope.module.evidence(call, f"paginated by {name}")
            limited = tuple(replace(r, bound=Bound.LIMITED, limit=r.limit or evidence) for r in returned.rows)
            sizes = tuple(a.value for a in call.args if a.name in _PAGE_SIZES)
            return with_inputs(replace(returned, rows=limited), sizes, scope)
        if name.split(".", 1)[0] not in self._packages:
            returned = replace(returned, rows=tuple(perhaps_ordered(r) for r in returned.rows))
        if isinstance(call.func, form.Attr):
            # `Schema().dump(rows)`, `rows.data`, `response.json(...)`: the receiver may carry the rows.
            carried = self._eval(call.func.value, scope, frame)
            returned |= of_unknown_size(carried) if self._is_source(call.func, scope) else carried
        if returned.rows or returned.bounded or name.startswith("builtins."):
            return returned
        return returned | Returned(
            unknown=(scope.module.evidence(call, f"what {name}() gives is the library's to say"),)
        )

    def _is_source(self, func: form.Expr, scope: Scope) -> bool:
        """Whether a method that no library knows is called on rows where they begin: it may do anything to them."""
        return isinstance(func, form.Attr) and any(
            isinstance(library.source(func.value, scope, self._project), Rows) for library in self._libraries
        )

    def _activated(self, function: FunctionSymbol, call: form.Call, scope: Scope, frame: Frame | None) -> Returned:
        """The function's result for this call's arguments; page sizes that are its parameters become the arguments."""
        returned = self._summary(self._frame_of_call(function, call, scope, frame))
        if not returned.inputs:
            return returned
        arguments = {p.name: self._project.bound_argument(call, function, p) for p in function.parameters}
        return replace(returned, inputs=tuple(i.behind(function, arguments, scope) for i in returned.inputs))

    def _project_call(self, function: FunctionSymbol, call: form.Call, scope: Scope, frame: Frame | None) -> Returned:
        returned = self._activated(function, call, scope, frame)
        if returned.rows or returned.bounded or function.returns:
            return returned
        # A method of a protocol or an abstract class: another one runs.
        return returned | of_unknown_size(self._arguments(call, scope, frame))

    def _unresolved_call(self, call: form.Call, scope: Scope, frame: Frame | None) -> Returned:
        returned = self._arguments(call, scope, frame)
        returned = replace(returned, rows=tuple(passed_through_unknown(r) for r in returned.rows))
        if isinstance(call.func, form.Attr):
            carried = self._eval(call.func.value, scope, frame)
            returned |= of_unknown_size(carried) if self._is_source(call.func, scope) else carried
        if returned.rows:
            return returned
        name = form.dotted(call.func) or last_name(call.func) or "a computed function"
        return returned | Returned(unknown=(scope.module.evidence(call, f"what {name}() gives could not be followed"),))


def _is_about_the_page(name: str) -> bool:
    """`total`, `totalCount`, `has_next`, `articlesCount`: what stands beside the list in a response that wraps one."""
    folded = name.replace("_", "").lower()
    return folded in _FOLDED_PAGE_WORDS or folded.endswith(("count", "total"))


def _page(call: form.Call, scope: Scope) -> Returned:
    evidence = scope.module.evidence(call, "paginate()")
    sizes = tuple(a.value for a in call.args if a.name in _PAGE_SIZES) or tuple(call.positional[1:2])
    page_input = tuple(Sited(size, scope) for size in sizes)
    rows = Rows("rows", evidence, Bound.LIMITED, Order.UNKNOWN, limit=evidence, page_input=page_input)
    return with_inputs(Returned((rows,), Shape.LIST), sizes, scope)


def _is_of_many(call: form.Call | None) -> bool:
    many = call.keyword("many") if call is not None else None
    return isinstance(many, form.Const) and many.value is True


def _as_display(call: form.Call) -> form.Dict:
    """`dict(items=rows, **more)` as `{"items": rows, **more}`."""
    keys = [form.Const(start=a.value.start, end=a.value.start, value=a.name) if a.name else None for a in call.args]
    return form.Dict(start=call.start, end=call.end, keys=[*keys], values=[a.value for a in call.args])


def _length(index: form.Slice, upper: form.Expr) -> form.Expr:
    """What says how many rows a slice takes: `size` in `start : start + size`, else its upper end."""
    start = form.dotted(index.lower) if index.lower is not None else None
    if start is not None and isinstance(upper, form.Binary) and upper.op == "+":
        if form.dotted(upper.left) == start:
            return upper.right
        if form.dotted(upper.right) == start:
            return upper.left
    return upper


def _made_of_itself(binding: Binding, name: str) -> bool:
    """Whether the name is bound to something made of it: `rows = rows.first()`."""
    nodes = form.walk(binding.value) if binding.value is not None else ()
    return any(isinstance(node, form.Name) and node.id == name for node in nodes)
