"""What checks on the way of an event that it comes from whom it says: signatures, secrets, asking the sender again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import list_items
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
_ASKING_AGAIN = ("stripe.Webhook.", "paypalrestsdk.WebhookEvent.verify", "paypalrestsdk.Payment.find", "mollie.")
_REQUESTING = ("requests.", "httpx.", "aiohttp.", "urllib.request.", "urllib3.")
_RECHECKED = "_notify-validate"
"""What PayPal wants to be sent back with an event, to say whether it is its own."""
_DECODING = ("jwt.decode", "jose.jwt.decode", "jose.jws.verify", "authlib.jose.jwt.decode")
_CRYPTO = ("Crypto.", "Cryptodome.", "cryptography.", "nacl.", "ecdsa.", "rsa.", "OpenSSL.", "django.core.signing.",
    "itsdangerous.")  # fmt: skip
_BAD = frozenset(
    {"BadSignature", "InvalidSignature", "SignatureVerificationError", "WebhookVerificationError", "SignatureExpired",
     "BadSignatureError", "InvalidSignatureError", "SignatureError"}
)  # fmt: skip
"""What is raised for an event that isn't signed."""
_COMPARING = frozenset({"compare_digest", "constant_time_compare", "safe_str_cmp"})
_ENDING = frozenset({"abort", "exit", "fail", "set_status", "send_error"})
_ADDRESSES = frozenset({"host", "addr", "ip"})
_SECRETS = frozenset({"secret", "token", "signature", "sig", "hmac", "hub", "apikey", "key"})
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class WebhookChecks:
    """`perhaps` are calls that say that they check, and could not be followed."""

    sure: tuple[Evidence, ...] = ()
    perhaps: tuple[Evidence, ...] = ()


def checks_on_the_way(route: Route, project: Project) -> WebhookChecks:
    """In the handler, its dependencies and decorators, its class, and in what all these call."""
    functions = dict.fromkeys(each for start in _starts(route, project) for each in reached(start, project))
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
    yield from route.runs_before
    if route.view_class is not None:
        yield from _of_view(route.view_class, project)


def _of_view(view: ClassSymbol, project: Project) -> Iterator[FunctionSymbol]:
    """What a view runs before its handler, and what REST framework asks first."""
    methods = [project.method(view, name) for name in ("dispatch", "initial", "prepare")]
    for attribute, name in (("authentication_classes", "authenticate"), ("permission_classes", "has_permission")):
        stated = project.class_attribute(view, attribute)
        asked = [project.infer(*item) for item in list_items(*stated, project)] if stated is not None else []
        methods += [project.method(cls, name) for cls in asked if isinstance(cls, ClassSymbol)]
    yield from (method for method in methods if method is not None)


def _functions(value: Value | None, project: Project) -> Iterator[FunctionSymbol]:
    value = value.function if isinstance(value, BoundMethod) else value
    cls = value.cls if isinstance(value, Instance) else value
    if isinstance(value, FunctionSymbol):
        yield value
    elif isinstance(cls, ClassSymbol):
        method = project.method(cls, "__call__")
        yield from [method] if method is not None else []


def reached(start: FunctionSymbol, project: Project) -> tuple[FunctionSymbol, ...]:
    """It and the functions of the project that it calls, in a few steps."""
    return _reached(start, _DEEPEST, project)


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
    in_vain = {call for node in function.walk() if isinstance(node, form.Try) for call in _tried_in_vain(node)}
    for node in function.walk():
        if isinstance(node, form.Call):
            told = _checks(node, function, project)
            if told is not None:
                told = told and node not in in_vain
                (sure if told else perhaps).append(function.module.evidence(node, "checks who sent the event"))
        elif isinstance(node, form.Const):
            if node.value == _RECHECKED:
                sure.append(function.module.evidence(node, "asks the sender whether the event is its own"))
        elif isinstance(node, form.Try):
            caught = [handler.type for handler in node.handlers if handler.type is not None]
            names = (inner for each in caught for inner in form.walk(each) if isinstance(inner, form.Name | form.Attr))
            named = {last_name(inner) for inner in names}
            if not _BAD.isdisjoint(named):
                found = perhaps if any(_goes_on(handler) for handler in node.handlers) else sure
                found.append(function.module.evidence(node.body[0], "checks who sent the event"))
        elif isinstance(node, form.Compare) and node.ops[0] in ("==", "!=", "in", "not in"):
            if _compares_secret(node):
                sure.append(function.module.evidence(node, "compares a secret of the sender"))
            elif _names_address(node.left):
                perhaps.append(function.module.evidence(node, "compares the sender's address"))
    return WebhookChecks(tuple(sure), tuple(perhaps))


