"""Cookies: those that code sets, and those that frameworks set as they are configured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.evaluation.settings import shared_folders
from assay.scanner.configuration.meanings import Firmness, Meaning, Meanings, Stand, Taken
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.library_calls import Calls
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.safeguards.cookie_purposes import is_flag, purpose_of
from assay.scanner.dataflow.safeguards.options import CallOptions, option_of
from assay.scanner.framework import Context
from assay.scanner.libraries import CookieCall, CookieFlags, FrameworkCookie, Library, Option
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.cookie import Cookie, CookieRole
from assay.scanner.model.option import Option as Decided
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_WRAPPING = ("add_middleware", "Middleware")
"""Calls that are given a class and what to make it with."""
_JARS = frozenset({"cookies", "cookie_jar", "jar", "cookiejar"})
"""What keeps cookies that other services set."""
_RESPONSES = frozenset({"response", "resp", "res", "answer", "reply", "redirect"})
_CONFIGURING = ("from_envvar", "from_prefixed_env", "from_file", "from_json", "from_object", "from_pyfile")


def cookies(context: Context, libraries: Sequence[Library], settings: Sequence[Setting]) -> Iterator[Cookie]:
    """Every place where a cookie is set, in order of path and position."""
    return _Cookies(context, libraries, settings).all()


@dataclass(frozen=True, slots=True)
class _Place:
    """What tells the flags of one cookie: a call, settings, or both."""

    scope: Scope
    node: form.Expr
    call: form.Call | None = None
    settings: str = ""
    overrides: tuple[tuple[form.Call, Scope, CookieFlags], ...] = ()
    elsewhere: tuple[Evidence, ...] = ()
    """Where more settings come from that the source doesn't hold."""

    @property
    def location(self) -> Location:
        return self.scope.module.location(self.node)


