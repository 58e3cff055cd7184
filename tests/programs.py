"""Small Python programs with a known answer: which of their commands hold what a client sent.

`programs` writes a Flask view, what it calls and the commands that it runs; `reached` runs such a program with fakes in
place of Flask and the shell. What a client sent never decides where a program goes: guards are all that looks at it,
and they see the same in what the two clients send here. So what differs between two runs has come from the client.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from types import ModuleType, SimpleNamespace
from typing import TypeVar

from hypothesis import strategies as st

SENT = ("!&" * 32, "+-" * 32)
"""What two clients send. The texts have no character in common, none that a guard takes for harmless, and sort alike;
they are so long that cutting a little off doesn't lose them.
"""

MOST_FLIPS = 6
"""Unknown conditions that are tried both ways in one run; those after them are false."""

LONG = 60
"""Lines after which a program gets no more blocks."""

MOST_JOINS = 12
"""Texts that are put together of others in one run: each of them may double the length."""


@dataclass(frozen=True)
class Program:
    """`is_decided` says that nothing in it hangs on what an analysis may leave open: a condition that can't be worked
    out, how often a loop runs, what is raised, which items of a list go where.
    """

    text: str
    is_decided: bool

    @property
    def commands(self) -> frozenset[int]:
        """The lines that run a command."""
        return frozenset(number for number, line in enumerate(self.text.splitlines(), 1) if "os.system(" in line)


# --- running ----------------------------------------------------------------------------------------------------------


def reached(program: Program) -> frozenset[int]:
    """The lines of the commands that hold something of what the client sent, whichever way the unknown falls."""
    world = _World(program.text)
    lines = set[int]()
    pending: list[tuple[bool, ...]] = [()]
    while pending:
        flips = pending.pop()
        one, other = (world.run(sent, flips) for sent in SENT)
        lines |= {line for (line, command), (_, differs) in zip(one, other, strict=True) if command != differs}
        free = range(len(flips), min(world.asked, MOST_FLIPS))
        pending += [(*flips, *[False] * (place - len(flips)), True) for place in free]
    return frozenset(lines)


class _World:
    """A program and what it imports, of which `flask`, `os` and `coins` are fakes."""

    def __init__(self, text: str) -> None:
        self.asked = 0
        self._flips: tuple[bool, ...] = ()
        self._commands: list[tuple[int, object]] = []
        self._request = SimpleNamespace(args={})
        self._names: dict[str, object] = {
            "__builtins__": {**vars(builtins), "__import__": self._import},
            "__name__": "app",
        }
        exec(compile(text, "app.py", "exec", dont_inherit=True), self._names)

    def run(self, sent: str, flips: tuple[bool, ...]) -> list[tuple[int, object]]:
        """The commands that a request runs, with their lines; `asked` is then the number of flips."""
        self.asked, self._flips, self._commands = 0, flips, []
        self._request.args = {"q": sent}
        view = self._names["view"]
        assert callable(view)
        view()
        return self._commands

    def _import(self, name: str, *_: object) -> ModuleType | SimpleNamespace:
        match name:
            case "os":
                return SimpleNamespace(system=self._system)
            case "coins":
                return SimpleNamespace(flip=self._flip)
            case "flask":
                app = SimpleNamespace(route=lambda path: lambda view: view)
                return SimpleNamespace(Flask=lambda name: app, request=self._request)
        return importlib.import_module(name)

    def _system(self, command: object) -> None:
        self._commands.append((sys._getframe(1).f_lineno, command))

    def _flip(self) -> bool:
        self.asked += 1
        return self.asked <= len(self._flips) and self._flips[self.asked - 1]


# --- writing ----------------------------------------------------------------------------------------------------------

HEADER = """\
import base64
import os
from dataclasses import dataclass

from coins import flip
from flask import Flask, request

app = Flask(__name__)
"""

Key = int | str
Drawn = TypeVar("Drawn")


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Programs that run to their end whatever the client sends and the unknown conditions are."""
    return _Writer(lambda number: draw(st.integers(0, number - 1))).program()


def program_of(seed: int) -> Program:
    """A program that is the same for the same seed: two of them have less in common than two that Hypothesis draws."""
    return _Writer(Random(seed).randrange).program()


@dataclass(eq=False)
class _Box:
    """A list, tuple or dictionary of texts. `keys` are those that it has for certain, `most` is how many items it may
    have; a loop that goes through it fixes it.
    """

    kind: str
    keys: frozenset[Key]
    most: int
    is_fixed: bool = False

    @classmethod
    def of(cls, kind: str, size: int, most: int = 0) -> _Box:
        """A list or tuple."""
        return cls(kind, frozenset(range(size)), max(size, most))


