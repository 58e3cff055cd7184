"""Bytes of a text file as lines, and the comment at its head."""

from __future__ import annotations

from assay.scanner.diagnostics import Reason
from assay.scanner.readers.problem import ReadProblem

LICENCE_WORDS = ("copyright", "licensed under", "license", "spdx-", "warranties")


def decode(data: bytes) -> str:
    r"""The text, without its byte order mark and with `\n` line ends.

    Raises ReadProblem for bytes that aren't UTF-8 and for NUL characters.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ReadProblem(Reason.UNDECODABLE, f"not UTF-8 text: byte 0x{data[error.start]:02x}", line) from error
    if "\0" in text:
        raise ReadProblem(
            Reason.UNDECODABLE, "a NUL character: this is no text file", text.count("\n", 0, text.index("\0")) + 1
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def leading_comment(text: str) -> str:
    """What the `#` comment at the head of a file says, on one line, without shebang and licence text."""
    paragraphs: list[list[str]] = [[]]
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.startswith("#!") or stripped == "---":
            continue
        if stripped.startswith("#"):
            word = stripped.lstrip("#").strip()
            paragraphs[-1].append(word)
        elif stripped == "":
            paragraphs.append([])
        else:
            break
    kept = (" ".join(p).strip() for p in paragraphs if not _is_licence(p))
    return " ".join(k for k in kept if k)


def _is_licence(paragraph: list[str]) -> bool:
    joined = " ".join(paragraph).lower()
    return any(word in joined for word in LICENCE_WORDS)