class _Cookies:
    def __init__(self, context: Context, libraries: Sequence[Library], settings: Sequence[Setting]) -> None:
        self._project = context.project
        self._framework = [cookie for library in libraries for cookie in library.framework_cookies]
        defaults = {
            (cookie.source, option.setting): option.default
            for cookie in self._framework
            for option in (cookie.flags.secure, cookie.flags.httponly, cookie.flags.samesite)
        }
        self._production = Production(self._project, settings, defaults)
        self._options = CallOptions(self._project, self._production)
        self._calls = Calls(self._project, libraries, lambda library: library.cookies)
        self._libraries = libraries
        self._ordinals = Ordinals()

    def all(self) -> Iterator[Cookie]:
        found = [*self._set_by_calls(), *self._set_by_frameworks()]
        configured: set[tuple[str, Location]] = set()
        for place, purpose, name, flags in sorted(found, key=lambda f: f[0].location):
            cookie = self._cookie(place, purpose, name, flags)
            if not flags.secure.argument:
                # However many calls set it, the settings that decide are the same.
                if (name, cookie.location) in configured:
                    continue
                configured.add((name, cookie.location))
            yield cookie

    # --- set by calls ---

    def _set_by_calls(self) -> Iterator[tuple[_Place, CookieRole, str, CookieFlags]]:
        for found in self._calls.found():
            call, scope, model = found.node, found.scope, found.models[0]
            if self._is_on_response(call, scope) and self._counts(model, call, scope):
                yield self._of_call(call, scope, model)
        for call, scope in self._project.calls_named(*_WRAPPING):
            models = self._calls.named(self._project.infer(call.args[0].value, scope)) if call.args else []
            for model in models:
                yield self._of_call(call, scope, model)

    def _is_on_response(self, call: form.Call, scope: Scope) -> bool:
        """Not so for jars, and for the project's own methods of that name on objects whose type can't be told."""
        if not isinstance(call.func, form.Attr):
            return True
        owner = last_name(call.func.value) or ""
        if owner in _JARS:
            return False
        if self._project.infer(call.func, scope) is not None or _RESPONSES & set(words(owner)):
            return True
        return last_name(call.func) not in self._own_methods

    @cached_property
    def _own_methods(self) -> set[str]:
        """Names of methods that classes of the project define."""
        return {name for cls in self._project.classes for name in cls.methods}

    def _counts(self, model: CookieCall, call: form.Call, scope: Scope) -> bool:
        if model.role is None and self._argument(model.key, call) is None and not call.has_double_star:
            return False  # something else of that name
        return not any(self._options.holds(condition, call, scope) for condition in model.unless)

    def _argument(self, option: Option, call: form.Call) -> form.Expr | None:
        return self._options.argument(call, option.argument, option.position)

    def _of_call(self, call: form.Call, scope: Scope, model: CookieCall) -> tuple[_Place, CookieRole, str, CookieFlags]:
        key, value = self._argument(model.key, call), self._argument(model.value, call)
        names = self._names(key, scope) if key is not None else []
        purpose = model.role or self._purpose(call, scope, names, value)
        shown = names[0] if names else f"of {self._maker(call, model)}"
        return _Place(scope, call, call, model.settings), purpose, shown, model.flags

    def _maker(self, call: form.Call, model: CookieCall) -> str:
        """What sets the cookie, where the code gives it no name."""
        called = last_name(call.func) or "a cookie"
        return called if called in model.names else last_name(call.args[0].value) or called

    def _names(self, key: form.Expr, scope: Scope) -> list[str]:
        """What the cookie may be called, and how the code speaks of it where that can't be told."""
        texts = [m.value for m in self._production.meanings(key, scope)]
        spoken = _spoken(key)
        return [*(t for t in texts if isinstance(t, str) and t), *([spoken] if spoken else [])]

    def _purpose(self, call: form.Call, scope: Scope, names: list[str], value: form.Expr | None) -> CookieRole:
        values = self._production.meanings(value, scope) if value is not None else ()
        if self._is_removal(call, scope, values):
            return CookieRole.REMOVAL
        purpose = purpose_of(names, value)
        is_constant = bool(values) and all(_is_written_out(m) and isinstance(m.value, str | int) for m in values)
        if is_constant and (purpose is CookieRole.UNKNOWN or is_flag(names)):
            return CookieRole.CONSTANT
        return purpose

    def _is_removal(self, call: form.Call, scope: Scope, values: Meanings) -> bool:
        if values and all(_is_written_out(m) and m.value in (None, "") for m in values):
            return True
        ages = [node for name in ("max_age", "expires") if (node := call.keyword(name)) is not None]
        found = [m.value for node in ages for m in self._production.meanings(node, scope)]
        return any(isinstance(age, int) and not isinstance(age, bool) and age <= 0 for age in found)

    # --- set by frameworks ---

    def _set_by_frameworks(self) -> Iterator[tuple[_Place, CookieRole, str, CookieFlags]]:
        for cookie in self._framework:
            places = self._listed(cookie) if cookie.listed_in else self._of_applications(cookie)
            for place in places:
                if not self._is_done_without(cookie, place):
                    yield place, cookie.role, cookie.cookie, cookie.flags

    def _listed(self, cookie: FrameworkCookie) -> Iterator[_Place]:
        """Where the settings of a site list what sets the cookie."""
        for site in self._production.sites:
            given = self._production.given(site, cookie.listed_in)
            entries = (
                (node, scope)
                for value, scope in given
                for node in form.walk(value)
                if isinstance(node, form.Const) and node.value in cookie.names
            )
            for entry, scope in islice(entries, 1):
                yield _Place(scope, entry, None, cookie.source)

    def _of_applications(self, cookie: FrameworkCookie) -> Iterator[_Place]:
        """The applications around which code uses what needs the cookie."""
        made = self._applications(cookie.applications)
        users = [module.path for module in self._project.modules.values() if self._uses(module, cookie.names)]
        used = {_nearest(path, made) for path in users}
        overrides = self._overrides(cookie)
        for call, scope in made:
            if call in used:
                mine = tuple(o for o in overrides if _nearest(o[1].module.path, made) is call)
                elsewhere = tuple(self._configured_elsewhere(scope.module.path))
                yield _Place(scope, call, None, cookie.source, mine, elsewhere)

    def _applications(self, names: Sequence[str]) -> list[tuple[form.Call, Scope]]:
        """Calls that make an application of the library, or of a class of the project that derives from it."""
        classes = [cls for cls in self._project.classes if self._project.is_subclass(cls, *names)]
        last = {last_part(name) for name in names} | {cls.name for cls in classes}
        found: list[tuple[form.Call, Scope]] = []
        for call, scope in self._project.calls_named(*sorted(last)):
            made = self._project.infer(call.func, scope) if scope.module.role is Role.PROD else None
            if made in classes or (isinstance(made, External) and made.name in names):
                found.append((call, scope))
        return found

    def _uses(self, module: Module, names: Sequence[str]) -> bool:
        imported = (f"{binding.module}.{binding.name}" for binding in module.imports if binding.name)
        return module.role is Role.PROD and any(name in names for name in imported)

    def _overrides(self, cookie: FrameworkCookie) -> list[tuple[form.Call, Scope, CookieFlags]]:
        calls = Calls(self._project, self._libraries, lambda _: cookie.overridden_by)
        return [
            (call.node, call.scope, override.flags)
            for call in calls.in_production()
            for override in call.models
            if call.node.args
        ]

    def _configured_elsewhere(self, near: str) -> Iterator[Evidence]:
        """Settings that come from where the source doesn't reach: the environment, a file, an object."""
        for call, scope in self._project.calls_named(*_CONFIGURING):
            if isinstance(call.func, form.Attr) and last_name(call.func.value) == "config":
                is_seen = call.func.attr in ("from_object", "from_pyfile")
                if not (is_seen and self._production.is_set_in("Flask config", near)):
                    yield scope.module.evidence(call, "more settings come from here")

    def _is_done_without(self, cookie: FrameworkCookie, place: _Place) -> bool:
        path = place.scope.module.path
        found = self._production.setting(cookie.unless, cookie.source, path) if cookie.unless else None
        return found is not None and all(m.value is not UNKNOWN and bool(m.value) for m in found)

    # --- flags ---

    def _cookie(self, place: _Place, purpose: CookieRole, name: str, flags: CookieFlags) -> Cookie:
        module = place.scope.module
        secure = self._flag(flags.secure, "secure", place, _is_off)
        httponly = self._flag(flags.httponly, "httponly", place, _is_off)
        samesite = self._flag(flags.samesite, "samesite", place, _lets_others(secure))
        function = around(place.scope)
        taken = self._production.taken(place.node, place.scope) if place.call is not None else None
        return Cookie(
            function=function,
            ordinal=self._ordinals.next(function, name),
            name=name,
            purpose=purpose,
            location=self._shown_at(flags.secure, place),
            role=module.role,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            inactive=taken.evidence if taken is not None and _is_for_development(taken) else None,
        )

    def _shown_at(self, secure: Option, place: _Place) -> Location:
        """Where a person looks for it: at the setting that makes it secure, if there is one."""
        if secure.setting and not place.overrides and (place.call is None or not secure.argument):
            stated = self._production.place_of(secure.setting, place.settings, place.scope.module.path)
            if stated is not None:
                return stated
        return place.location

    def _flag(self, option: Option, flag: str, place: _Place, is_unsafe: Callable[[object], bool]) -> Decided:
        """What the flag comes to: as a later call, the call itself, the settings or the library has it."""
        if place.overrides:
            call, scope, flags = place.overrides[-1]
            return self._decided(getattr(flags, flag), call, scope, place, is_unsafe)
        return self._decided(option, place.call, place.scope, place, is_unsafe)

    def _decided(
        self,
        option: Option,
        call: form.Call | None,
        scope: Scope,
        place: _Place,
        is_unsafe: Callable[[object], bool],
    ) -> Decided:
        where = scope.module.location(call) if call is not None else place.location
        if call is not None and option.argument:
            items = self._options.given(call, scope, option.argument, option.position)
            node = self._options.argument(call, option.argument, option.position) or call
            asked = scope.module.evidence(node, f"what `{option.argument}` is here can't be told")
            if items.found:
                return option_of(items.found, is_unsafe, asked)
            if items.is_open:
                return Decided(None, (asked,))
        if option.setting:
            found = self._production.setting(option.setting, place.settings, scope.module.path)
            stated = self._production.place_of(option.setting, place.settings, scope.module.path)
            if found is not None:
                text = f"what {option.setting} comes to can't be told"
                return option_of(found, is_unsafe, Evidence(stated, text) if stated is not None else None)
            if place.elsewhere and is_unsafe(option.default):
                return Decided(None, place.elsewhere[:1])
        named = option.argument or option.setting
        text = f"`{named}` isn't set, and the default is {option.default!r}" if named else f"it is {option.default!r}"
        return Decided(not is_unsafe(option.default), (Evidence(where, text),))