@dataclass(frozen=True)
class _Function:
    """Something to call with texts. `gives` is "text", "pair", "list", "items" (one by one) or "nothing"; `takes` says
    how to hand arguments over: "any" way, by "position" or by "name"; `joins` is how many texts it puts together.
    """

    name: str
    parameters: tuple[str, ...]
    gives: str = "text"
    takes: str = "any"
    defaults: int = 0
    joins: int = 0


@dataclass(frozen=True)
class _Scope:
    """What code can use, by the expression that gives it; the same box may be there under several."""

    texts: list[str] = field(default_factory=list)
    boxes: dict[str, _Box] = field(default_factory=dict)
    objects: list[str] = field(default_factory=list)
    functions: list[_Function] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    is_in_loop: bool = False

    def inner(self) -> _Scope:
        """For a block: what it binds isn't certain to be there after it."""
        return replace(
            self,
            texts=[*self.texts],
            boxes={**self.boxes},
            objects=[*self.objects],
            functions=[*self.functions],
            numbers={**self.numbers},
        )

    def of_names(self, *parameters: str) -> _Scope:
        """For a function that is called later: boxes may have lost their items by then."""
        names = [text for text in self.texts if text.isidentifier()]
        return _Scope([*names, *parameters], functions=[f for f in self.functions if f.gives == "text"])

    def places(self, *kinds: str) -> list[str]:
        """Boxes that have something in them."""
        return [place for place, box in self.boxes.items() if box.kind in kinds and box.keys]

    def free(self, kind: str) -> list[str]:
        """Boxes that may be changed."""
        return [place for place, box in self.boxes.items() if box.kind == kind and not box.is_fixed]

    def keys(self) -> dict[_Box, frozenset[Key]]:
        return {box: box.keys for box in self.boxes.values()}


def _reset(keys: Mapping[_Box, frozenset[Key]]) -> None:
    for box in keys:
        box.keys = keys[box]


def _settle(*outcomes: Mapping[_Box, frozenset[Key]]) -> None:
    """One of them is true: certain is what all of them have."""
    for box in outcomes[0]:
        box.keys = frozenset.intersection(*(keys[box] for keys in outcomes))


