"""XML as tools of measuring write it, element by element, without entities of a file's own.

Built on expat's events: nothing is fetched, and nothing can grow beyond what stands in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.parsers import expat

from assay.scanner.evidence.parsing import problem

Start = Callable[[str, Mapping[str, str], int], None]
"""Told an element's name without its prefix, its attributes, and its line."""
End = Callable[[str, str], None]
"""Told the name of an element that ends, and the text directly in it."""


def walk(data: bytes, start: Start, end: End = lambda _name, _text: None) -> None:
    """Go through the document. Raises ReadProblem for what is no XML, and for a file that declares entities."""
    parser = expat.ParserCreate()
    texts: list[list[str]] = []

    def opened(name: str, attributes: dict[str, str]) -> None:
        texts.append([])
        start(_local(name), attributes, parser.CurrentLineNumber)

    def closed(name: str) -> None:
        end(_local(name), "".join(texts.pop()).strip())

    def said(text: str) -> None:
        if texts:
            texts[-1].append(text)

    def entity(*_: object) -> None:
        message = "it declares an XML entity, which no tool of measuring does; it isn't read"
        raise problem(message, parser.CurrentLineNumber)

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = said
    parser.EntityDeclHandler = entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise problem(f"it is no valid XML ({what}); let the tool write it anew", error.lineno) from error
    except (LookupError, ValueError) as error:
        raise problem(f"it is no valid XML ({error}); let the tool write it anew") from error


def _local(name: str) -> str:
    return name.rpartition(":")[2]
