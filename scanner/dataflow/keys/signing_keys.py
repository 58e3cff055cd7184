"""The keys that sign and seal: where production gets them from."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.meanings import Firmness
from assay.scanner.configuration.naming import is_production
from assay.scanner.dataflow.blocks import is_main_guard
from assay.scanner.dataflow.keys.key_origins import KeyOrigins
from assay.scanner.dataflow.keys.signing_calls import KeyUse, key_uses
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.destinations import own_name
from assay.scanner.dataflow.ways import way_to
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.key import KeyOrigin, SigningKey
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_DJANGO = "Django settings"
_DJANGO_ITEMS = {"SIMPLE_JWT": "SIGNING_KEY", "NINJA_JWT": "SIGNING_KEY", "JWT_AUTH": "JWT_SECRET_KEY"}
"""Settings of packages that hold a key among other things."""
_FLASK = "Flask config"
_PYDANTIC = "pydantic settings"
_ENDINGS = frozenset(
    {
        ("secret", "key"), ("signing", "key"), ("jwt", "secret"), ("jwt", "key"), ("session", "secret"),
        ("fernet", "key"), ("session", "key"), ("encryption", "key"), ("cookie", "secret"), ("csrf", "secret"),
        ("cookie", "key"), ("token", "secret"), ("token", "key"),
    }
)  # fmt: skip
"""How names of settings end that hold such a key."""
_AROUND = frozenset(
    {
        "access", "app", "application", "auth", "cookie", "csrf", "django", "encryption", "fernet", "field",
        "flask", "jwt",
        "key", "my", "password", "refresh", "reset", "secret", "security", "server", "service", "session", "signing",
        "token", "wtf",
    }
)  # fmt: skip
"""Words that names of the service's own keys have; others name the party that gave the key."""
_TOKEN_SECRETS = ("reset_password_token_secret", "verification_token_secret")
"""Attributes of FastAPI Users' managers."""
_FLASK_APPS = frozenset({"app", "application", "flask_app", "server"})


