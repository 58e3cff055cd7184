"""Writes down what is seen of a body: where it is read, which fields are checked, and which are used."""

from __future__ import annotations

from assay.scanner.dataflow.bodies.requests.handling import Check, Handling
from assay.scanner.dataflow.bodies.requests.held import Held
from assay.scanner.dataflow.bodies.requests.sent import ANY_FIELD, Part, Sent
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form


class Notes:
    """Of one function. `excused` is how many `try` statements around the place answer for a body that isn't as
    expected.
    """

    def __init__(self, found: Handling, held: Held, function: FunctionSymbol) -> None:
        self._found = found
        self._held = held
        self._module = function.module
        self.excused = 0

    def read(self, sent: Sent, node: form.Expr) -> None:
        """It is read here. `data["name"]` of JSON breaks for a body without a name, if no `try` answers that."""
        if self._found.read is None and sent.part is not Part.TEXT:
            self._found.read = self.at(node, "the body is read")
            self._found.is_form = sent.is_form
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr):
            self._asked_of(node.func.value, node)
        if not isinstance(node, form.Subscript) or sent.part is not Part.FIELD:
            return
        owner = self._held.sent(node.value)
        if owner is None or owner.part is not Part.WHOLE:
            return
        if self.excused:
            self.check(sent, Check.PRESENCE, node)
        else:
            self._breaks(sent, node)

    def _asked_of(self, owner: form.Expr, call: form.Call) -> None:
        """`data.get("name").strip()` breaks for a body without a name, too."""
        if self.excused or not (
            isinstance(owner, form.Call) and len(owner.args) == 1 and last_name(owner.func) == "get"
        ):
            return
        sent = self._held.sent(owner)
        if sent is not None and sent.part is Part.FIELD:
            self._breaks(sent, call)

    def _breaks(self, sent: Sent, node: form.Expr) -> None:
        if not sent.is_form and sent.field != ANY_FIELD:
            text = f"`{sent.field}` is read as if it were surely there"
            self._found.breaks.setdefault(sent.field, self.at(node, text))

    def check(self, sent: Sent, check: Check, node: form.Expr) -> None:
        """Code checks it. Fields of a form are texts: that one is there says what it is."""
        name = sent.field or ANY_FIELD
        shown = f"`{name}` is checked by hand" if name != ANY_FIELD else "fields are checked by hand"
        self._found.check(name, Check.KIND if sent.is_form else check, self.at(node, shown))

    def keep(self, sent: Sent, node: form.Expr) -> None:
        """It is used as it came."""
        if sent.part is not Part.TEXT:
            name = sent.field or ANY_FIELD
            shown = f"`{name}` is used as it was sent" if name != ANY_FIELD else "what was sent is used as it came"
            self._found.kept.setdefault(name, self.at(node, shown))

    def at(self, node: form.Expr, text: str) -> Evidence:
        """The evidence that a place gives."""
        return self._module.evidence(node, text)
