"""The keys that libraries keep results under: what is in them by default, and what their arguments put there.

https://docs.djangoproject.com/en/stable/topics/cache/#the-per-view-cache, https://code.djangoproject.com/ticket/15855,
https://flask-caching.readthedocs.io/en/latest/api.html, https://github.com/long2ice/fastapi-cache
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from assay.scanner.caching.key_contents import SAYING_WHO, Key, made_by, requests_of
from assay.scanner.caching.operations import CacheCall
from assay.scanner.caching.results import Results
from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.model.cached_result import InputKind
from assay.scanner.readers.python import form

_PLACEHOLDER = re.compile(r"\{(\w+)")
_OF_URL = frozenset({InputKind.PATH, InputKind.QUERY, InputKind.HOST})
_NO_POST = frozenset({InputKind.BODY})
_UNSHARED = frozenset({"never_cache"})


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """What a call that keeps something is applied to, with the decorators outside and inside of it."""

    function: FunctionSymbol | None = None
    view: ClassSymbol | None = None
    outer: tuple[Sited, ...] = ()
    inner: tuple[Sited, ...] = ()
    is_whole_view: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A call that keeps something, whose key is asked for."""

    found: CacheCall
    around: Around
    results: Results
    project: Project

    @property
    def call(self) -> form.Call:
        return self.found.call

    @property
    def scope(self) -> Scope:
        return self.found.scope


def library_key(asked: Asked) -> Key | None:
    """None where nothing is kept."""
    builder = _KEYS.get((asked.found.library.name, last_name(asked.call.func) or ""), _by_arguments)
    return builder(asked)


def unfolded(decorator: Sited, project: Project) -> Iterator[Sited]:
    """What a decorator stands for: the ones that `method_decorator` is given."""
    node = decorator.node
    if isinstance(node, form.Call) and last_name(node.func) == "method_decorator" and node.positional:
        given = node.positional[0]
        items = list_items(given, decorator.scope, project) or [(given, decorator.scope)]
        yield from (Sited(item, scope) for item, scope in items)
    else:
        yield decorator


def _by_page(asked: Asked) -> Key | None:
    """Django's: the URL, and the headers that the response names in `Vary` when it is kept."""
    key = Key("the URL and what `Vary` names", _OF_URL, never=_NO_POST)
    for sited in asked.around.inner:
        if last_name(_called(sited.node)) in _UNSHARED or _is_private(sited.node):
            return None
        varied = varied_headers(sited, asked.project)
        if varied is not None:
            key = replace(key, headers=key.headers | varied)
    bodies = [asked.around.function] if asked.around.function is not None else []
    if asked.around.view is not None and asked.around.is_whole_view:
        bodies += asked.around.view.methods.values()
        varied = frozenset(
            name
            for method in asked.around.view.methods.values()
            for d in method.decorators
            for s in unfolded(Sited(d, method.outer), asked.project)
            for name in varied_headers(s, asked.project) or ()
        )
        key = replace(key, headers=key.headers | varied)
    if any(_setsvaried_headers(body) for body in bodies):
        return replace(key, headers=key.headers | {"cookie"}, is_known=False)
    return key


def varied_headers(decorator: Sited, project: Project) -> frozenset[str] | None:
    """The headers that `vary_on_headers` and `vary_on_cookie` name."""
    node = decorator.node
    name = last_name(_called(node))
    if name == "vary_on_cookie":
        return frozenset({"cookie"})
    if name == "vary_on_headers" and isinstance(node, form.Call):
        texts = (string_value(a, decorator.scope, project) for a in node.positional)
        return frozenset(text.lower() for text in texts if text is not None)
    return None


def _called(node: form.Expr) -> form.Expr:
    return node.func if isinstance(node, form.Call) else node


def _is_private(node: form.Expr) -> bool:
    """`@cache_control(private=True)` keeps Django from keeping the response."""
    if not isinstance(node, form.Call) or last_name(node.func) != "cache_control":
        return False
    return any(isinstance(v := node.keyword(k), form.Const) and v.value is True for k in ("private", "no_store"))


def _setsvaried_headers(function: FunctionSymbol) -> bool:
    for node in function.nodes:
        match node:
            case form.Call(func=func) if last_name(func) in ("patch_vary_headers", "patch_cache_control"):
                return True
            case form.Assign(targets=[form.Subscript(index=form.Const(value="Vary" | "Cache-Control"))]):
                return True
    return False