class SigningKeys:
    """All of them in the production code of a project."""

    def __init__(self, gathered: Gathered) -> None:
        self._project = gathered.project
        self._settings = gathered.settings
        self._production = gathered.production
        self._origins = KeyOrigins(self._project)
        self._written: set[tuple[str, object]] = set()

    def all(self) -> Iterator[SigningKey]:
        """Each once, in order of path and position."""
        self._from_settings()
        self._from_attributes()
        for use in key_uses(self._project):
            is_service = use.scope.module.role is Role.PROD and not _is_by_hand(use)
            if is_service and not _is_unverified(use.call):
                self._used(use)
        ordinals = Ordinals()
        for found in self._origins.all():
            function = around(found.scope)
            yield SigningKey(
                function=function,
                what=found.name,
                ordinal=ordinals.next(function, found.name),
                location=found.place,
                role=found.scope.module.role,
                origin=found.origin,
                evidence=found.evidence,
                aside=found.aside,
            )

    # --- where keys are ---

    def _from_settings(self) -> None:
        for site in self._production.sites:
            if is_production(site.name.rpartition(".")[2]) is not False and site.role is Role.PROD:
                self._from_django(site)
        for setting in self._settings:
            name = setting.name.rpartition(".")[2]
            if setting.source == _DJANGO or setting.role is not Role.PROD or not is_signing(name):
                continue
            if setting.is_required:
                self._origins.note(name, setting.location, KeyOrigin.OUTSIDE, "the service doesn't start without it")
                continue
            found = self._production.stated(setting)
            if setting.source == _PYDANTIC:  # variables come before what the class states
                found = tuple(m.resting_on(Firmness.DEFAULT) for m in found)
            self._origins.add(name, found, is_setting=True, aside=self._overridden(setting))

    def _from_django(self, site: Module) -> None:
        named = (s.name for s in self._settings if s.source == _DJANGO and is_signing(s.name))
        for name in dict.fromkeys(("SECRET_KEY", *named)):
            found = self._production.setting(name, _DJANGO, site.path)
            if found is not None:
                self._origins.add(name, found, is_setting=True, refuses_empty=name == "SECRET_KEY")
        for name, key in _DJANGO_ITEMS.items():
            for node, scope in self._production.given(site, name)[-1:]:
                self._origins.add(key, self._production.item(node, scope, key).found, is_setting=True)

    def _overridden(self, setting: Setting) -> str | None:
        """Why the layer of Flask's configuration is not what production runs with."""
        if setting.source != _FLASK or is_production(setting.group.rpartition(":")[2]) is True:
            return None
        of_production = (s for s in self._settings if s.source == _FLASK and s.name == setting.name)
        is_replaced = any(is_production(s.group.rpartition(":")[2]) is True for s in of_production)
        return "production's own configuration states another one" if is_replaced else None

    def _from_attributes(self) -> None:
        """`app.secret_key = ...`, and FastAPI Users' secrets."""
        for module in self._project.modules.values():
            for scope in dict.fromkeys(module.writes_by_name.get("secret_key", ())):
                for node in form.walk_body(scope.body, into_definitions=False):
                    if isinstance(node, form.Assign) and node.value is not None and self._is_app(node, scope):
                        self._origins.add("secret_key", self._production.meanings(node.value, scope), is_setting=True)
            for cls in module.classes:
                for name in _TOKEN_SECRETS:
                    for binding in cls.own(name)[-1:]:
                        if binding.value is not None:
                            meanings = self._production.meanings(binding.value, binding.scope)
                            self._origins.add(own_name(binding.value) or name, meanings, is_setting=True)

    def _is_app(self, node: form.Assign, scope: Scope) -> bool:
        for target in node.targets:
            if isinstance(target, form.Attr) and target.attr == "secret_key":
                owner = self._project.infer(target.value, scope)
                if isinstance(owner, Instance | External):
                    name = owner.type_name if isinstance(owner, Instance) else owner.name
                    return name.startswith(("flask.", "quart."))
                return owner is None and last_name(target.value) in _FLASK_APPS
        return False

    def _used(self, use: KeyUse) -> None:
        name = own_name(use.key) or last_name(use.call.func) or "key"
        is_written = isinstance(use.key, form.Const | form.Opaque)
        if isinstance(use.key, form.Const):
            if (use.scope.module.path, use.key.value) in self._written:
                return  # what was signed with it is read with it again
            self._written.add((use.scope.module.path, use.key.value))
        if is_written:
            name = f"key of {last_name(use.call.func)}"
        if use.is_keyed_digest and (is_written or not {"key", "secret", "token"} & set(words(name))):
            return  # texts there keep uses apart: `hmac.new(b"WebAppData", token)`
        meanings = self._production.meanings(use.key, use.scope)
        is_public = "public" in words(name) or "pub" in words(name)
        if is_public and use.verifies:
            self._origins.note(
                name, use.scope.module.location(use.key), KeyOrigin.PUBLIC, "it only verifies", use.scope
            )
            return
        if use.is_keyed_digest and not any(map(self._origins.is_text, meanings)):
            return
        self._origins.add(name, meanings, is_setting=False)


def is_signing(name: str) -> bool:
    """Whether a setting of that name holds a key of the service's own that signs or seals."""
    parts = words(name)
    return parts[-2:] in _ENDINGS and _AROUND.issuperset(parts)


def _is_by_hand(use: KeyUse) -> bool:
    """Whether it only signs where somebody runs the module as a script."""
    if use.scope.function is not None:
        return False
    return any(b.test is not None and is_main_guard(b.test) for b in way_to(use.scope.body, use.call.start))


def _is_unverified(call: form.Call) -> bool:
    """Whether the call asks for no signature, so that its key is none."""
    for node in form.walk(call):
        if isinstance(node, form.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, form.Const) and key.value == "verify_signature":
                    return isinstance(value, form.Const) and value.value is False
    verify = call.keyword("verify")
    return isinstance(verify, form.Const) and verify.value is False