class _Writer:
    """Writes one program; `below` chooses a number from 0 up to the one that it's given."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self._below = below
        self._lines = HEADER.splitlines()
        self._depth = 0
        self._numbers = count()
        self._is_decided = self._chance(5)
        self._functions: list[_Function] = []
        self._classes: list[str] = []
        self._returned: Callable[[_Scope], str] = lambda _: '"left"'
        self._joins = 0
        self._repeats = 1

    def program(self) -> Program:
        kinds = [self._function, self._function, self._variadic]
        if not self._is_decided:
            kinds.append(self._generator)
        self._repeat(lambda: self._pick(kinds)(), at_most=3, tenths=6)
        if self._chance(3):
            self._write_classes()
        self._line("", "", '@app.route("/")')
        with self._indented("def view():"):
            scope = _Scope(functions=[*self._functions])
            self._bind(scope, self._pick(['request.args["q"]', 'request.args.get("q", "")']))
            self._bind(scope, self._constant())
            self._new_box(scope)
            if self._classes:
                self._new_object(scope)
            self._repeat(lambda: self._statement(scope), at_most=12, tenths=9)
            self._command(scope)
            self._repeat(lambda: self._command(scope), at_most=3, tenths=8)
            self._line('return "done"')
        return Program("\n".join(self._lines) + "\n", self._is_decided)

    # chance

    def _pick(self, options: list[Drawn]) -> Drawn:
        return options[self._below(len(options))]

    def _chance(self, tenths: int) -> bool:
        return self._below(10) >= 10 - tenths

    def _repeat(self, write: Callable[[], object], at_most: int, tenths: int) -> None:
        """Each is drawn by itself, so that Hypothesis can leave any of them out."""
        for _ in range(at_most):
            if not self._chance(tenths):
                break
            write()

    # the text

    def _line(self, *lines: str) -> None:
        self._lines += ["    " * self._depth + line if line else "" for line in lines]

    @contextmanager
    def _indented(self, head: str) -> Iterator[None]:
        self._line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def _new(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"

    def _constant(self) -> str:
        return f'"{self._new("k")}"'

    def _affords(self, joins: int) -> bool:
        return self._joins + joins * self._repeats <= MOST_JOINS

    def _joining(self, joins: int = 1) -> None:
        self._joins += joins * self._repeats

    # expressions that give text

    def _text(self, scope: _Scope, depth: int = 2) -> str:
        options: list[Callable[[_Scope, int], str]] = [self._known, self._known]
        if scope.places("list", "tuple", "dict"):
            options += [self._item] * 5
        if depth:
            options += [self._transformed, self._transformed, self._chosen]
            if self._affords(1):
                options.append(self._joined)
            if self._callable(scope, "text"):
                options += [self._called] * 3
            if scope.objects:
                options += [self._asked] * 3
        return self._pick(options)(scope, depth)

    def _known(self, scope: _Scope, depth: int) -> str:
        return self._constant() if not scope.texts or self._chance(1) else self._pick(scope.texts)

    def _item(self, scope: _Scope, depth: int) -> str:
        place = self._pick(scope.places("list", "tuple", "dict"))
        box = scope.boxes[place]
        key = self._pick(sorted(box.keys, key=str))
        if box.kind != "dict":
            return f"{place}[{self._pick([key, key, -1])}]"
        perhaps = self._pick(list("abc"))
        return self._pick(
            [
                f'{place}["{key}"]',
                f'{place}["{key}"]',
                f'{place}.get("{key}")',
                f'{place}.get("{perhaps}", {self._known(scope, 0)})',
                f'{place}.get("{perhaps}", {self._constant()})',
            ]
        )

    def _transformed(self, scope: _Scope, depth: int) -> str:
        text, constant = self._text(scope, depth - 1), self._constant()
        return self._pick(
            [
                f"({text} + {constant})",
                f"({constant} + {text})",
                f'("k %s" % ({text},))',
                f'("%(it)s" % {{"it": {text}}})',
                f'"k {{}}".format({text})',
                f'"{{it}}".format(it={text})',
                f"{text}.upper()",
                f"{text}.strip()",
                f'{text}.replace("k", "l")',
                f"{text}[1:]",
                f"{text}[:-1]",
                f"{text}[::-1]",
                f"{text}.encode().decode()",
                f"base64.b64decode(base64.b64encode({text}.encode())).decode()",
                f"str({text})",
                f"str(len({text}))",
                f"({text}, {constant})[0]",
                f"[{constant}, {text}][0]",
                f'{{"a": {text}, "b": {constant}}}["a"]',
                f'{{"a": {text}, "b": {constant}}}["b"]',
                f"(lambda v: v + {constant})({text})",
                f"(lambda v, w={constant}: w)({text})",
                f'("" or {text})',
                f"({constant} and {text})",
            ]
        )

    def _joined(self, scope: _Scope, depth: int) -> str:
        self._joining()
        one, other = self._text(scope, depth - 1), self._text(scope, depth - 1)
        options = [
            f"({one} + {other})",
            f'" ".join([{one}, {other}])',
            f'" ".join(v for v in ({one}, {other}))',
            f'("%s %s" % ({one}, {other}))',
            f'"{{}} {{}}".format({one}, {other})',
            f'"{{b}} {{a}}".format(a={one}, b={other})',
        ]
        plain = [text for text in scope.texts if '"' not in text]
        if plain:
            options.append(f'f"{{{self._pick(plain)}}} {{{self._pick(plain)}}}"')
        lists = [place for place in scope.places("list", "tuple") if self._affords(scope.boxes[place].most)]
        if lists:
            place = self._pick(lists)
            self._joining(scope.boxes[place].most)
            options.append(f'" ".join({place})')
            options.append(f'" ".join([v.upper() for v in {place}])')
        return self._pick(options)

    def _chosen(self, scope: _Scope, depth: int) -> str:
        one, other = self._text(scope, depth - 1), self._text(scope, depth - 1)
        return f"({one} if {self._condition(scope)} else {other})"

    def _callable(self, scope: _Scope, *gives: str) -> list[_Function]:
        return [f for f in scope.functions if f.gives in gives and self._affords(f.joins)]

    def _called(self, scope: _Scope, depth: int) -> str:
        return self._call(self._pick(self._callable(scope, "text")), scope, depth - 1)

    def _call(self, function: _Function, scope: _Scope, depth: int) -> str:
        self._joining(function.joins)
        given = [self._text(scope, depth) for _ in function.parameters]
        if function.defaults and self._chance(5):
            given = given[: -function.defaults]
        named = [f"{name}={text}" for name, text in zip(function.parameters, given, strict=False)]
        pairs = ", ".join(f'"{name}": {text}' for name, text in zip(function.parameters, given, strict=False))
        split = self._below(len(given) + 1)
        by_position = [", ".join(given), f"*[{', '.join(given)}]"]
        by_name = [", ".join(reversed(named)), f"**{{{pairs}}}"]
        mixed = ", ".join(given[:split] + named[split:])
        options = {"position": by_position, "name": by_name, "any": [*by_position, *by_name, mixed]}
        return f"{function.name}({self._pick(options[function.takes])})"

    def _asked(self, scope: _Scope, depth: int) -> str:
        """Something that an object tells."""
        place = self._pick(scope.objects)
        text = self._text(scope, depth - 1)
        options = ["first()", "first()", "shown", "kind", f"same({text})", f"made({text}).first()"]
        if self._affords(1):
            self._joining()
            options.append("both()")
        return f"{place}.{self._pick(options)}"

    def _condition(self, scope: _Scope) -> str:
        """Most can be worked out without running the program."""
        if not self._is_decided and self._chance(3):
            return self._pick(["flip()", "not flip()", "flip() and 2 > 1"])
        a, b, c = (self._below(9) for _ in range(3))
        options = [
            f"{a} > {b}",
            f"{a} * {b} + {c} > 20",
            f"{a} - {b} <= {c}",
            f"{a} // 3 == {b} % 3",
            f"{a} in ({b}, {c})",
            f"{a} not in [{b}, {c}]",
            f"not {a} > {b}",
            f"{a} < {b} < {c}",
            f"{a} < {b} and {b} < {c}",
            f"{a} < {b} or {b} < {c}",
            f'"{"abcdefghi"[a]}" in "abcde"',
            f'len("{"x" * a}") == {b}',
            f'"abcdefghi"[{a}] == "{"abcdefghi"[b]}"',
            "True",
            "False",
            "None is None",
        ]
        if scope.numbers:
            name = self._pick(list(scope.numbers))
            options += [f"{name} > {a}", f"{name} == {scope.numbers[name]}", f"{name} * 2 + {a} < 12"]
        return self._pick(options)

    # statements

    def _statement(self, scope: _Scope) -> None:
        options: list[Callable[[_Scope], None]] = [self._assign] * 3
        options += [self._new_box] * 2 + [self._number, self._command]
        if scope.texts:
            options.append(self._swap)
        if scope.texts and self._affords(1):
            options.append(self._append)
        if scope.free("list"):
            options += [self._change_list] * 6
        if scope.free("dict"):
            options += [self._change_dict] * 6
        if scope.boxes:
            options += [self._alias, self._derive] * 2
        if self._classes:
            options += [self._new_object] * 2
        if scope.objects:
            options += [self._change_object] * 2
        if self._callable(scope, "pair", "list", "items", "nothing"):
            options += [self._use] * 3
        if self._depth < 3 and len(self._lines) < LONG:
            options += [self._branch] * 3 + [self._leave] * (6 if scope.is_in_loop else 1)
            options += [self._match, self._closure]
            if not self._is_decided:
                options += [self._loop] * 3 + [self._guard, self._try]
        self._pick(options)(scope)

    def _bind(self, scope: _Scope, value: str) -> None:
        name = self._new("t")
        self._line(f"{name} = {value}")
        scope.texts.append(name)

    def _bind_box(self, scope: _Scope, value: str, box: _Box) -> None:
        name = self._new({"list": "l", "tuple": "p", "dict": "d"}[box.kind])
        self._line(f"{name} = {value}")
        scope.boxes[name] = box

    def _assign(self, scope: _Scope) -> None:
        value = self._text(scope)
        if scope.texts and self._chance(6):
            self._line(f"{self._pick(scope.texts)} = {value}")
        else:
            self._bind(scope, value)

    def _append(self, scope: _Scope) -> None:
        self._joining()
        self._line(f"{self._pick(scope.texts)} += {self._text(scope)}")

    def _swap(self, scope: _Scope) -> None:
        one, other = self._pick(scope.texts), self._pick(scope.texts)
        self._line(f"{one}, {other} = {other}, {one}")

    def _number(self, scope: _Scope) -> None:
        name, value = self._new("n"), self._below(9)
        self._line(f"{name} = {value}")
        scope.numbers[name] = value

    def _command(self, scope: _Scope) -> None:
        self._line(f"os.system({self._text(scope)})")

    # lists, tuples and dictionaries

    def _new_box(self, scope: _Scope) -> None:
        texts = [self._text(scope, 1) for _ in range(self._pick([2, 1, 3, 0]))]
        size, items = len(texts), ", ".join(texts)
        in_tuple = f"({items},)" if texts else "()"
        pairs = ", ".join(f'"{key}": {text}' for key, text in zip("abc", texts, strict=False))
        named = ", ".join(f"{key}={text}" for key, text in zip("abc", texts, strict=False))
        in_dict = _Box("dict", frozenset("abc"[:size]), 3)
        self._bind_box(
            scope,
            *self._pick(
                [
                    (f"[{items}]", _Box.of("list", size)),
                    (f"list({in_tuple})", _Box.of("list", size)),
                    (in_tuple, _Box.of("tuple", size)),
                    (f"{{{pairs}}}", in_dict),
                    (f"dict({named})", in_dict),
                ]
            ),
        )

    def _alias(self, scope: _Scope) -> None:
        """Another name for a box, or something that holds it."""
        place = self._pick(list(scope.boxes))
        name = self._new("a")
        value, where = self._pick(
            [
                (place, name),
                (f'{{"inner": {place}}}', f'{name}["inner"]'),
                (f"({place}, {self._constant()})", f"{name}[0]"),
                (f"[{self._constant()}, {place}]", f"{name}[1]"),
            ]
        )
        self._line(f"{name} = {value}")
        scope.boxes[where] = scope.boxes[place]

    def _derive(self, scope: _Scope) -> None:
        """A box, or several texts, made of what is in another."""
        place = self._pick(list(scope.boxes))
        match scope.boxes[place]:
            case _Box(kind="dict", keys=keys):
                self._bind_box(scope, *self._dict_of(place, keys, self._text(scope, 1)))
            case _Box(kind="tuple", keys=keys) if keys:
                names = [self._new("t") for _ in keys]
                self._line(f"{', '.join(names)}, = {place}")
                scope.texts.extend(names)
            case _Box(kind="list", keys=keys) if keys and self._chance(3):
                first, rest = self._new("t"), self._new("l")
                self._line(f"{first}, *{rest} = {place}")
                scope.texts.append(first)
                scope.boxes[rest] = _Box.of("list", len(keys) - 1, scope.boxes[place].most)
            case box:
                value, size = self._list_of(place, len(box.keys), self._text(scope, 1))
                self._bind_box(scope, value, _Box.of("list", size, box.most + 1))

    def _dict_of(self, place: str, keys: frozenset[Key], text: str) -> tuple[str, _Box]:
        value, new = self._pick(
            [
                (f"dict({place})", ""),
                (f"{place}.copy()", ""),
                (f"{{k: v for k, v in {place}.items()}}", ""),
                (f'{{**{place}, "a": {text}}}', "a"),
                (f'{{"b": {text}, **{place}}}', "b"),
            ]
        )
        return value, _Box("dict", keys | {*new}, 3)

    def _list_of(self, place: str, size: int, text: str) -> tuple[str, int]:
        options = [
            (f"list({place})", size),
            (f"[*{place}, {text}]", size + 1),
            (f"[{text}, *{place}]", size + 1),
            (f"list({place}[1:])", max(0, size - 1)),
            (f"list({place}[:1])", min(1, size)),
            (f"list({place}[::-1])", size),
            (f"[v for v in {place}]", size),
            (f"[v + {self._constant()} for v in {place}]", size),
            (f"[{self._constant()} for v in {place}]", size),
        ]
        if not self._is_decided:
            options.append((f"list(map(str.upper, {place}))", size))
            options.append((f"[v for v in {place} if v != {self._constant()}]", 0))
            options.append((f"sorted({place})", size))
        return self._pick(options)

    def _change_list(self, scope: _Scope) -> None:
        place = self._pick(scope.free("list"))
        box = scope.boxes[place]
        size, text = len(box.keys), self._text(scope, 1)
        at, taken = self._below(size + 1), self._new("t")
        options = [
            (f"{place}.append({text})", size + 1),
            (f"{place}.append({text})", size + 1),
            (f"{place}.insert({at}, {text})", size + 1),
            (f"{place}.extend([{text}])", size + 1),
            (f"{place}.extend(({text}, {self._constant()}))", size + 2),
            (f"{place}[{at}:{at}] = [{text}]", size + 1),
            (f"{place}.reverse()", size),
        ]
        if place.isidentifier():  # an item of a tuple can't be assigned to
            options.append((f"{place} += [{text}]", size + 1))
        if at < size:
            options += [(f"{place}[{at}] = {text}", size)] * 3
            options += [(f"{place}[-1] = {text}", size), (f"{place}[:1] = [{text}]", size)]
            options += [(f"{place}.pop({drop})", size - 1) for drop in ("", "0", str(at))]
            options.append((f"{taken} = {place}.pop({at})", size - 1))
            options.append((f"del {place}[{at}]", size - 1))
        if size:
            options += [(f"{place}.clear()", 0), (f"{place}[:] = [{text}]", 1)]
        change, new_size = self._pick([o for o in options if o[1] >= size or not scope.is_in_loop])
        self._line(change)
        if change.startswith(taken):
            scope.texts.append(taken)
        box.most += max(0, new_size - size) * self._repeats
        box.keys = frozenset(range(new_size))

    def _change_dict(self, scope: _Scope) -> None:
        place = self._pick(scope.free("dict"))
        box = scope.boxes[place]
        key, text = self._pick(list("abc")), self._text(scope, 1)
        options = [
            f'{place}["{key}"] = {text}',
            f'{place}["{key}"] = {text}',
            f'{place}.update({{"{key}": {text}}})',
            f"{place}.update({key}={text})",
            f'{place} |= {{"{key}": {text}}}' if place.isidentifier() else f'{place}["{key}"] = {text}',
        ]
        if not self._is_decided:
            options.append(f'{place}.setdefault("{key}", {text})')
        other = self._pick([p for p, b in scope.boxes.items() if b.kind == "dict"])
        options.append(f"{place}.update({other})")
        if not scope.is_in_loop:
            options.append(f'{place}.pop("{key}", None)')
            options.append(f'del {place}["{key}"]' if key in box.keys else f"{place}.clear()")
        change = self._pick(options)
        self._line(change)
        if ".clear" in change:
            box.keys = frozenset()
        elif ".pop" in change or "del " in change:
            box.keys -= {key}
        elif change.endswith(f"update({other})"):
            box.keys |= scope.boxes[other].keys
        else:
            box.keys |= {key}

    # functions

    @contextmanager
    def _defining(self, head: str, returned: Callable[[_Scope], str]) -> Iterator[_Counted]:
        """The body of a function; how many texts it puts together is known after it."""
        before = self._returned, self._joins, self._repeats
        self._returned, self._joins, self._repeats = returned, 0, 1
        counted = _Counted()
        with self._indented(head):
            yield counted
        counted.joins = self._joins
        self._returned, self._joins, self._repeats = before

    def _function(self) -> None:
        name, size = self._new("f"), 1 + self._below(3)
        parameters = tuple(self._new("v") for _ in range(size))
        defaults = self._below(2)
        kinds: list[tuple[str, Callable[[_Scope], str]]] = [
            ("text", self._text),
            ("text", self._text),
            ("text", lambda _: self._constant()),
            ("pair", lambda scope: f"{self._text(scope, 1)}, {self._text(scope, 1)}"),
            ("list", lambda scope: f"[{self._text(scope, 1)}, {self._text(scope, 1)}]"),
        ]
        gives, returned = self._pick(kinds)
        written = [*parameters[: size - defaults], *(f"{p}={self._constant()}" for p in parameters[size - defaults :])]
        self._line("", "")
        with self._defining(f"def {name}({', '.join(written)}):", returned) as counted:
            scope = _Scope([*parameters], functions=[*self._functions])
            self._repeat(lambda: self._statement(scope), at_most=3, tenths=5)
            self._line(f"return {returned(scope)}")
        self._functions.append(_Function(name, parameters, gives, defaults=defaults, joins=counted.joins))

    def _variadic(self) -> None:
        """`*args` and `**kwargs`."""
        name, text = self._new("f"), self._constant()
        head, takes, parameters, options = self._pick(
            [
                ("*rest", "position", "ab", ["rest[0]", "rest[1]", "rest[-1]", '" ".join(rest)', text]),
                ("first, *rest", "position", "abc", ["first", "rest[0]", "rest[-1]", "first + rest[0]"]),
                ("**named", "name", "ab", ['named["a"]', 'named["b"]', f'named.get("absent", {text})']),
                ("a, *, b", "name", "ab", ["a", "b", "a + b"]),
            ]
        )
        self._line("", "", f"def {name}({head}):", f"    return {self._pick(options)}")
        self._functions.append(_Function(name, tuple(parameters), takes=takes, joins=2))

    def _generator(self) -> None:
        name, parameters = self._new("f"), (self._new("v"), self._new("v"))
        self._line("", "")
        with self._defining(f"def {name}({', '.join(parameters)}):", lambda _: "") as counted:
            scope = _Scope([*parameters])
            for _ in range(2):
                self._line(f"yield {self._text(scope)}")
        self._functions.append(_Function(name, parameters, "items", joins=counted.joins))

    def _closure(self, scope: _Scope) -> None:
        """A function in a function, which sees the variables around it as they are when it's called."""
        name, parameter = self._new("g"), self._new("v")
        seen = scope.of_names(parameter)
        variables = seen.texts[:-1]
        if variables and self._chance(3):
            changed = self._pick(variables)
            with self._defining(f"def {name}({parameter}):", lambda _: "") as counted:
                self._line(f"nonlocal {changed}", f"{changed} = {self._text(seen)}")
            scope.functions.append(_Function(name, (parameter,), "nothing", joins=counted.joins))
        elif self._chance(5):
            with self._defining(f"def {name}({parameter}={self._text(scope, 0)}):", self._text) as counted:
                self._line(f"return {self._text(seen)}")
            scope.functions.append(_Function(name, (parameter,), defaults=1, joins=counted.joins))
        else:
            joins, self._joins = self._joins, 0
            self._line(f"{name} = lambda {parameter}: {self._text(seen, 1)}")
            scope.functions.append(_Function(name, (parameter,), joins=self._joins))
            self._joins = joins

    def _use(self, scope: _Scope) -> None:
        """A call that gives no text."""
        function = self._pick(self._callable(scope, "pair", "list", "items", "nothing"))
        call = self._call(function, scope, 1)
        match function.gives:
            case "pair" if self._chance(5):
                names = [self._new("t"), self._new("t")]
                self._line(f"{', '.join(names)} = {call}")
                scope.texts.extend(names)
            case "pair":
                self._bind_box(scope, call, _Box.of("tuple", 2))
            case "list":
                self._bind_box(scope, call, _Box.of("list", 2))
            case "items":
                self._bind_box(scope, f"list({call})", _Box.of("list", 2))
            case _:
                self._line(call)

    # classes

    def _write_classes(self) -> None:
        fields = ["self.a", "self.b"]
        one, other = self._pick(fields), self._pick(fields)
        put = self._pick(["self.a = value", "self.b = value", "self.a, self.b = self.b, value", "return value"])
        plain = ["class Base:", '    kind = "k"', "", '    def __init__(self, a, b="k"):']
        plain += self._pick(
            [
                ["        self.a = a", "        self.b = b"],
                ["        self.a, self.b = b, a"],
                ["        self.a = a + b", '        self.b = "k"'],
            ]
        )
        data = ["@dataclass", "class Base:", "    a: str", '    b: str = "k"', '    kind = "k"']
        self._line("", "", *self._pick([plain, data]))
        self._line("", "    def first(self):", f"        return {one}")
        self._line("", "    def both(self):", "        return self.a + self.b")
        self._line("", "    @property", "    def shown(self):", f"        return {other}")
        self._line("", "    def put(self, value):", f"        {put}")
        self._line("", "    @staticmethod", "    def same(value):", "        return value")
        self._line("", "    @classmethod", "    def made(cls, value):", '        return cls(value, "k")')
        own = {
            "__init__(self, a, b)": ["super().__init__(b, a)", "super().__init__(a)", 'super().__init__("k", b)'],
            "first(self)": ['"k"', "self.b", "super().first()", 'super().first() + "k"'],
        }
        self._line("", "", "class Child(Base):", f"    kind = {self._constant()}")
        init, first = (self._pick(options) for options in own.values())
        if self._chance(5):
            self._line("", "    def __init__(self, a, b):", f"        {init}")
        if self._chance(5):
            self._line("", "    def first(self):", f"        return {first}")
        self._classes = ["Base", "Child"]

    def _new_object(self, scope: _Scope) -> None:
        name, cls = self._new("o"), self._pick(self._classes)
        a, b = self._text(scope, 1), self._text(scope, 1)
        self._line(f"{name} = {self._pick([f'{cls}({a}, {b})', f'{cls}(b={b}, a={a})', f'{cls}.made({a})'])}")
        self._object(scope, name)

    @staticmethod
    def _object(scope: _Scope, name: str) -> None:
        scope.objects.append(name)
        scope.texts.extend([f"{name}.a", f"{name}.b"])

    def _change_object(self, scope: _Scope) -> None:
        place, text = self._pick(scope.objects), self._text(scope, 1)
        name = self._new("o")
        change = self._pick(
            [
                f"{place}.put({text})",
                f"{place}.a = {text}",
                f"{place}.b = {text}",
                f'setattr({place}, "a", {text})',
                f"{name} = {place}",
            ]
        )
        self._line(change)
        if change.startswith(name):
            self._object(scope, name)

    # blocks

    def _block(self, scope: _Scope) -> None:
        inner = scope.inner()
        self._statement(inner)
        self._repeat(lambda: self._statement(inner), at_most=2, tenths=6)

    def _apart(self, scope: _Scope, *heads: str) -> None:
        """Blocks of which one is run, or none."""
        before = scope.keys()
        outcomes = [before]
        for head in heads:
            _reset(before)
            with self._indented(head):
                self._block(scope)
            outcomes.append(scope.keys())
        _settle(*outcomes)

    def _branch(self, scope: _Scope) -> None:
        conditions = [f"if {self._condition(scope)}:", f"elif {self._condition(scope)}:"]
        self._apart(scope, *self._pick([[conditions[0], "else:"], conditions[:1], [*conditions, "else:"], conditions]))

    def _leave(self, scope: _Scope) -> None:
        """A branch after which nothing of what is around it is run."""
        before = scope.keys()
        with self._indented(f"if {self._condition(scope)}:"):
            self._block(scope)
            ways = ["break", "continue"] if scope.is_in_loop else []
            self._line(self._pick([*ways, f"return {self._returned(scope)}"]))
        _reset(before)

    def _match(self, scope: _Scope) -> None:
        subject = self._pick([*scope.numbers, str(self._below(3)), f"{self._below(3)} + 1"])
        with self._indented(f"match {subject}:"):
            self._apart(scope, "case 0:", "case 1 | 2:", "case _:")

    def _guard(self, scope: _Scope) -> None:
        """A branch that hangs on a text."""
        if not scope.texts:
            return self._assign(scope)
        text = self._pick(scope.texts)
        condition = self._pick(
            [
                f'{text} == "k"',
                f'{text} != "k"',
                f'{text} in ("k", "l")',
                f"{text}.isalnum()",
                f"not {text}.isalnum()",
                f"{text}.isdigit()",
                f'{text}.startswith("k")',
                f"{text} is None",
                f"isinstance({text}, str)",
                f"not {text}",
            ]
        )
        return self._apart(scope, f"if {condition}:", "else:")

    def _loop(self, scope: _Scope) -> None:
        inner = replace(scope.inner(), is_in_loop=True)
        item, index, repeats = self._new("t"), self._new("n"), 2
        one, other = self._text(scope, 1), self._text(scope, 1)
        heads: dict[str, _Box | None] = {
            f"for {item} in ({one}, {other}):": None,
            f"for {item} in [{one}]:": None,
        }
        for place, box in scope.boxes.items():
            if box.kind == "dict":
                heads[f"for {item} in {place}.values():"] = box
                heads[f"for {index}, {item} in {place}.items():"] = box
            else:
                heads[f"for {item} in {place}:"] = box
                heads[f"for {index}, {item} in enumerate({place}):"] = box
        heads |= {f"for {index} in range(2):": None, f"while {index} < 2:": None, "while flip():": None}
        head = self._pick(list(heads))
        fixed = heads[head]
        if item in head:
            inner.texts.append(item)
        if f"while {index}" in head:
            self._line(f"{index} = 0")
        before, outer_repeats = scope.keys(), self._repeats
        if fixed is not None:
            repeats, was_fixed = fixed.most, fixed.is_fixed
            fixed.is_fixed = True
        self._repeats *= MOST_FLIPS if "flip" in head else max(1, repeats)
        with self._indented(head):
            if f"while {index}" in head:
                self._line(f"{index} += 1")
            self._block(inner)
        self._repeats = outer_repeats
        if fixed is not None:
            fixed.is_fixed = was_fixed
        _settle(before, scope.keys())

    def _try(self, scope: _Scope) -> None:
        raising = self._pick(['raise ValueError("k")', 'int("k")', "if flip(): raise ValueError", "pass"])
        with self._indented("try:"):
            self._block(scope)
            raised = scope.keys()
            self._line(raising)
            self._block(scope)
        done = scope.keys()
        _reset(raised)
        with self._indented(self._pick(["except ValueError:", "except (KeyError, ValueError) as error:"])):
            self._block(scope)
        _settle(done, scope.keys())
        if self._chance(3):
            with self._indented("finally:"):
                self._block(scope)


@dataclass
class _Counted:
    joins: int = 0
