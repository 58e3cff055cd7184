"""What functions do with passwords: compare them, take them from a client, take a token in their stead."""

from __future__ import annotations

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_LONGEST_NAME = 40
"""Longer texts are sentences."""
_TYPED = frozenset("password passwd pwd passphrase credentials username secret".split())
_VERIFYING = frozenset(
    """check_password_hash verify_password check_password checkpw authenticate authenticate_user verify_and_update
    verify_hash password_verify compare_password valid_password""".split()
)
"""Functions that compare what a client typed with a stored password, by last name."""
_CODES = frozenset("code otp totp pin passcode".split())
_LOOKING_UP = frozenset("filter filter_by get aget get_or_none get_object_or_404 exists".split())
_HASHERS = frozenset("pwd password passwords hasher bcrypt argon crypt context ph pbkdf scrypt".split())
"""Words of what has a `verify` for passwords."""


@remembered
def verifies(function: FunctionSymbol, depth: int, project: Project) -> Evidence | None:
    """Where the function, or one that it calls, compares what a client typed with a stored password."""
    calls = [node for node in function.nodes if isinstance(node, form.Call)]
    for call in calls:
        if _compares(call):
            return function.module.evidence(call, "a password is checked here")
    for call in calls if depth > 1 else ():
        callee = project.callee_function(call, function.scope)
        found = verifies(callee, depth - 1, project) if callee is not None and callee is not function else None
        if found is not None:
            return found
    return None


def _compares(call: form.Call) -> bool:
    """`check_password(...)`, `pwd_context.verify(password, hashed)`."""
    if last_name(call.func) in _VERIFYING:
        return bool(call.args) or isinstance(call.func, form.Attr)
    owner = last_name(call.func.value) if isinstance(call.func, form.Attr) and call.func.attr == "verify" else None
    return owner is not None and len(call.args) > 1 and bool(_HASHERS & set(words(owner)))


@remembered
def verifies_code(function: FunctionSymbol, depth: int, project: Project) -> Evidence | None:
    """Where the function, or one that it calls, compares a short code that a client typed with the one it was sent."""
    for node in function.nodes:
        if _compares_code(node):
            return function.module.evidence(node, "a code is checked here")
    for node in function.nodes if depth > 1 else ():
        callee = project.callee_function(node, function.scope) if isinstance(node, form.Call) else None
        found = verifies_code(callee, depth - 1, project) if callee is not None and callee is not function else None
        if found is not None:
            return found
    return None


def _compares_code(node: form.Expr | form.Stmt) -> bool:
    """`pyotp.TOTP(secret).verify(code)`, `otp.code != body.code`, `filter_by(phone=phone, code=body.code)`."""
    match node:
        case form.Call(func=form.Attr(value=form.Call(func=maker), attr="verify")):
            return last_name(maker) in ("TOTP", "HOTP")
        case form.Compare(left=left, ops=["==" | "!="], rights=[right]):
            return _is_code(left) and _is_code(right)
        case form.Call(func=func, args=args) if last_name(func) in _LOOKING_UP:
            # One that is looked up by itself is too long to be guessed.
            of_codes = [a for a in args if a.name is not None and _CODES & set(words(a.name)) and _is_code(a.value)]
            return bool(of_codes) and len(args) > 1
    return False


def _is_code(node: form.Expr) -> bool:
    """`otp.code`, `code`, `body["code"]`, `cache.get("code")`."""
    match node:
        case form.Name() | form.Attr():
            name = last_name(node)
        case form.Subscript(index=form.Const(value=str() as key)):
            name = key
        case form.Call(func=form.Attr(attr="get"), args=[form.Arg(value=form.Const(value=str() as key)), *_]):
            name = key
        case _:
            return False
    return name is not None and bool(_CODES & set(words(name)))


def takes_password(handler: FunctionSymbol | None, project: Project) -> bool:
    """Whether a handler, what it calls, or the type of its body speaks of a password or a user's name."""
    if handler is None or _speaks_of_it(handler):
        return True
    callees = (project.callee_function(n, handler.scope) for n in handler.nodes if isinstance(n, form.Call))
    if any(_speaks_of_it(callee) for callee in callees if callee is not None):
        return True
    typed = [p.annotation for p in handler.parameters if p.annotation is not None]
    typed += [part for d in handler.decorators if isinstance(d, form.Call) for part in (a.value for a in d.args)]
    return any(_is_of_password(node, handler.outer, project) for node in typed)


def _speaks_of_it(function: FunctionSymbol) -> bool:
    for node in function.nodes:
        text = node.value if isinstance(node, form.Const) and isinstance(node.value, str) else None
        name = last_name(node) if isinstance(node, form.Name | form.Attr) else text
        if name is not None and len(name) < _LONGEST_NAME and _TYPED & set(words(name)):
            return True
    return False


def _is_of_password(node: form.Expr, scope: Scope, project: Project) -> bool:
    """Of an annotation or a schema: whether its class has a field for one."""
    for part in form.walk(node):
        if not isinstance(part, form.Name | form.Attr):
            continue
        value = project.infer(part, scope)
        if isinstance(value, External) and "PasswordRequestForm" in value.name:
            return True
        cls = value.cls if isinstance(value, Instance) else value
        for base in project.mro(cls) if isinstance(cls, ClassSymbol) else ():
            if isinstance(base, ClassSymbol) and any(_TYPED & set(words(name)) for name in base.scope.bindings):
                return True
            if isinstance(base, External) and "PasswordRequestForm" in base.name:
                return True
    return False


def takes_token(handler: FunctionSymbol) -> bool:
    """Whether it reads a token that came in a mail: `body.token`, `data["token"]`, a parameter."""
    if any(p.name == "token" for p in handler.parameters):
        return True
    assigned = {t for node in handler.nodes if isinstance(node, form.Assign) for t in node.targets}
    return any(
        (isinstance(node, form.Attr) and node.attr == "token" and node not in assigned)
        or (isinstance(node, form.Const) and node.value == "token")
        for node in handler.nodes
    )
