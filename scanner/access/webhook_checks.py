"""What checks on the way of an event that it comes from whom it says: signatures, secrets, asking the sender again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.sources import injection
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.decorators import nested_functions

_VERIFYING = frozenset(
    """construct_event compare_digest constant_time_compare safe_str_cmp verify_webhook_signature verify_header
    verify_signature validate_signature check_signature verify_webhook validate_webhook is_valid_request
    is_valid_signature verify_key verify_oauth2_token verify_token is_valid_hmac verify_hmac is_valid_hmac_notification
    verify_request is_valid_notification verify_and_parse unmarshal unwrap_webhook parse_signed_event
    verify_slack_request verify_jwt verify_jws unsign unsign_object""".split()
)  # fmt: skip
_SIGNATURE_WORDS = frozenset(
    {"signature", "sig", "hmac", "signed", "webhook", "origin", "authenticity", "sns", "event"}
)
_CHECKING = frozenset({"verify", "validate", "check", "authenticate", "authorize", "is", "require", "ensure", "assert"})
_CLASSES = ("Webhook", "SignatureVerifier", "RequestValidator", "WebhookVerifier", "Verifier", "SNSVerifier")
"""Libraries' classes of which `verify`, `validate` or `is_valid` checks an event."""
_HANDLING = ("slack_bolt.", "slackeventsapi.", "djstripe.", "aiogram.webhook", "pywa.")
"""Packages that check events before they hand them on."""
_ASKING_AGAIN = ("stripe.Event.retrieve", "stripe.Webhook.", "paypalrestsdk.WebhookEvent.verify", "mollie.")
_DECODING = ("jwt.decode", "jose.jwt.decode", "jose.jws.verify", "authlib.jose.jwt.decode")
_CRYPTO = ("Crypto.", "Cryptodome.", "cryptography.", "nacl.", "ecdsa.", "rsa.", "OpenSSL.", "django.core.signing.",
    "itsdangerous.")  # fmt: skip
_BAD = frozenset(
    {"BadSignature", "InvalidSignature", "SignatureVerificationError", "WebhookVerificationError", "SignatureExpired",
     "BadSignatureError", "InvalidSignatureError", "SignatureError"}
)  # fmt: skip
"""What is raised for an event that isn't signed."""
_SECRETS = frozenset({"secret", "token", "signature", "sig", "hmac", "hub", "apikey", "key"})
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class WebhookChecks:
    """`perhaps` are calls that say that they check, and could not be followed."""

    sure: tuple[Evidence, ...] = ()
    perhaps: tuple[Evidence, ...] = ()


def checks_on_the_way(route: Route, project: Project) -> WebhookChecks:
    """In the handler, its dependencies and decorators, its class, and in what all these call."""
    functions = dict.fromkeys(each for start in _starts(route, project) for each in _reached(start, _DEEPEST, project))
    found = [_checks_in(function, project) for function in functions]
    return WebhookChecks(
        tuple(evidence for checks in found for evidence in checks.sure)[:2],
        tuple(evidence for checks in found for evidence in checks.perhaps)[:2],
    )


def _starts(route: Route, project: Project) -> Iterator[FunctionSymbol]:
    handler = route.handler
    if handler is None:
        return
    yield handler
    for param in handler.parameters:
        for declared in (param.default, param.annotation):
            depends = injection(declared, handler.outer, project)
            given = depends.node.argument(0, "dependency") if depends and isinstance(depends.node, form.Call) else None
            if depends is not None and given is not None:
                yield from _functions(project.infer(given, depends.scope), project)
    for decorator in handler.decorators:
        callee = decorator.func if isinstance(decorator, form.Call) else decorator
        for function in _functions(project.infer(callee, handler.outer), project):
            yield from (function, *nested_functions(function))
    for name in ("dispatch", "initial", "prepare", "permission_classes"):
        method = project.method(route.view_class, name) if route.view_class is not None else None
        if method is not None:
            yield method


def _functions(value: Value | None, project: Project) -> Iterator[FunctionSymbol]:
    value = value.function if isinstance(value, BoundMethod) else value
    cls = value.cls if isinstance(value, Instance) else value
    if isinstance(value, FunctionSymbol):
        yield value
    elif isinstance(cls, ClassSymbol):
        method = project.method(cls, "__call__")
        yield from [method] if method is not None else []