def _by_flask_path(asked: Asked) -> Key | None:
    call, scope = asked.call, asked.scope
    made = call.keyword("make_cache_key")
    prefix = call.argument(1, "key_prefix")
    text = string_value(prefix, scope, asked.project) if prefix is not None else "view/%s"
    by_query = call.keyword("query_string")
    if made is not None:
        key = made_by(made, scope, asked.around.function, asked.results, asked.project)
    elif text is None and prefix is not None and _is_callable(prefix, scope, asked.project):
        key = made_by(prefix, scope, asked.around.function, asked.results, asked.project)
    elif text is None:
        key = Key("a prefix that can't be told", is_known=False)
    elif "%s" in text:
        key = Key("the path", frozenset({InputKind.PATH}))
    else:
        key = Key(f'the text "{text}"')
    if by_query is not None and not (isinstance(by_query, form.Const) and by_query.value is False):
        kinds = key.kinds | {InputKind.QUERY}
        key = replace(key, said=f"{key.said} and the query string", kinds=kinds, arguments=None)
    return _unless(call.argument(2, "unless"), key, asked)


def _unless(test: form.Expr | None, key: Key, asked: Asked) -> Key:
    """A cache that is left aside for those who are signed in doesn't mix them up."""
    if test is None:
        return key
    told = made_by(test, asked.scope, None, asked.results, asked.project)
    if not told.is_known or told.kinds & SAYING_WHO:
        return replace(key, kinds=key.kinds | SAYING_WHO | told.kinds)
    return key


def _is_callable(node: form.Expr, scope: Scope, project: Project) -> bool:
    value = project.infer(node, scope)
    return isinstance(node, form.Lambda | form.Call) or isinstance(value, FunctionSymbol | BoundMethod | Instance)


def _by_flask_arguments(asked: Asked) -> Key | None:
    ignored = asked.call.keyword("args_to_ignore")
    texts = (
        [string_value(*i, asked.project) for i in list_items(ignored, asked.scope, asked.project)] if ignored else []
    )
    key = Key("the function and its arguments", parameters=None, without=frozenset(t for t in texts if t is not None))
    return _unless(asked.call.keyword("unless"), key, asked)


def _by_arguments(asked: Asked) -> Key | None:
    """Most libraries': the function and its arguments, if they are given no text or function for it."""
    scope = asked.scope
    for name in ("key_builder", "key_func", "function_key_generator"):
        builder = asked.call.keyword(name)
        if builder is not None:
            return made_by(builder, scope, asked.around.function, asked.results, asked.project)
    template = asked.call.keyword("key")
    if template is None:
        return Key("the function and its arguments", parameters=None)
    text = string_value(template, scope, asked.project)
    if text is None:
        if _is_callable(template, scope, asked.project):
            return made_by(template, scope, asked.around.function, asked.results, asked.project)
        return Key("a key that can't be told", is_known=False)
    named = frozenset(_PLACEHOLDER.findall(text)) if asked.found.library.name == "cashews" else frozenset()
    return Key(f'the text "{text}"', parameters=named)


def _by_fastapi_cache(asked: Asked) -> Key | None:
    builder = asked.call.argument(2, "key_builder")
    site: tuple[form.Expr, Scope] | None = (builder, asked.scope) if builder is not None else None
    for call, scope in asked.project.calls_named("init") if site is None else ():
        given = call.keyword("key_builder")
        if given is not None and (asked.project.callee_name(call, scope) or "").endswith("FastAPICache.init"):
            site = (given, scope)
    is_default = site is None or last_name(site[0]) == "default_key_builder"
    if site is None or is_default:
        without = requests_of(asked.around.function)
        said = "the function and its arguments, without the request"
        return Key(said, parameters=None, without=without, never=_NO_POST)
    return replace(made_by(*site, asked.around.function, asked.results, asked.project), never=_NO_POST)


def _by_view_method(asked: Asked) -> Key | None:
    builder = asked.call.argument(1, "key_func")
    if builder is not None:
        return made_by(builder, asked.scope, asked.around.function, asked.results, asked.project)
    return Key("the view's method, format and language", _OF_URL, never=_NO_POST)


_KEYS: Mapping[tuple[str, str], Callable[[Asked], Key | None]] = {
    ("Django", "cache_page"): _by_page,
    ("Django", "cache_response"): _by_view_method,
    ("Flask-Caching", "cached"): _by_flask_path,
    ("Flask-Caching", "memoize"): _by_flask_arguments,
    ("fastapi-cache", "cache"): _by_fastapi_cache,
}