def _checks(call: form.Call, function: FunctionSymbol, project: Project) -> bool | None:
    """True for what surely checks, False for what says so by its name alone."""
    name = last_name(call.func) or ""
    value = project.infer(call.func, function.scope)
    dotted = value.name if isinstance(value, External) else ""
    is_asked_again = dotted.startswith(_ASKING_AGAIN) or (dotted.startswith("stripe.") and name == "retrieve")
    if name in _VERIFYING or is_asked_again or dotted.startswith(_HANDLING) or dotted in _DECODING:
        return None if any(_turns_off(argument) for argument in call.args) else True
    if dotted in ("hmac.new", "hmac.digest"):
        return any(_compares_values(node) for node in function.walk())
    owner = project.infer(call.func.value, function.scope) if isinstance(call.func, form.Attr) else None
    made_of = owner.type_name if isinstance(owner, Instance) else owner.name if isinstance(owner, External) else ""
    if name in ("verify", "validate", "is_valid", "handle") and made_of.rsplit(".", 1)[-1] in _CLASSES:
        return True
    if name == "get" and (dotted or made_of).startswith(_REQUESTING):
        return False
    if made_of.startswith(_HANDLING) or (made_of.startswith(_CRYPTO) and name in ("verify", "loads", "unsign")):
        return True
    parts = words(name)
    says_so = not _CHECKING.isdisjoint(parts[:1]) and not _SIGNATURE_WORDS.isdisjoint(parts[1:])
    if parts and (says_so or (parts[0] in ("verify", "authenticate") and "password" not in parts)):
        return False if project.callee_function(call, function.scope) is None else None
    return None


def _tried_in_vain(node: form.Try) -> Iterator[form.Call]:
    """What is called, where a failure is noted and the event taken all the same."""
    if any(_goes_on(handler) for handler in node.handlers):
        yield from (inner for inner in form.walk_body(node.body) if isinstance(inner, form.Call))


def _goes_on(handler: form.Handler) -> bool:
    """Whether nothing that it does ends the request, nor notes for later that the check failed: `event = None`."""
    for node in form.walk_body(handler.body):
        if isinstance(node, form.Return | form.Raise) or (isinstance(node, form.Jump) and node.keyword != "pass"):
            return False
        if isinstance(node, form.Assign) and isinstance(node.value, form.Const):
            return False
        if isinstance(node, form.Call) and last_name(node.func) in _ENDING:
            return False
    return True


def _compares_values(node: form.Expr | form.Stmt) -> bool:
    """Whether it compares two things that are both found out as it runs."""
    if not isinstance(node, form.Compare):
        return isinstance(node, form.Call) and last_name(node.func) in _COMPARING
    sides = [node.left, *node.rights]
    return node.ops[0] in ("==", "!=") and not any(isinstance(side, form.Const) for side in sides)


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


def _names_address(node: form.Expr) -> bool:
    """`ip_address(request.client.host)`."""
    names = (last_name(inner) or "" for inner in form.walk(node) if isinstance(inner, form.Name | form.Attr))
    return any(not _ADDRESSES.isdisjoint(words(name)) for name in names)


def _last_words(node: form.Expr) -> tuple[str, ...]:
    match node:
        case form.Subscript(index=form.Const(value=str() as key)):
            return words(key)
        case form.Call(func=form.Attr(attr="get"), args=[form.Arg(value=form.Const(value=str() as key)), *_]):
            return words(key)
    return words(last_name(node) or "")
