"""Credentials that the service itself puts into URLs: of requests that it makes, and of redirects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.dataflow.keys.url_parts import LINKS, OF_OTHERS, UrlPart, is_credential, is_of_session, is_sure
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.secrets.names import is_password
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.key import UrlUse
from assay.scanner.readers.python import form

_SENDING = ("get", "post", "put", "delete", "patch", "request", "head", "stream")
_REDIRECTING = ("redirect", "RedirectResponse", "HttpResponseRedirect", "HTTPFound", "HTTPSeeOther")
_ADDRESSING = frozenset({"url_for", "reverse", "include_query_params"})
"""Calls that make a URL of a route's name; keywords that are in no path go behind the question mark."""
_ADDRESSES = frozenset({"url", "uri", "endpoint", "link", "location", "target"})
"""Words of names for URLs."""
_OF_LINKS = LINKS - OF_OTHERS - {"oauth", "email"}
_BEFORE_VALUE = re.compile(r"[?&]([\w-]+)=$")
Named = tuple[str, form.Expr, Scope]
"""The name of a part, and its value."""


def sent_in_urls(project: Project) -> Iterator[UrlPart]:
    """All of them."""
    for call, scope in project.calls_named(*_SENDING):
        params = call.keyword("params")
        named = _in_mapping(params, scope, project) if params is not None else iter(())
        for name, value, around in (*named, *_in_addresses(call, scope, project)):
            use = UrlUse.SENT if is_password(name) else UrlUse.SENT_KEY if is_sure(name) else None
            if use is not None:
                yield UrlPart(name, around, around.module.location(value), use)
    for call, scope in project.calls_named(*_REDIRECTING):
        if not _OF_LINKS.isdisjoint(words(scope.qualname)):
            continue  # what it sends the browser to is a link's own page
        for name, value, around in (*_in_addresses(call, scope, project), *_of_routes(call, scope)):
            if is_credential(name) and not is_of_session(name):
                use = UrlUse.SENT if is_password(name) else UrlUse.TOKEN
                yield UrlPart(name, around, around.module.location(value), use)


def _in_mapping(node: form.Expr, scope: Scope, project: Project) -> Iterator[Named]:
    """What a mapping holds that is written out, or the one that a name stands for."""
    match node:
        case form.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                name = string_value(key, scope, project) if key is not None else None
                if name is not None and not isinstance(value, form.Const):
                    yield name, value, scope
        case form.Call(func=form.Name(id="dict"), args=args):
            yield from ((a.name, a.value, scope) for a in args if a.name and not isinstance(a.value, form.Const))
        case form.Name():
            for made, around in definitions(node, scope, project):
                if not isinstance(made, form.Name):
                    yield from _in_mapping(made, around, project)


def _in_addresses(call: form.Call, scope: Scope, project: Project) -> Iterator[Named]:
    """What stands behind the question mark of the URLs that the call is given."""
    given = [*call.positional[:2], *(a.value for a in call.args if a.name in ("url", "location"))]
    for node in given:
        is_name = isinstance(node, form.Name) and not _ADDRESSES.isdisjoint(words(node.id))
        for made, around in definitions(node, scope, project) if is_name else [(node, scope)]:
            text = ""
            for part in _pieces(made):
                found = _BEFORE_VALUE.search(text) if not isinstance(part, str | form.Const) else None
                if found is not None and not isinstance(part, str):
                    yield found[1], part, around
                text = str(part.value) if isinstance(part, form.Const) else part if isinstance(part, str) else ""


def _pieces(node: form.Expr) -> Iterator[str | form.Expr]:
    """The texts and values that a text is put together of, in their order."""
    match node:
        case form.Template(parts=parts):
            yield from (part if isinstance(part, str) else part.value for part in parts)
        case form.Binary(op="+", left=left, right=right):
            yield from _pieces(left)
            yield from _pieces(right)
        case _:
            yield node


def _of_routes(call: form.Call, scope: Scope) -> Iterator[Named]:
    """`redirect(url_for("home", token=token))`."""
    for node in call.positional[:1]:
        if isinstance(node, form.Call) and last_name(node.func) in _ADDRESSING:
            yield from ((a.name, a.value, scope) for a in node.args if a.name and not isinstance(a.value, form.Const))
