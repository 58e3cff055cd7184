"""Parses files with LibCST alone: `python benchmarks/native_parse.py LIST`, where LIST names a file a line.

One process, the collector off, nothing done with the trees, and nothing of Assay loaded.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from pathlib import Path

import libcst


def main() -> None:
    """Parse them all; one that LibCST refuses costs what it costs."""
    gc.disable()
    for name in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        with suppress(libcst.ParserSyntaxError, UnicodeDecodeError):
            libcst.parse_module(Path(name).read_bytes())


if __name__ == "__main__":
    main()