def _is_written_out(meaning: Meaning) -> bool:
    """Whether the code itself holds the value, and not only a default for what comes from outside."""
    return meaning.value is not UNKNOWN and meaning.firmness is not Firmness.DEFAULT


def _is_off(value: object) -> bool:
    return not value


def _is_for_development(taken: Taken) -> bool:
    """Whether production never gets there; what a client or an operator asks for it does."""
    return taken.truth is False and taken.firmness is Firmness.DEPLOYED


def _lets_others(secure: Decided) -> Callable[[object], bool]:
    """Whether requests that other sites make carry the cookie unasked: where nothing is said, and where `None` is said
    without Secure, browsers differ.
    """

    def is_unsafe(value: object) -> bool:
        if isinstance(value, str) and value.strip().lower() == "none":
            return secure.is_safe is False
        return not isinstance(value, Stand) and not value

    return is_unsafe


def _spoken(node: form.Expr) -> str | None:
    """`TOKEN_NAME` of `app.config["TOKEN_NAME"]` and of `settings.TOKEN_NAME`."""
    match node:
        case form.Subscript(index=form.Const(value=str() as key)):
            return key
        case form.Call(func=form.Attr(attr="get"), args=[first, *_]) if isinstance(first.value, form.Const):
            return str(first.value.value)
    return last_name(node)


def _nearest(path: str, made: Iterable[tuple[form.Call, Scope]]) -> form.Call | None:
    """The application that shares most folders with the file."""
    return max(made, key=lambda m: shared_folders(m[1].module.path, path), default=(None, None))[0]
