"""radon's cyclomatic complexity of the functions that are not simple, from a tree that is parsed already.

Importing this module loads radon: import it where a file is analyzed, not before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from radon.complexity import add_inner_blocks, cc_rank, cc_visit_ast
from radon.visitors import Function

from assay.scanner.analyzers.facts import FunctionComplexity
from assay.scanner.analyzers.syntax import Definition, Lines

MODERATE = 11
"""The first complexity that is kept: rank C in radon's scale, where simple and well structured blocks end."""


def complexities(tree: ast.Module, lines: Lines) -> list[FunctionComplexity]:
    """Functions, methods and functions inside functions, in the order of the file; classes are sums of their methods
    and are left out.
    """
    blocks = {
        (block.lineno, block.col_offset): block.complexity
        for block in add_inner_blocks(cc_visit_ast(tree))
        if isinstance(block, Function) and block.complexity >= MODERATE
    }
    if not blocks:
        return []
    found = []
    # radon's names of inner functions lose their class; the tree knows them.
    for name, node in _functions(tree, ""):
        complexity = blocks.get((node.lineno, node.col_offset))
        if complexity is not None:
            line, column = node.lineno, lines.column(node.lineno, node.col_offset)
            found.append(FunctionComplexity(name, complexity, cc_rank(complexity), line, column, line, lines.end(line)))
    return found


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Definition):
            if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
                yield from _functions(child, prefix)
            continue
        name = prefix + child.name
        if not isinstance(child, ast.ClassDef):
            yield name, child
        yield from _functions(child, name + ".")
