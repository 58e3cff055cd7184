"""Goes through a function once and notes what it does with a body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from assay.scanner.dataflow.bodies.assignments.copies import Copy, attribute_set, copy_of, is_allowed
from assay.scanner.dataflow.bodies.requests.conditions import excuses, kind_of, leaves, named, operands, settles
from assay.scanner.dataflow.bodies.requests.handling import Check, Handling
from assay.scanner.dataflow.bodies.requests.held import Given, Held, Others
from assay.scanner.dataflow.bodies.requests.limits import limited_by_loop, limited_by_test
from assay.scanner.dataflow.bodies.requests.notes import Notes
from assay.scanner.dataflow.bodies.requests.sent import ANY_FIELD, Part, Sent
from assay.scanner.dataflow.bodies.requests.uses import Use, use_of
from assay.scanner.dataflow.bodies.requests.validators import Validators
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form


class Callees(Others, Protocol):
    """What is known of the functions that are called."""

    validators: Validators

    def of(self, function: FunctionSymbol, given: Given, depth: int) -> Handling:
        """What a function does with the body that it is given."""
        ...


class Walk:
    """Of one function; `depth` is how many calls further the body is followed."""

    def __init__(self, callees: Callees, function: FunctionSymbol, given: Given, depth: int) -> None:
        self._callees = callees
        self._function = function
        self._scope = function.scope
        self._held = Held(callees, function, given)
        self._depth = depth
        self._found = Handling()
        self._notes = Notes(self._found, self._held, function)
        self._forms: list[form.Call] = []

    def handling(self) -> Handling:
        """What there is to say in the end."""
        self._all(self._function.node.body)
        if self._forms and not self._found.validated:
            place = self._notes.at(self._forms[0], "the form that it makes is never validated")
            self._found.kept.setdefault(ANY_FIELD, place)
        return self._found

    # --- statements ---

    def _all(self, body: Iterable[form.Stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, node: form.Stmt) -> None:
        match node:
            case form.If() | form.While() | form.Assert() | form.For() | form.Try() | form.With() | form.Match():
                self._compound(node)
            case form.Assign(targets=targets, value=value) if value is not None:
                # What only gets a name is used where the name is.
                is_kept = not all(isinstance(t, form.Name | form.Display) for t in targets)
                self._expression(value, is_kept=is_kept)
                self._found.is_stored |= self._held.sent(value) is not None and any(map(_is_attribute, targets))
            case form.AugAssign(value=value):
                self._expression(value, is_kept=True)
            case form.ExprStmt(value=value) | form.Return(value=form.Call() | form.Await() as value):
                self._expression(value, is_kept=False)
            case form.Return(value=value) if value is not None:
                self._expression(value, is_kept=False)

    def _compound(self, node: form.Stmt) -> None:
        match node:
            case form.If(test=test, body=body, orelse=orelse):
                self._test(test, is_check=leaves(body) or leaves(orelse))
                self._all([*body, *orelse])
            case form.While(test=test, body=body, orelse=orelse):
                self._test(test, is_check=False)
                self._all([*body, *orelse])
            case form.Assert(test=test):
                self._test(test, is_check=True)
            case form.For(iter=iterated, body=body, orelse=orelse):
                self._expression(iterated, is_kept=False)
                self._all([*body, *orelse])
                for name in limited_by_loop(node):
                    self._held.limit(name)
            case form.With(items=items, body=body):
                for item in items:
                    self._expression(item.value, is_kept=False)
                self._all(body)
            case form.Match(subject=subject, cases=cases):
                self._test(subject, is_check=False)
                for case in cases:
                    self._all(case.body)
            case form.Try():
                self._try(node)

    def _try(self, node: form.Try) -> None:
        is_excused = any(excuses(handler) for handler in node.handlers)
        self._notes.excused += is_excused
        self._all(node.body)
        self._notes.excused -= is_excused
        for handler in node.handlers:
            self._all(handler.body)
        self._all([*node.orelse, *node.final])

    # --- tests ---

    def _test(self, node: form.Expr, *, is_check: bool) -> None:
        """A condition checks what it looks at if the work ends where the answer is no."""
        for name in limited_by_test(node) if is_check else ():
            self._held.limit(name)
        match node:
            case form.Boolean(values=values):
                for value in values:
                    self._test(value, is_check=is_check)
            case form.Unary(operand=inner) | form.Walrus(value=inner):
                self._test(inner, is_check=is_check)
            case form.Call(func=form.Name(id="any" | "all"), args=[only]):
                items = only.value.items if isinstance(only.value, form.Display) else [only.value]
                for item in items:
                    self._test(item.element if isinstance(item, form.Comprehension) else item, is_check=is_check)
            case form.Name(id=name) if name in self._held.answers:
                self._test(self._held.answers.pop(name), is_check=is_check)
            case _ if (sent := self._held.sent(node)) is not None:
                self._notes.read(sent, node)
                if is_check and sent.part is Part.FIELD:
                    self._notes.check(sent, Check.PRESENCE, node)
            case _:
                self._operands(node, is_check=is_check or settles(node))

    def _operands(self, node: form.Expr, *, is_check: bool) -> None:
        looked_at = list(operands(node))
        for inner in looked_at:
            sent = self._held.sent(inner)
            if sent is None:
                self._expression(inner, is_kept=False)
                continue
            self._notes.read(sent, inner)
            if sent.part is Part.FIELD:
                self._found.compared.setdefault(sent.field, self._notes.at(inner, f"`{sent.field}` is compared"))
                if is_check:
                    self._notes.check(sent, kind_of(node), node)
            elif sent.part is Part.WHOLE and (name := named(node, inner)) is not None:
                self._found.asked.add(name)
                if is_check:
                    self._notes.check(sent.item(name), Check.PRESENCE, node)
        if not isinstance(node, form.Compare):
            self._expression(node, is_kept=False)
        if is_check and isinstance(node, form.Call):
            for arg in node.args:  # `if not is_email(email): abort(400)`
                sent = self._held.sent(arg.value)
                if sent is not None and sent.part is not Part.TEXT:
                    self._notes.check(sent, Check.KIND if sent.part is Part.FIELD else Check.PRESENCE, node)

    # --- expressions ---

    def _expression(self, node: form.Expr, *, is_kept: bool) -> None:
        sent = self._held.sent(node)
        if sent is not None:
            self._notes.read(sent, node)
            if is_kept:
                self._notes.keep(sent, node)
        match node:
            case form.Name(id=name) if is_kept and name in self._held.made_of:
                for part in self._held.made_of.pop(name):
                    self._expression(part, is_kept=True)
            case form.Call():
                self._call(node)
            case form.Conditional(test=test, body=body, orelse=orelse):
                self._test(test, is_check=False)
                self._expression(body, is_kept=is_kept)
                self._expression(orelse, is_kept=is_kept)
            case form.Compare():
                self._test(node, is_check=False)
            case form.Subscript() | form.Attr() if sent is not None:
                return
            case form.Lambda():
                return
            case _:
                for inner in node.children():
                    self._expression(inner, is_kept=is_kept)  # type: ignore[arg-type]

    def _call(self, node: form.Call) -> None:
        validators = self._callees.validators
        if validators.checks_signature(node):
            self._found.signed = self._found.signed or self._notes.at(node, "the sender's signature is checked")
        if validators.checks_itself(node, self._scope):
            self._found.validated.append(self._notes.at(node, "it is validated here"))
        if isinstance(node.func, form.Attr):
            self._expression(node.func.value, is_kept=False)
        given = [(arg, self._held.sent(arg.value)) for arg in node.args]
        has_whole = any(sent is not None and sent.part is not Part.FIELD for _, sent in given)
        if has_whole and self._validates(node):
            use = Use.PASSING
        elif self._follow(node, given):
            return
        else:
            use = Use.PASSING if self._held.sent(node) is not None else use_of(node, self._scope, self._callees.project)
        for arg, sent in given:
            if sent is None:
                self._expression(arg.value, is_kept=use in (Use.KEPT, Use.STORED))
            else:
                self._argument(sent, arg.value)
                self._given(sent, use, arg, node)

    def _argument(self, sent: Sent, node: form.Expr) -> None:
        """A part of the body as it is handed on; the call that gives it may have validated it."""
        if isinstance(node, form.Call | form.Await):
            self._expression(node, is_kept=False)
        else:
            self._notes.read(sent, node)

    def _given(self, sent: Sent, use: Use, arg: form.Arg, call: form.Call) -> None:
        """A part of the body is an argument of a call that isn't followed."""
        copy = self._copy(sent, arg, call)
        if copy is not None:
            self._found.copies.append(copy)
        if sent.part is Part.TEXT or use is Use.PASSING:
            return
        if use is Use.CONVERTED:
            if sent.part is Part.FIELD:
                self._notes.check(sent, Check.KIND, call)
        elif use is Use.FORWARDED:
            self._found.forwarded.setdefault(sent.field, self._notes.at(arg.value, "it goes to another service"))
        elif use is Use.COMPARED and sent.part is Part.FIELD:
            name = sent.field or ANY_FIELD
            self._found.compared.setdefault(name, self._notes.at(arg.value, f"`{name}` is searched for"))
        else:
            self._notes.keep(sent, arg.value)
            self._found.is_stored |= use is Use.STORED

    def _copy(self, sent: Sent, arg: form.Arg, call: form.Call) -> Copy | None:
        """Many fields at once become columns of a row."""
        tables = self._callees.schemas.tables
        if sent.part is Part.WHOLE:
            return copy_of(call, arg, sent, self._function, tables)
        if sent.part is Part.FIELD and sent.field == ANY_FIELD and call.args[-1] is arg:
            is_limited = sent.is_limited or is_allowed(
                call, self._function, lambda node: self._held.sent(node) is not None
            )
            return attribute_set(call, replace(sent, is_limited=is_limited), self._function, tables)
        return None

    def _validates(self, node: form.Call) -> bool:
        validators = self._callees.validators
        writer = validators.writer(node, self._scope)
        if writer is not None and writer not in self._found.writers:
            self._found.writers.append(writer)
        if validators.is_form(node, self._scope):
            self._forms.append(node)
            return True
        if validators.is_schema(node, self._scope) or validators.is_validation(node, self._scope):
            self._found.validated.append(self._notes.at(node, "it is validated here"))
            return True
        return False

    def _follow(self, node: form.Call, given: list[tuple[form.Arg, Sent | None]]) -> bool:
        """What a function of the project does with what it is given, or reads itself."""
        known = self._held.handed(node) if self._depth else None
        if known is None or len(known[1]) < sum(sent is not None for _, sent in given):
            return False  # `f(*parts)`, `f(**data)`
        for arg, sent in given:
            if sent is None:
                self._expression(arg.value, is_kept=True)
            else:
                self._argument(sent, arg.value)
        found = self._callees.of(*known, self._depth - 1)
        copies = [c if c.sent.schema is not None else c.called_by(node, self._function) for c in found.copies]
        self._found.add(replace(found, copies=copies))
        return True


def _is_attribute(target: form.Expr) -> bool:
    """`user.name = ...`, `user.settings["theme"] = ...`."""
    return isinstance(target, form.Attr) or (isinstance(target, form.Subscript) and isinstance(target.value, form.Attr))