@remembered
def _reached(start: FunctionSymbol, depth: int, project: Project) -> tuple[FunctionSymbol, ...]:
    found = {start: None}
    for node in start.walk() if depth else ():
        callee = project.callee_function(node, start.scope) if isinstance(node, form.Call) else None
        if callee is not None and callee not in found:
            found.update(dict.fromkeys(_reached(callee, depth - 1, project)))
    return tuple(found)


@remembered
def _checks_in(function: FunctionSymbol, project: Project) -> WebhookChecks:
    sure, perhaps = list[Evidence](), list[Evidence]()
    for node in function.walk():
        if isinstance(node, form.Call):
            told = _checks(node, function, project)
            if told is not None:
                (sure if told else perhaps).append(function.module.evidence(node, "checks who sent the event"))
        elif isinstance(node, form.Try):
            caught = [handler.type for handler in node.handlers if handler.type is not None]
            names = (inner for each in caught for inner in form.walk(each) if isinstance(inner, form.Name | form.Attr))
            named = {last_name(inner) for inner in names}
            if not _BAD.isdisjoint(named):
                sure.append(function.module.evidence(node.body[0], "checks who sent the event"))
        elif isinstance(node, form.Compare) and node.ops[0] in ("==", "!=", "in", "not in") and _compares_secret(node):
            sure.append(function.module.evidence(node, "compares a secret of the sender"))
    return WebhookChecks(tuple(sure), tuple(perhaps))


def _checks(call: form.Call, function: FunctionSymbol, project: Project) -> bool | None:
    """True for what surely checks, False for what says so by its name alone."""
    name = last_name(call.func) or ""
    value = project.infer(call.func, function.scope)
    dotted = value.name if isinstance(value, External) else ""
    if name in _VERIFYING or dotted.startswith((*_HANDLING, *_ASKING_AGAIN, "hmac.")) or dotted in _DECODING:
        return None if any(_turns_off(argument) for argument in call.args) else True
    owner = project.infer(call.func.value, function.scope) if isinstance(call.func, form.Attr) else None
    made_of = owner.type_name if isinstance(owner, Instance) else owner.name if isinstance(owner, External) else ""
    if name in ("verify", "validate", "is_valid", "handle") and made_of.rsplit(".", 1)[-1] in _CLASSES:
        return True
    if made_of.startswith(_HANDLING) or (made_of.startswith(_CRYPTO) and name in ("verify", "loads", "unsign")):
        return True
    parts = words(name)
    says_so = not _CHECKING.isdisjoint(parts[:1]) and not _SIGNATURE_WORDS.isdisjoint(parts[1:])
    if parts and (says_so or (parts[0] in ("verify", "authenticate") and "password" not in parts)):
        return False if project.callee_function(call, function.scope) is None else None
    return None


def _turns_off(argument: form.Arg) -> bool:
    """`jwt.decode(token, options={"verify_signature": False})`."""
    value = argument.value
    if argument.name in ("verify", "verify_signature"):
        return isinstance(value, form.Const) and value.value is False
    return isinstance(value, form.Dict) and any(
        isinstance(k, form.Const) and k.value == "verify_signature" and isinstance(v, form.Const) and v.value is False
        for k, v in zip(value.keys, value.values, strict=True)
    )


def _compares_secret(node: form.Compare) -> bool:
    """`request.headers["X-Token"] != settings.HOOK_TOKEN`; nothing is compared with None or a text."""
    sides = [node.left, *node.rights]
    if any(isinstance(side, form.Const) for side in sides):
        return False
    named = (_last_words(side) for side in sides)
    return any(not _SECRETS.isdisjoint(each[-1:]) for each in named)


def _last_words(node: form.Expr) -> tuple[str, ...]:
    match node:
        case form.Subscript(index=form.Const(value=str() as key)):
            return words(key)
        case form.Call(func=form.Attr(attr="get"), args=[form.Arg(value=form.Const(value=str() as key)), *_]):
            return words(key)
    return words(last_name(node) or "")
