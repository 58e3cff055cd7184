"""Bodies of functions: statements that compute with what is in reach, nested as people nest them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from textwrap import indent

from benchmarks.generator.entities import Entity
from benchmarks.generator.words import LISTS, MAPPINGS, NUMBERS, TEXTS, Words

_DEEPEST = 3


@dataclass(slots=True)
class Scope:
    """The names in reach, by what they hold: a block sees those of the blocks around it."""

    words: Words
    entity: Entity
    numbers: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    mappings: list[str] = field(default_factory=list)
    record: str = ""
    in_loop: bool = False
    depth: int = 0

    def inner(self, record: str = "") -> Scope:
        return replace(
            self,
            numbers=list(self.numbers),
            texts=list(self.texts),
            lists=list(self.lists),
            mappings=list(self.mappings),
            record=record or self.record,
            in_loop=self.in_loop or bool(record),
            depth=self.depth + 1,
        )

    def new(self, kind: str) -> str:
        """A name for a new value, known from the next statement on."""
        names, pool = {
            "number": (self.numbers, NUMBERS),
            "text": (self.texts, TEXTS),
            "list": (self.lists, LISTS),
            "mapping": (self.mappings, MAPPINGS),
        }[kind]
        name = self.words.pick(pool)
        if name in names and self.words.chance(0.6):
            name = f"{self.words.pick(('new', 'current', 'previous', 'open', 'last', 'next'))}_{name}"
        if name not in names:
            names.append(name)
        return name

    def number(self) -> str:
        if self.record and self.words.chance(0.5):
            return f"{self.record}.{self.words.pick(self.entity.numbers)}"
        return self.words.pick(self.numbers) if self.numbers else str(self.words.number(1, 90))

    def text(self) -> str:
        if self.record and self.words.chance(0.5):
            return f"{self.record}.{self.words.pick(self.entity.texts)}"
        return self.words.pick(self.texts) if self.texts else f'"{self.words.state()}"'

    def condition(self) -> str:
        w, e = self.words, self.entity
        options = [f"{self.number()} {w.pick(('>', '<', '>=', '=='))} {w.number(0, 100)}", f"not {self.text()}"]
        if self.record:
            state = w.pick(e.states)
            options += [f"{self.record}.{w.pick(e.flags)}", f'{self.record}.status == "{state}"']
            options += [
                f'{self.record}.status in ("{state}", "{w.state()}")',
                f"{self.record}.{w.pick(e.times)} is None",
            ]
        if self.lists:
            options += [f"not {w.pick(self.lists)}", f"len({w.pick(self.lists)}) > {w.number(1, 500)}"]
        first = w.pick(options)
        return f"{first} and {w.pick(options)}" if w.chance(0.15) and len(first) < 45 else first


Maker = Callable[[Scope], list[str]]


def body(scope: Scope, size: int, ending: bool = True) -> str:
    """About `size` lines; with `ending`, the last one returns something."""
    lines = _block(scope, size)
    if ending:
        lines += _ending(scope)
    return "\n".join(lines)


def _block(scope: Scope, size: int) -> list[str]:
    lines: list[str] = []
    makers, weights = zip(*_MAKERS, strict=True)
    while len(lines) < size:
        maker: Maker = scope.words.weighted(makers, weights)
        if scope.depth >= _DEEPEST and maker in _NESTING:
            continue
        statement = maker(scope)
        if statement and lines and scope.depth == 0 and len(statement) > 3 and scope.words.chance(0.5):
            lines.append("")
        if statement and scope.words.chance(0.28):
            lines += _comment(scope)
        lines += statement
    return lines


def _comment(scope: Scope) -> list[str]:
    text = scope.words.reason()
    if scope.words.chance(0.3):
        return [f"# {text[0].upper()}{text[1:]}:", f"# {scope.words.reason()}."]
    return [f"# {text}" if scope.words.chance(0.5) else f"# {text[0].upper()}{text[1:]}."]


def _nested(scope: Scope, low: int, high: int) -> list[str]:
    return indent("\n".join(_block(scope, scope.words.number(low, high))), "    ").split("\n")


def _ending(scope: Scope) -> list[str]:
    options = [f"return {scope.number()}"]
    if scope.lists:
        options.append(f"return {scope.words.pick(scope.lists)}")
    if scope.mappings:
        options.append(f"return {scope.words.pick(scope.mappings)}")
    if scope.lists and scope.numbers:
        options.append(f'return {{"{scope.words.pick(NUMBERS)}": {scope.number()}, "items": {scope.lists[-1]}}}')
    return [scope.words.pick(options)]


# --- simple statements ------------------------------------------------------------------------------------------------


def _sum(s: Scope) -> list[str]:
    w, e = s.words, s.entity
    if not s.lists:
        return []
    rows, name, value = w.pick(s.lists), s.new("number"), w.pick(e.numbers)
    return w.pick(
        (
            [f"{name} = sum(row.{value} for row in {rows})"],
            [f"{name} = sum(row.{value} or 0 for row in {rows} if row.{w.pick(e.flags)})"],
            [f"{name} = max((row.{value} for row in {rows}), default=0)"],
            [
                f"{name} = sum(",
                f"    row.{value} * row.{w.pick(e.numbers)}",
                f"    for row in {rows}",
                f"    if row.{w.pick(e.times)} is not None",
                ")",
            ],
        )
    )


def _arithmetic(s: Scope) -> list[str]:
    w = s.words
    left, right = s.number(), s.number()
    name = s.new("number")
    return w.pick(
        (
            [f"{name} = {left} + {right}"],
            [f"{name} = max({left} - {right}, 0)"],
            [f"{name} = {left} * {w.number(2, 60)} // 100"],
            [f"{name} = {left} if {s.condition()} else {w.number(0, 20)}"],
            [f"{name} = round({left} / max({right}, 1), 2)"],
        )
    )


def _text(s: Scope) -> list[str]:
    w = s.words
    first, second, number = s.text(), s.text(), s.number()
    name = s.new("text")
    return w.pick(
        (
            [f'{name} = f"{{{first}}}-{{{second}}}"' if '"' not in first + second else f'{name} = "{w.state()}"'],
            [f'{name} = f"{s.entity.words} of {w.team()}: {{{number}}}"'],
            [f"{name} = {first}.strip().lower()"],
            [f'{name} = {first} or "{w.state()}"'],
            [f'{name} = ", ".join(sorted({{row.{w.pick(s.entity.texts)} for row in {w.pick(s.lists)}}}))']
            if s.lists
            else [f"{name} = str({number})"],
        )
    )


def _comprehension(s: Scope) -> list[str]:
    w, e = s.words, s.entity
    if not s.lists:
        return []
    rows = w.pick(s.lists)
    kind = w.pick(("list", "list", "mapping"))
    name = s.new(kind)
    if kind == "mapping":
        return [f"{name} = {{row.{w.pick(e.texts)}: row.{w.pick(e.numbers)} for row in {rows}}}"]
    return w.pick(
        (
            [f'{name} = [row for row in {rows} if row.status == "{w.pick(e.states)}"]'],
            [f"{name} = sorted({rows}, key=lambda row: row.{w.pick(e.numbers)}, reverse=True)"],
            [f"{name} = [row for row in {rows} if row.{w.pick(e.flags)} and row.{w.pick(e.numbers)} > {s.number()}]"],
        )
    )


def _mapping(s: Scope) -> list[str]:
    w, e = s.words, s.entity
    name = s.new("mapping")
    keys = w.some(TEXTS + NUMBERS, 2, 12)
    values = [w.weighted((s.number(), s.text(), f'"{w.team()}"', "None"), (2, 2, 3, 1)) for _ in keys]
    return [
        f"{name} = {{",
        *(f'    "{k}": {v},' for k, v in zip(keys, values, strict=True)),
        f'    "type": "{e.name}",',
        "}",
    ]


def _call(s: Scope) -> list[str]:
    """A call of the model with an argument a line."""
    w, e = s.words, s.entity
    name = s.new("list")
    values = [
        *(f"{field}={s.number()}," for field in w.some(e.numbers, 1, 3)),
        *(f"{field}={s.text()}," for field in w.some(e.texts, 1, 4)),
        *(f"{field}=None," for field in e.times),
    ]
    return [
        f"{name} = [",
        f"    {e.title}(",
        *(f"        {value}" for value in values),
        f'        status="{w.pick(e.states)}",',
        "    )",
        "]",
    ]


def _log(s: Scope) -> list[str]:
    w = s.words
    number, event = s.number(), f"{s.entity.words} {w.action()} {w.state()}"
    level = w.weighted(("info", "debug", "warning", "error"), (5, 3, 3, 1))
    return w.weighted(
        (
            [f'logger.{level}("{event}: %s", {number})'],
            [f'logger.{level}("{event} for %s (%s)", {s.text()}, {number})'],
            [
                f"logger.{level}(",
                f'    "{event}: %s of %s",',
                f"    {number},",
                f"    {s.text()},",
                f'    extra={{"{w.pick(NUMBERS)}": {number}, "{w.pick(TEXTS)}": {s.text()}}},',
                ")",
            ],
            [f'logger.{level}("{event}")'],
            [f'logger.{level}(f"{event} {{{number}}}")'],
            [f'print("{event}", {number})'],
        ),
        (6, 4, 3, 2, 2, 0.4),
    )


def _assign_record(s: Scope) -> list[str]:
    w, e = s.words, s.entity
    if not s.record:
        return []
    return w.pick(
        (
            [f"{s.record}.{w.pick(e.numbers)} = {s.number()}"],
            [f"{s.record}.{w.pick(e.texts)} = {s.text()}"],
            [f'{s.record}.status = "{w.pick(e.states)}"'],
            [f"{s.record}.{w.pick(e.times)} = datetime.now(UTC)"],
            [f"{s.record}.{w.pick(e.times)} = datetime.now(UTC) + timedelta(days={w.number(1, 90)})"],
        )
    )


# --- statements with blocks -------------------------------------------------------------------------------------------


def _guard(s: Scope) -> list[str]:
    w, e = s.words, s.entity
    message = f"{e.words} can't be {w.state()}"
    then = w.pick(
        (
            f'raise DomainError("{message}")',
            f'raise DomainError(f"{message}: {{{s.number()}}}")',
            f'raise ValueError("{message}")',
            "continue" if s.in_loop else f'raise DomainError("{message} by {w.team()}")',
        )
    )
    if then.startswith("raise") and w.chance(0.35):
        kind, _, text = then.removesuffix(")").partition("(")
        return [
            f"if {s.condition()}:",
            f"    {kind}(",
            f"        {text}",
            f'        "; ask the {w.team()} team, or {w.action()} the {e.words} first"',
            "    )",
        ]
    return [f"if {s.condition()}:", f"    {then}"]


def _branch(s: Scope) -> list[str]:
    w = s.words
    lines = [f"if {s.condition()}:", *_nested(s.inner(), 1, 4)]
    if w.chance(0.2):
        lines += [f"elif {s.condition()}:", *_nested(s.inner(), 1, 3)]
    if w.chance(0.35):
        lines += ["else:", *_nested(s.inner(), 1, 3)]
    return lines


def _loop(s: Scope) -> list[str]:
    w = s.words
    if not s.lists:
        return []
    rows = w.pick(s.lists)
    item = w.pick(("row", "entry", s.entity.name, "item"))
    if w.chance(0.2):
        return [f"for position, {item} in enumerate({rows}, start=1):", *_nested(s.inner(item), 2, 7)]
    return [f"for {item} in {rows}:", *_nested(s.inner(item), 2, 7)]


def _grouping(s: Scope) -> list[str]:
    w, e = s.words, s.entity
    if not s.lists:
        return []
    rows, name = w.pick(s.lists), s.new("mapping")
    if w.chance(0.5):
        return [
            f"{name}: dict[str, list[Any]] = defaultdict(list)",
            f"for row in {rows}:",
            f"    {name}[row.{w.pick((*e.texts, 'status'))}].append(row)",
        ]
    return [
        f"{name}: Counter[str] = Counter()",
        f"for row in {rows}:",
        f"    if row.{w.pick(e.flags)}:",
        f"        {name}[row.status] += 1",
    ]


def _attempt(s: Scope) -> list[str]:
    w = s.words
    caught = w.weighted(("ValueError", "(KeyError, ValueError)", "DomainError", "Exception", ""), (4, 3, 3, 2, 0.4))
    head = f"except {caught}:" if caught else "except:"
    then = w.weighted(
        (
            [f'logger.exception("{s.entity.words} failed to {w.action()}")', "raise"],
            [f'logger.warning("{s.entity.words} was left as it is")', f"{s.new('number')} = 0"],
            ["pass"],
        ),
        (4, 3, 1),
    )
    return ["try:", *_nested(s.inner(), 1, 4), head, *(f"    {line}" for line in then)]


_MAKERS: list[tuple[Maker, float]] = [
    (_sum, 5),
    (_arithmetic, 5),
    (_text, 4.5),
    (_comprehension, 4),
    (_mapping, 6),
    (_call, 5),
    (_log, 2),
    (_assign_record, 6),
    (_guard, 7),
    (_branch, 5),
    (_loop, 5),
    (_grouping, 2),
    (_attempt, 1.3),
]
_NESTING = {_branch, _loop, _attempt}
