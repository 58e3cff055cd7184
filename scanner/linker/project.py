"""The linked project: resolves names over modules, classes over bases, and expressions to values.

Everything is looked up lazily and remembered. An answer of None means "can't be told", never "nothing".
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import PurePosixPath

from assay.scanner.linker.exports import Exports
from assay.scanner.linker.library_types import canonical, result_of_call, result_of_instance_call
from assay.scanner.linker.modules import ModuleIndex
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Literal, Namespace, SuperProxy, Value
from assay.scanner.readers.python import form

_BUILTINS = frozenset(dir(builtins))
_MOST_CALLERS = 12
"""Callers looked at to learn what a parameter can be: more rarely agree, and cost grows with them."""
_DEEPEST = 60
"""Questions that may hang on one another before the answer is "can't be told"."""
_NO_CUT = 1_000_000
_WRAPPERS = frozenset({"typing.Optional", "typing.Annotated", "typing_extensions.Annotated", "typing.Final"})
_CONTAINERS = {
    "builtins.list", "builtins.tuple", "builtins.set", "builtins.dict", "builtins.frozenset", "typing.List",
    "typing.Sequence", "typing.Iterable", "typing.Set", "typing.Tuple", "typing.Dict", "collections.abc.Sequence",
    "collections.abc.Iterable", "typing.Collection", "collections.abc.Collection",
}  # fmt: skip
_YIELDED = {
    "typing.Generator", "typing.Iterator", "typing.AsyncGenerator", "typing.AsyncIterator", "typing.Awaitable",
    "collections.abc.Generator", "collections.abc.Iterator", "collections.abc.AsyncGenerator",
    "collections.abc.AsyncIterator", "collections.abc.Awaitable", "typing.ContextManager",
    "contextlib.AbstractContextManager",
}  # fmt: skip


class _Answers:
    """Remembers what was worked out, and keeps cycles from running for ever.

    A question met again while it is being worked on has no answer yet. An unknown that came about that way holds only
    for the question at the bottom of the stack: it is forgotten when that one is answered.
    """

    def __init__(self) -> None:
        self._final: dict[object, Value | None] = {}
        self._provisional: set[object] = set()
        self._depth: dict[object, int] = {}
        self._lowest_cut = _NO_CUT

    @property
    def is_complete(self) -> bool:
        """Whether nothing is being worked out just now, so that an unknown is one for good."""
        return not self._depth

    def of(self, question: object, work: Callable[[], Value | None]) -> Value | None:
        if question in self._final:
            return self._final[question]
        if question in self._provisional:
            self._lowest_cut = 0
            return None
        depth = len(self._depth)
        if question in self._depth or depth > _DEEPEST:
            self._lowest_cut = min(self._lowest_cut, self._depth.get(question, 0))
            return None
        outer_cut, self._lowest_cut = self._lowest_cut, _NO_CUT
        self._depth[question] = depth
        try:
            value = work()
        finally:
            del self._depth[question]
        if value is not None or self._lowest_cut >= depth:
            self._final[question] = value
        else:
            self._provisional.add(question)
            outer_cut = min(outer_cut, self._lowest_cut)
        self._lowest_cut = outer_cut
        if not self._depth:
            self._provisional.clear()
            self._lowest_cut = _NO_CUT
        return value

    def hang(self) -> None:
        """The question in work hangs on something unfinished: an unknown is not its last word."""
        self._lowest_cut = 0


class OutOfSightError(Exception):
    """A part of a tree was linked alone, and turned out to speak of a module that is in another part."""


class _Modules(dict[str, Module]):
    """Modules by path. Asked for one that is in the tree and was not given, it raises OutOfSightError."""

    def __init__(self, modules: Iterable[Module], index: ModuleIndex | None) -> None:
        super().__init__((m.path, m) for m in sorted(modules, key=lambda m: m.path))
        self._paths = index.paths if index is not None else frozenset(self)

    def __missing__(self, path: str) -> Module:
        if path in self._paths:
            raise OutOfSightError(path)
        raise KeyError(path)

    def __contains__(self, path: object) -> bool:
        if super().__contains__(path):
            return True
        if path in self._paths:
            raise OutOfSightError(str(path))
        return False


class Project:
    """All Python modules of the scanned tree, or of a part of it; `index` then knows those of the whole tree."""

    def __init__(self, modules: Iterable[Module], index: ModuleIndex | None = None) -> None:
        self.modules = _Modules(modules, index)
        self._index = index or ModuleIndex(self.modules)
        self._answers = _Answers()
        self._mro: dict[ClassSymbol, tuple[ClassSymbol | External, ...]] = {}
        self._base_names: dict[tuple[ClassSymbol | External, ...], frozenset[str]] = {}
        self._exports: dict[tuple[str, str], list[Value]] = {}
        self._listings = Exports(self)
        self._imports: dict[Module, set[Module]] = {}
        self._callers: dict[str, dict[Value, list[tuple[form.Call, Scope]]]] = {}
        self._callers_in_work: set[str] = set()
        self._calls_by_name: dict[str, list[tuple[form.Call, Scope]]] | None = None
        self._subclasses: dict[ClassSymbol, list[ClassSymbol]] | None = None

    # --- the whole project ---

    @property
    def functions(self) -> Iterator[FunctionSymbol]:
        for module in self.modules.values():
            yield from module.functions

    @property
    def classes(self) -> Iterator[ClassSymbol]:
        for module in self.modules.values():
            yield from module.classes

    def classes_named(self, name: str) -> Sequence[ClassSymbol]:
        """Classes of that name, in order of path and position."""
        return self._classes_by_name.get(name, ())

    @cached_property
    def _classes_by_name(self) -> dict[str, list[ClassSymbol]]:
        found: dict[str, list[ClassSymbol]] = {}
        for cls in self.classes:
            found.setdefault(cls.name, []).append(cls)
        return found

    @property
    def calls(self) -> Iterator[tuple[form.Call, Scope]]:
        for module in self.modules.values():
            yield from module.calls

    def functions_taking(self, parameter: str) -> Sequence[FunctionSymbol]:
        """Functions with a parameter of that name, in order of path and position."""
        return self._by_parameter.get(parameter, ())

    @cached_property
    def _by_parameter(self) -> dict[str, list[FunctionSymbol]]:
        found: dict[str, list[FunctionSymbol]] = {}
        for function in self.functions:
            for name in {p.name for p in function.parameters}:
                found.setdefault(name, []).append(function)
        return found

    def calls_named(self, *names: str) -> Iterator[tuple[form.Call, Scope]]:
        """Calls whose callee's last name is one of `names`, in order of path and position."""
        if self._calls_by_name is None:
            self._calls_by_name = {}
            for module in self.modules.values():
                for name, calls in module.calls_by_name.items():
                    self._calls_by_name.setdefault(name, []).extend(calls)
        for name in names:
            yield from self._calls_by_name.get(name, ())

    def callers(self, function: FunctionSymbol) -> list[tuple[form.Call, Scope]]:
        """Call sites that resolve to the function; calls of its class where it is `__init__`."""
        owner = function.owner
        if owner is not None and function.name == "__init__":
            return self._callers_of_name(owner.name).get(owner, [])
        return self._callers_of_name(function.name).get(function, [])

    def _callers_of_name(self, name: str) -> dict[Value, list[tuple[form.Call, Scope]]]:
        """All calls by that name, by what they resolve to: worked out for a name at once, because a name such as
        `get` has hundreds of functions and thousands of calls.
        """
        if name in self._callers_in_work:
            self._answers.hang()
            return {}
        if name not in self._callers:
            self._callers_in_work.add(name)
            found: dict[Value, list[tuple[form.Call, Scope]]] = {}
            named = self.calls_named(name, *sorted(self._aliases.get(name, ())))
            for call, scope in (*named, *self._calls_in_loops.get(name, ())):
                for callee in self._callees(call.func, scope):
                    target = callee.function if isinstance(callee, BoundMethod) else callee
                    if isinstance(target, FunctionSymbol | ClassSymbol):
                        found.setdefault(target, []).append((call, scope))
            self._callers_in_work.discard(name)
            self._callers[name] = found
        return self._callers[name]

    def aliases_of(self, name: str) -> Iterable[str]:
        """Other names that imports anywhere give something of that name."""
        return self._aliases.get(name, ())

    @cached_property
    def _aliases(self) -> dict[str, set[str]]:
        """Other names that imports give something, by its own: `from .views import init as init_views`."""
        found: dict[str, set[str]] = {}
        scopes = (scope for module in self.modules.values() for scope in module.scopes)
        for local, bindings in (pair for scope in scopes for pair in scope.bindings.items()):
            for binding in bindings:
                if binding.how is How.IMPORT_FROM and binding.name != local:
                    found.setdefault(binding.name, set()).add(local)
        return found

    @cached_property
    def _calls_in_loops(self) -> dict[str, list[tuple[form.Call, Scope]]]:
        """Calls of what a loop goes through, `for set_up in (add_routes, add_pages): set_up(app)`, by its names."""
        found: dict[str, list[tuple[form.Call, Scope]]] = {}
        for call, scope in self.calls:
            if not isinstance(call.func, form.Name) or call.func.id not in scope.module.loop_names:
                continue
            for item, _ in self._looped_over(call.func, scope):
                name = last_name(item)
                if name is not None:
                    found.setdefault(name, []).append((call, scope))
        return found

    def _callees(self, func: form.Expr, scope: Scope) -> list[Value | None]:
        """What a call calls: in `for part in (users, orders): part.setup(app)`, the `setup` of each of them."""
        called = self._looped_over(func, scope)
        if called:
            return [self.infer(*item) for item in called]
        owners = self._looped_over(func.value, scope) if isinstance(func, form.Attr) else []
        if owners and isinstance(func, form.Attr):
            return [self._attribute(self.infer(*owner), func.attr) for owner in owners]
        return [self.infer(func, scope)]

    def _looped_over(self, node: form.Expr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
        """The items of a written-out list that the name is the loop variable over."""
        if not isinstance(node, form.Name):
            return []
        loops = [b.value for b in scope.lookup(node.id, node.start) if b.how is How.FOR and b.index is None]
        iterated = self.infer(loops[0], scope) if len(loops) == 1 and loops[0] is not None else None
        if isinstance(iterated, Literal) and isinstance(iterated.node, form.Display):
            return [(item, iterated.scope) for item in iterated.node.items]
        return []

    def subclasses(self, cls: ClassSymbol) -> list[ClassSymbol]:
        """Direct and indirect subclasses in the project."""
        if self._subclasses is None:
            self._subclasses = {}
            for candidate in self.classes:
                for base in self.mro(candidate)[1:]:
                    if isinstance(base, ClassSymbol):
                        self._subclasses.setdefault(base, []).append(candidate)
        return self._subclasses.get(cls, [])

    # --- names over modules ---

    def module_named(self, dotted_name: str, importer: str) -> Module | Namespace | None:
        path = self._index.find(dotted_name, importer)
        return self.modules[path] if path else None

    def import_module(self, binding_module: str, level: int, importer: Module) -> Module | Namespace | External | None:
        """What the module part of an import statement means."""
        if level:
            path = self._index.find_relative(binding_module, level, importer.path)
            if path is not None:
                return self.modules[path]
            return Namespace(self._index.folder_of_relative(binding_module, level, importer.path))
        return self.module_named(binding_module, importer.path) or External(binding_module)

    @cached_property
    def imported_packages(self) -> frozenset[str]:
        """The top-level packages that anything in the tree imports by an absolute name."""
        return frozenset(package for module in self.modules.values() for package in module.imported_packages)

    def imports(self, module: Module) -> set[Module]:
        """The project modules that the module imports anywhere in it."""
        if module not in self._imports:
            self._imports[module] = self._imported_modules(module)
        return self._imports[module]

    def _imported_modules(self, module: Module) -> set[Module]:
        found: set[Module] = set()
        for binding in module.imports:
            source = self.import_module(binding.module, binding.level, module)
            member = self._index.submodule(_place(source), binding.name) if binding.name and source else None
            if member is not None:
                found.add(self.modules[member])
            elif isinstance(source, Module):
                found.add(source)
        stars = (self.import_module(star.module, star.level, module) for star in module.star_imports)
        return found | {s for s in stars if isinstance(s, Module)}

    def member(self, owner: Module | Namespace, name: str) -> Value | None:
        """`owner.name`: a definition, something it imported, or a submodule."""
        values = self.members(owner, name)
        return values[-1] if values else None

    def members(self, owner: Module | Namespace, name: str) -> list[Value]:
        """All values the name may have there: a name bound in `try` and in `except` has two."""
        path = owner.path if isinstance(owner, Module) else owner.folder
        key = (path, name)
        if key in self._exports:
            return self._exports[key]
        submodule = self._index.submodule(path, name)
        below: list[Value] = [self.modules[submodule]] if submodule is not None else []
        self._exports[key] = below  # what a package that imports from itself means
        found = (self._own_members(owner, name) if isinstance(owner, Module) else []) or below
        if found or self._answers.is_complete:
            self._exports[key] = found
        else:
            del self._exports[key]
        return found

    def _own_members(self, module: Module, name: str, before: int | None = None) -> list[Value]:
        """What statements (those before an offset) bind the name to; star imports count where they stand."""
        bindings = _bound_before(module.scope.bindings.get(name, []), before)
        own = [v for b in bindings if (v := self.binding_value(b)) is not None]
        last = bindings[-1].offset if bindings else -1
        earlier: list[Value] = []
        later: list[Value] = []
        for star in module.star_imports:
            if before is None or star.start < before:
                (later if star.start > last else earlier).extend(self._starred(star, module, name))
        return [*(earlier if own or not bindings else ()), *own, *later]

    def _starred(self, star: form.ImportFrom, module: Module, name: str) -> list[Value]:
        source = self.import_module(star.module, star.level, module)
        if isinstance(source, Module) and source is not module and self._is_exported(source, name):
            return self.members(source, name)
        return []

    def _is_exported(self, module: Module, name: str) -> bool:
        listed = self._listings.listed(module)
        return name in listed if listed is not None else not name.startswith("_")

    # --- classes ---

    def mro(self, cls: ClassSymbol) -> tuple[ClassSymbol | External, ...]:
        """The class and its bases in Python's method resolution order; a base that can't be resolved is left out."""
        if cls in self._mro:
            return self._mro[cls]
        self._mro[cls] = (cls,)  # the answer for a class that derives from itself
        bases = [base for arg in cls.node.bases if (base := self._base(arg, cls)) is not None]
        orders = [self.mro(base) if isinstance(base, ClassSymbol) else (base,) for base in bases]
        self._mro[cls] = (cls, *merged([*orders, tuple(bases)]))
        return self._mro[cls]

    def _base(self, arg: form.Arg, cls: ClassSymbol) -> ClassSymbol | External | None:
        if arg.name is not None or arg.star:
            return None
        value = self.infer(arg.value, cls.outer)
        if value is None and isinstance(arg.value, form.Subscript):
            value = self.infer(arg.value.value, cls.outer)
        match value:
            case ClassSymbol():
                return value
            case External(name=name):
                return External(canonical(name))
            case Instance(cls=None, type_name=name):
                # `class Base(declarative_base())`, `class A(with_metaclass(...))`: what the call gives is the base.
                return External(name)
        return None

    def base_names(self, cls: ClassSymbol) -> frozenset[str]:
        """Dotted names of all library classes it derives from."""
        order = self.mro(cls)
        names = self._base_names.get(order)
        if names is None:
            names = self._base_names[order] = frozenset(b.name for b in order if isinstance(b, External))
        return names

    def is_subclass(self, cls: ClassSymbol, *names: str) -> bool:
        return not self.base_names(cls).isdisjoint(names)

    def class_member(self, cls: ClassSymbol, name: str, after: ClassSymbol | None = None) -> list[Binding]:
        """The bindings of the name in the first class of the MRO that has it (`after` one, for `super()`)."""
        order = self.mro(cls)
        if after is not None and after in order:
            order = order[order.index(after) + 1 :]
        for base in order:
            if isinstance(base, ClassSymbol) and (found := base.own(name)):
                return found
        return []

    def method(self, cls: ClassSymbol, name: str) -> FunctionSymbol | None:
        """The method the class has by that name, inherited ones included."""
        bindings = self.class_member(cls, name)
        if not bindings or bindings[-1].function is not None or bindings[-1].how is not How.ASSIGN:
            return bindings[-1].function if bindings else None
        alias = self.binding_value(bindings[-1])  # `post = get`
        return alias if isinstance(alias, FunctionSymbol) else None

    def class_attribute(self, cls: ClassSymbol, name: str) -> tuple[form.Expr, Scope] | None:
        """The expression last assigned to the attribute in the nearest class that has it."""
        bindings = self.class_member(cls, name)
        if bindings and bindings[-1].value is not None and bindings[-1].how is How.ASSIGN:
            return bindings[-1].value, bindings[-1].scope
        return None

    def instance_attributes(self, cls: ClassSymbol, name: str) -> list[tuple[form.Expr, Scope]]:
        """What `self.name = ...` assigns in methods of the class and its bases."""
        bases = (base for base in self.mro(cls) if isinstance(base, ClassSymbol))
        return [found for base in bases for found in base.assigned_to_self.get(name, ())]

    # --- values ---

    def infer(self, node: form.Expr, scope: Scope) -> Value | None:
        """What the expression stands for; None when it can't be told."""
        return self._answers.of(node, lambda: self._infer(node, scope))

    def _infer(self, node: form.Expr, scope: Scope) -> Value | None:
        match node:
            case form.Name(id=name, start=start):
                return self._name(name, scope, start)
            case form.Attr(value=base, attr=attr):
                return self._attribute(self.infer(base, scope), attr)
            case form.Call():
                return self._call(node, scope)
            case form.Await(value=inner) | form.Starred(value=inner) | form.Walrus(value=inner):
                return self.infer(inner, scope)
            case form.Conditional(body=body, orelse=orelse):
                return self.infer(body, scope) or self.infer(orelse, scope)
            case form.Boolean(values=values):
                return next((v for x in values if (v := self.infer(x, scope)) is not None), None)
            case form.Subscript(value=base, index=index):
                return self._subscript(base, index, scope)
            case form.Const() | form.Display() | form.Dict() | form.Template() | form.Comprehension() | form.Lambda():
                return Literal(node, scope)
            case form.Binary(op="|"):
                return self.infer(node.left, scope) or self.infer(node.right, scope)
        return None

    def _name(self, name: str, scope: Scope, at: int) -> Value | None:
        bindings = scope.lookup(name, at)
        module = scope.module
        # The body of a module or class runs once, from top to bottom: what comes later isn't known yet.
        before = at if scope.enclosing_function is None else None
        if not bindings or (module.star_imports and bindings[0].scope is module.scope):
            found = self._own_members(module, name, before)
            if found or bindings:
                return found[-1] if found else None
            return External(f"builtins.{name}") if name in _BUILTINS else self._of_starred_library(module, name)
        for binding in reversed(_bound_before(bindings, before)):
            value = self.binding_value(binding)
            if value is not None:
                return value
        return None

    def _of_starred_library(self, module: Module, name: str) -> External | None:
        """A name that nothing binds is a library's where `from library import *` stands, if only one does."""
        sources = (self.import_module(star.module, star.level, module) for star in module.star_imports)
        libraries = [source for source in sources if isinstance(source, External)]
        return External(canonical(f"{libraries[0].name}.{name}")) if len(libraries) == 1 else None

    def binding_value(self, binding: Binding) -> Value | None:
        """What one binding gives its name."""
        return self._answers.of(binding, lambda: self._binding_value(binding))

    def _binding_value(self, binding: Binding) -> Value | None:
        match binding.how:
            case How.FUNCTION:
                return binding.function
            case How.CLASS:
                return binding.cls
            case How.IMPORT:
                return self._imported_package(binding)
            case How.IMPORT_FROM:
                return self._imported(binding)
            case How.PARAMETER:
                return self._parameter(binding)
            case How.ASSIGN if binding.value is not None:
                value = self.infer(binding.value, binding.scope)
                if value is None and binding.annotation is not None:
                    return self.annotated(binding.annotation, binding.scope)
                return value
            case How.ASSIGN if binding.annotation is not None:
                return self.annotated(binding.annotation, binding.scope)
            case How.WITH if binding.value is not None:
                return self._entered(self.infer(binding.value, binding.scope))
            case How.FOR if binding.value is not None and binding.index is None:
                return self._element(binding.value, binding.scope)
            case How.EXCEPT if binding.value is not None:
                raised = self.infer(binding.value, binding.scope)
                return self.instance_of(raised) if raised is not None else None
        return None

    def _imported_package(self, binding: Binding) -> Value | None:
        """`import a.b` binds `a`: which may be a folder without `__init__.py` where only `a.b` is a file."""
        found = self.import_module(binding.module, 0, binding.scope.module)
        if isinstance(found, External) and binding.name != binding.module:
            path = self._index.find(binding.name, binding.scope.module.path)
            if path is not None:
                levels = binding.name.count(".") - binding.module.count(".") + path.endswith("__init__.py")
                return Namespace(str(PurePosixPath(path).parents[levels - 1]))
        return found

    def _imported(self, binding: Binding) -> Value | None:
        """What `from module import name` binds."""
        source = self.import_module(binding.module, binding.level, binding.scope.module)
        if isinstance(source, External):
            # A folder without an `__init__.py` is a package too (PEP 420).
            dotted = f"{source.name}.{binding.name}"
            found = self.module_named(dotted, binding.scope.module.path) or self._beside(binding)
            return found or External(canonical(dotted))
        return self.member(source, binding.name) if source is not None else None

    def _beside(self, binding: Binding) -> Value | None:
        """What a script in a package's folder imports from the file beside it, if that file defines the name.

        A `celery.py` that itself does `from celery import Celery` defines nothing of that name, and so is not meant.
        """
        path = self._index.sibling(binding.module, binding.scope.module.path)
        if path is None:
            return None
        bindings = self.modules[path].scope.bindings.get(binding.name, ())
        defined = [b for b in bindings if b.how in (How.FUNCTION, How.CLASS, How.ASSIGN)]
        return self.binding_value(defined[-1]) if defined else None

    def _parameter(self, binding: Binding) -> Value | None:
        function, param = binding.function, binding.param
        assert function is not None
        assert param is not None
        if function.owner is not None and function.node.params[0] is param and not function.is_static():
            if any(form.dotted(d) == "classmethod" for d in function.decorators):
                return function.owner
            return Instance(function.owner, function.owner.id)
        if binding.annotation is not None:
            value = self.annotated(binding.annotation, function.outer)
            if value is not None:
                return value
        if binding.value is not None and isinstance(binding.value, form.Call):
            injected = self._injected(binding.value, function.outer)
            if injected is not None:
                return injected
        return self._from_callers(function, param)

    def _injected(self, call: form.Call, scope: Scope) -> Value | None:
        """The value of a parameter whose default is `Depends(function)`."""
        callee = self.infer(call.func, scope)
        if not isinstance(callee, External) or last_part(callee.name) not in ("Depends", "Security"):
            return None
        provider = call.argument(0, "dependency")
        return self.result(self.infer(provider, scope)) if provider is not None else None

    def _from_callers(self, function: FunctionSymbol, param: form.Param) -> Value | None:
        if param.kind in (form.ParamKind.VAR_POSITIONAL, form.ParamKind.VAR_KEYWORD):
            return None
        for index, (call, scope) in enumerate(self.callers(function)):
            if index >= _MOST_CALLERS:
                break
            argument = self.bound_argument(call, function, param)
            if argument is not None and (value := self.infer(argument, scope)) is not None:
                return value
        return None

    def bound_argument(self, call: form.Call, function: FunctionSymbol, param: form.Param) -> form.Expr | None:
        """The argument that a call binds to a parameter of a function of the project."""
        params = [p for p in function.parameters if p.kind is not form.ParamKind.KEYWORD_ONLY]
        index = params.index(param) if param in params else len(call.args)
        return call.argument(index, param.name)

    def annotated(self, annotation: form.Expr, scope: Scope) -> Value | None:
        """The value of a name declared with the annotation: of `type[X]`, the class itself."""
        if isinstance(annotation, form.Subscript) and self._is_type(annotation.value, scope):
            return self.annotation_class(annotation.index, scope)
        cls = self.annotation_class(annotation, scope)
        return self.instance_of(cls) if cls is not None else None

    def annotation_class(self, annotation: form.Expr, scope: Scope) -> Value | None:
        """The class that an annotation names, through Optional, Annotated, unions with None and aliases.

        Containers give the container. `Annotated[X, Depends(f)]` gives X, or what f returns where X says nothing.
        """
        match annotation:
            case form.Const(value=str() as text):
                parsed = _dotted_expression(text, annotation)
                return self.annotation_class(parsed, scope) if parsed is not None else None
            case form.Const():
                return None
            case form.Binary(op="|", left=left, right=right):
                return self.annotation_class(left, scope) or self.annotation_class(right, scope)
            case form.Subscript(value=base, index=index):
                generic = self.infer(base, scope)
                name = generic.name if isinstance(generic, External) else ""
                arguments = index.items if isinstance(index, form.Display) else [index]
                if name in _WRAPPERS or name in _YIELDED or name == "typing.Union":
                    found = (self.annotation_class(a, scope) for a in arguments)
                    return next((f for f in found if f is not None), None)
                return generic
        value = self.infer(annotation, scope)
        if isinstance(value, Instance) and value.origin is None:
            # The name of an alias such as `Db = Annotated[Session, Depends(get_db)]` was already seen through.
            return value.cls or External(value.type_name)
        return value

    def _is_type(self, node: form.Expr, scope: Scope) -> bool:
        value = self.infer(node, scope)
        return isinstance(value, External) and value.name in ("builtins.type", "typing.Type")

    def annotation_element(self, annotation: form.Expr, scope: Scope) -> form.Expr | None:
        """X of `list[X]`, `Sequence[X]` and the like, through Optional and Annotated; None for no collection."""
        match annotation:
            case form.Binary(op="|", left=left, right=right):
                return self.annotation_element(left, scope) or self.annotation_element(right, scope)
            case form.Subscript(value=base, index=index):
                generic = self.infer(base, scope)
                arguments = index.items if isinstance(index, form.Display) and index.items else [index]
                if isinstance(generic, External):
                    if generic.name in _CONTAINERS and last_part(generic.name).lower() != "dict":
                        return arguments[0]
                    if generic.name in _WRAPPERS or generic.name in _YIELDED:
                        return self.annotation_element(arguments[0], scope)
        return None

    def instance_of(self, cls: Value) -> Value | None:
        """An object of the class, or of the library type of that name."""
        if isinstance(cls, ClassSymbol):
            return Instance(cls, cls.id)
        if isinstance(cls, External):
            return Instance(None, canonical(cls.name))
        return cls if isinstance(cls, Instance) else None

    def _entered(self, manager: Value | None) -> Value | None:
        """What `with manager as name` binds."""
        if isinstance(manager, Instance) and manager.cls is not None:
            enter = self.method(manager.cls, "__enter__") or self.method(manager.cls, "__aenter__")
            if enter is not None:
                return self.result(BoundMethod(enter, manager)) or manager
        return manager

    def _element(self, iterated: form.Expr, scope: Scope) -> Value | None:
        """What a loop over the expression binds, where that is one thing."""
        value = self.infer(iterated, scope)
        if isinstance(value, Literal) and isinstance(value.node, form.Display) and value.node.items:
            return self.infer(value.node.items[0], value.scope)
        return None

    def _attribute(self, base: Value | None, attr: str) -> Value | None:
        match base:
            case Module() | Namespace():
                return self.member(base, attr)
            case External(name=name):
                return External(canonical(f"{name}.{attr}"))
            case ClassSymbol():
                return self._class_attribute_value(base, attr, None)
            case SuperProxy(cls=cls, receiver=receiver):
                return self._class_attribute_value(receiver.cls or cls, attr, receiver, after=cls)
            case Instance(cls=None, type_name=type_name):
                return External(f"{type_name}.{attr}")
            case Instance(cls=cls) if cls is not None:
                return self._class_attribute_value(cls, attr, base)
            case Literal(node=node):
                return External(f"builtins.{_literal_type(node)}.{attr}")
        return None

    def _class_attribute_value(
        self, cls: ClassSymbol, attr: str, receiver: Instance | None, after: ClassSymbol | None = None
    ) -> Value | None:
        for binding in reversed(self.class_member(cls, attr, after)):
            value = self.binding_value(binding)
            if isinstance(value, FunctionSymbol) and receiver is not None:
                if _is_property(value):
                    return self.result(BoundMethod(value, receiver))
                return BoundMethod(value, receiver)
            if value is not None:
                return value
        if receiver is not None:
            for expression, scope in reversed(self.instance_attributes(cls, attr)):
                value = self.infer(expression, scope)
                if value is not None:
                    return value
        order = self.mro(cls)
        if after is not None and after in order:
            order = order[order.index(after) + 1 :]
        library_base = next((b for b in order if isinstance(b, External)), None)
        if library_base is not None:
            return External(f"{library_base.name}.{attr}")
        return None

    def _subscript(self, base: form.Expr, index: form.Expr, scope: Scope) -> Value | None:
        value = self.infer(base, scope)
        if isinstance(value, External) and (value.name in _WRAPPERS or value.name == "typing.Union"):
            inner = index.items[0] if isinstance(index, form.Display) and index.items else index
            known = self.annotation_class(inner, scope)
            if known is not None:
                return known
        if isinstance(value, Literal) and isinstance(index, form.Const):
            item = literal_item(value.node, index.value)
            return self.infer(item, value.scope) if item is not None else None
        if isinstance(value, External | ClassSymbol):
            return value  # a parametrised generic
        return None

    def _call(self, call: form.Call, scope: Scope) -> Value | None:
        callee = self.infer(call.func, scope)
        if isinstance(callee, External):
            if callee.name == "builtins.super":
                return self._super(scope)
            if callee.name in ("typing.cast", "typing.NewType"):
                target = call.argument(0, "typ")
                return self.annotated(target, scope) if target is not None else None
            if callee.name == "builtins.getattr":
                return self._getattr(call, scope)
            return Instance(None, result_of_call(callee.name), call, scope)
        if isinstance(callee, ClassSymbol):
            return Instance(callee, callee.id, call, scope)
        if isinstance(callee, Instance):
            return self._call_of_instance(callee, call, scope)
        return self.result(callee)

    def _call_of_instance(self, callee: Instance, call: form.Call, scope: Scope) -> Value | None:
        if callee.cls is not None:
            dunder = self.method(callee.cls, "__call__")
            return self.result(BoundMethod(dunder, callee)) if dunder is not None else None
        given = result_of_instance_call(callee.type_name)
        return Instance(None, given, call, scope) if given else None

    def _getattr(self, call: form.Call, scope: Scope) -> Value | None:
        name = call.argument(1, "name")
        owner = call.argument(0, "o")
        if owner is None or not isinstance(name, form.Const) or not isinstance(name.value, str):
            return None
        return self._attribute(self.infer(owner, scope), name.value)

    def _super(self, scope: Scope) -> Value | None:
        function = scope.function
        while function is not None and function.owner is None:
            function = function.outer.function
        if function is None or function.owner is None:
            return None
        return SuperProxy(function.owner, Instance(function.owner, function.owner.id))

    def result(self, callee: Value | None) -> Value | None:
        """What calling a function of the project gives: by its annotation, else by what it returns."""
        function = callee.function if isinstance(callee, BoundMethod) else callee
        if isinstance(function, ClassSymbol):
            return Instance(function, function.id)
        if isinstance(function, External):
            return Instance(None, result_of_call(function.name))
        if not isinstance(function, FunctionSymbol):
            return None
        return self._answers.of(function, lambda: self._result(function))

    def _result(self, function: FunctionSymbol) -> Value | None:
        if function.node.returns is not None:
            value = self.annotated(function.node.returns, function.outer)
            if value is not None:
                return value
        for node in function.walk():
            if isinstance(node, form.Return | form.Yield) and node.value is not None:
                value = self.infer(node.value, function.scope)
                if value is not None and not (isinstance(value, Literal) and isinstance(value.node, form.Const)):
                    return value
        return None

    # --- conveniences for framework modules ---

    def callee_name(self, call: form.Call, scope: Scope) -> str | None:
        """The dotted name of the library function that is called, or None."""
        value = self.infer(call.func, scope)
        return value.name if isinstance(value, External) else None

    def callee_function(self, call: form.Call, scope: Scope) -> FunctionSymbol | None:
        """The project function that is called: a method's, or a class's `__init__`."""
        value = self.infer(call.func, scope)
        if isinstance(value, BoundMethod):
            return value.function
        if isinstance(value, ClassSymbol):
            return self.method(value, "__init__")
        return value if isinstance(value, FunctionSymbol) else None

    def qualified_name(self, node: form.Expr, scope: Scope) -> str | None:
        """The dotted name of what the expression stands for: a library's, or `module:qualname` in the project."""
        value = self.infer(node, scope)
        match value:
            case External(name=name):
                return name
            case FunctionSymbol() | ClassSymbol():
                return value.id
            case BoundMethod(function=function):
                return function.id
            case Module():
                return value.name
            case Instance():
                return value.type_name
        return None


def _bound_before(bindings: list[Binding], offset: int | None) -> list[Binding]:
    """The bindings that were made when the place at the offset is reached; all of them where none was, or for None."""
    if offset is None:
        return bindings
    return [b for b in bindings if _made_at(b) <= offset] or bindings


def _made_at(binding: Binding) -> int:
    """Where the name has its value: `class View(View)` derives from the View before it, `x = f(x)` asks the old `x`."""
    if binding.cls is not None:
        return binding.cls.node.end
    return max(binding.offset, binding.value.end if binding.value is not None else 0)


def _place(source: Module | Namespace | External) -> str:
    if isinstance(source, Module):
        return source.path
    return source.folder if isinstance(source, Namespace) else source.name


def merged(orders: list[tuple[ClassSymbol | External, ...]]) -> list[ClassSymbol | External]:
    """The C3 merge of Python's method resolution order: of the bases' orders, and last of the bases themselves.

    Where there is none (Python would refuse the class, or a base was misread): depth first, later duplicates kept.
    Source: https://docs.python.org/3/howto/mro.html
    """
    result: list[ClassSymbol | External] = []
    rest = [order for order in orders if order]
    while rest:
        head = next((o[0] for o in rest if not any(o[0] in other[1:] for other in rest)), None)
        if head is None:
            flat = [item for order in orders[:-1] for item in order]
            return [item for index, item in enumerate(flat) if item not in flat[index + 1 :]]
        result.append(head)
        rest = [order for o in rest if (order := o[1:] if o[0] == head else o)]
    return result


def _literal_type(node: form.Expr) -> str:
    match node:
        case form.Const(value=value):
            return type(value).__name__
        case form.Display(kind=kind) | form.Comprehension(kind=kind):
            return kind
        case form.Dict():
            return "dict"
        case form.Lambda():
            return "function"
    return "str"


def _is_property(function: FunctionSymbol) -> bool:
    return any((form.dotted(d) or "").endswith("property") for d in function.decorators)


def literal_item(node: form.Expr, key: object) -> form.Expr | None:
    """`node[key]` of a literal dict, list or tuple."""
    if isinstance(node, form.Dict):
        for candidate, value in zip(node.keys, node.values, strict=True):
            if isinstance(candidate, form.Const) and candidate.value == key:
                return value
    if isinstance(node, form.Display) and isinstance(key, int) and -len(node.items) <= key < len(node.items):
        return node.items[key]
    return None


def last_name(node: form.Expr) -> str | None:
    """`c` of `a.b.c` and of `c`."""
    if isinstance(node, form.Attr):
        return node.attr
    return node.id if isinstance(node, form.Name) else None


def last_part(dotted_name: str) -> str:
    """`c` of the text `a.b.c`."""
    return dotted_name.rsplit(".", 1)[-1]


def _dotted_expression(text: str, at: form.Node) -> form.Expr | None:
    """A quoted annotation that is only a dotted name, as the expression it quotes."""
    parts = text.strip().split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    expression: form.Expr = form.Name(start=at.start, end=at.end, id=parts[0])
    for part in parts[1:]:
        expression = form.Attr(start=at.start, end=at.end, value=expression, attr=part, attr_start=at.start)
    return expression
