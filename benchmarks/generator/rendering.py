"""From a template to a module: what is filled in, and the tidying that an editor would do."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.generator.entities import Entity, Field, Kind
from benchmarks.generator.statements import Scope, body
from benchmarks.generator.words import Words

_TEMPLATES = Path(__file__).parent / "templates"
_IMPORT = re.compile(r"^( *(?:from [\w.]+ )?import )([\w, ]+)\n", re.MULTILINE)
_WIDEST = 88


@cache
def _environment() -> Environment:
    return Environment(  # noqa: S701 - it makes Python, not HTML
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.loopcontrols"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, words: Words, **given: object) -> str:
    """The text of a file, with `w` for the words, and the rest as given."""
    text = _environment().get_template(f"{template}.jinja").render(w=words, sample=sampler(words), **given)
    return tidied(text) if template.endswith(".py") else text


def statements(words: Words, entity: Entity, size: int, number: str, text: str, rows: str, ending: bool = True) -> str:
    """The body of a function that is handed a number, a text and rows."""
    scope = Scope(words, entity, [number], [text] if text else [], [rows])
    return body(scope, size, ending)


def sampler(words: Words) -> object:
    """Makes values for the fields of test data."""

    def sample(field: Field) -> str:
        match field.kind:
            case Kind.TEXT:
                return f'"{words.team()}-{words.number(1, 999)}"'
            case Kind.FLAG:
                return str(words.chance(0.5))
            case Kind.TIME:
                return f'"20{words.number(20, 26)}-0{words.number(1, 9)}-1{words.number(0, 9)}T08:00:00Z"'
            case _:
                return str(words.number(0, 900))

    return sample


def tidied(text: str) -> str:
    """Without unused imports, empty classes, and more than two blank lines at a time."""
    text = _IMPORT.sub(lambda found: _used(found, text), text)
    text = re.sub(r"\n[ \t]+\n", "\n\n", text)
    text = re.sub(r"(:|\w\(|\[)\n\n+(?= )", r"\1\n", text)
    text = re.sub(r"(?<!\n)\n\n(?=class |def |async def |@)", "\n\n\n", text)
    text = re.sub(r"\n{4,}", "\n\n\n", text)
    text = re.sub(r"\n\n\n+(?=[ ])", "\n\n", text)
    return text.strip("\n") + "\n"


def _used(found: re.Match[str], text: str) -> str:
    """An import with the names that the rest of the module speaks of."""
    head, names = found.groups()
    if "__future__" in head:
        return found.group()
    rest = text[: found.start()] + text[found.end() :]
    kept = [n for n in names.split(", ") if re.search(rf"\b{n.split(' as ')[-1]}\b", rest)]
    line = head + ", ".join(kept)
    if len(line) > _WIDEST:
        return f"{head}(\n" + "".join(f"    {name},\n" for name in kept) + ")\n"
    return f"{line}\n" if kept else ""
