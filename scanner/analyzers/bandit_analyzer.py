"""bandit, run through its Python API on a tree that is parsed already.

bandit's own visitor prepares a context for every node and keeps scores that nobody here reads. Its checks ask for a
few types of node only, so the walk here prepares those alone: the same checks see the same contexts, in less time.

Importing this module loads bandit with some eighty extensions: import it where a file is analyzed, not before.
"""

from __future__ import annotations

import ast
import io
import logging
import tokenize
import warnings
from typing import Any

from assay.scanner.analyzers.facts import BanditFinding
from assay.scanner.analyzers.syntax import Definition, Lines

_FORMAT_OF_WARNINGS = warnings.formatwarning
with warnings.catch_warnings():
    # What it imports warns of its own future.
    warnings.simplefilter("ignore")
    from bandit.core.config import BanditConfig
    from bandit.core.extension_loader import MANAGER
    from bandit.core.manager import _parse_nosec_comment
    from bandit.core.metrics import Metrics
    from bandit.core.node_visitor import BanditNodeVisitor
    from bandit.core.test_set import BanditTestSet
    from bandit.core.tester import BanditTester
# bandit replaces it for the whole process.
warnings.formatwarning = _FORMAT_OF_WARNINGS
# What bandit has to say comes back as findings and problems, not as text on somebody's terminal.
logging.getLogger("bandit").addHandler(logging.NullHandler())
logging.getLogger("bandit").propagate = False

_PATH = "./module.py"
"""The path that bandit is told, the same for all files: facts are cached by content, so they must not depend on it.
bandit looks for packages around a path, and in "." it looks no further."""

_TESTS = BanditTestSet(BanditConfig())

CHECKS: dict[str, str] = {
    **{plugin.plugin._test_id: plugin.name for plugin in MANAGER.plugins},
    **{test["id"]: test["name"] for tests in MANAGER.blacklist.values() for test in tests},
}
"""The id and name of every check of the installed bandit, plugins included."""


def findings(tree: ast.Module, data: bytes, lines: Lines) -> tuple[list[BanditFinding], list[str]]:
    """bandit's issues, `# nosec` honoured as bandit does, and a text for each check that raised an error."""
    metrics = Metrics()
    metrics.begin(_PATH)
    visitor = _Visitor(_PATH, io.BytesIO(data), None, _TESTS, False, _nosec(data), metrics)
    visitor.walk(tree)
    return [_finding(issue, node, lines) for issue, node in visitor.tester.issues()], visitor.tester.errors


def _nosec(data: bytes) -> dict[int, set[str]]:
    """By line, the checks that a comment there switches off; all of them when the set is empty."""
    found: dict[int, set[str]] = {}
    if b"nosec" not in data:
        return found
    try:
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            if token.type == tokenize.COMMENT and (tests := _parse_nosec_comment(token.string)) is not None:
                found[token.start[0]] = tests
    except (tokenize.TokenError, SyntaxError):
        # As bandit does: the comments up to here count. The file was parsed, so the doubt is the tokenizer's alone.
        pass
    return found


class _Tester(BanditTester):  # type: ignore[misc]
    """Remembers the node of each issue, and keeps the checks that raise errors instead of logging them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.errors: list[str] = []
        self._nodes: list[ast.AST | None] = []

    def run_tests(self, raw_context: dict[str, Any], checktype: str) -> Any:
        scores = super().run_tests(raw_context, checktype)
        while len(self._nodes) < len(self.results):
            self._nodes.append(raw_context.get("node"))
        return scores

    def _get_nosecs_from_contexts(self, context: dict[str, Any], test_result: Any = None) -> Any:
        """Asked for every check on every node; most files have no such comment."""
        return super()._get_nosecs_from_contexts(context, test_result) if self.nosec_lines else None

    def report_error(self, test: str, context: Any, error: Exception) -> None:
        line = context._context["lineno"]
        self.errors.append(f"bandit's check {test} raised {type(error).__name__} at line {line}")

    def issues(self) -> list[tuple[Any, ast.AST | None]]:
        return list(zip(self.results, self._nodes, strict=True))


_VISITED = frozenset(_TESTS.tests) | {
    name.removeprefix("visit_") for name in dir(BanditNodeVisitor) if name.startswith("visit_")
}
"""The types of node that bandit does anything with."""


class _Visitor(BanditNodeVisitor):  # type: ignore[misc]
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.tester = _Tester(self.testset, self.debug, self.nosec_lines, self.metrics)

    def walk(self, tree: ast.Module) -> None:
        self.generic_visit(tree)
        # For the checks of whole files, the context that bandit's own `process` gives them.
        self.context = {
            "file_data": self.fdata,
            "filename": self.fname,
            "lineno": 0,
            "linerange": [0, 1],
            "col_offset": 0,
        }
        self.tester.run_tests(self.context, "File")

    def generic_visit(self, node: ast.AST) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                for item, sibling in zip(value, (*value[1:], None), strict=False):
                    if isinstance(item, ast.AST):
                        self._meet(item, node, sibling)
            elif isinstance(value, ast.AST):
                self._meet(value, node, None)

    def _meet(self, node: Any, parent: ast.AST, sibling: Any) -> None:
        node._bandit_sibling = sibling
        node._bandit_parent = parent
        if type(node).__name__ not in _VISITED:
            self.generic_visit(node)
            return
        self.pre_visit(node)
        self.visit(node)
        self.generic_visit(node)
        self.post_visit(node)

    def update_scores(self, scores: Any) -> None:
        """bandit's scores are not Assay's."""


def _finding(issue: Any, node: Any, lines: Lines) -> BanditFinding:
    line, column, end_line, end_column = _place(issue, node, lines)
    return BanditFinding(
        issue.test_id,
        CHECKS.get(issue.test_id, issue.test),
        issue.severity,
        issue.confidence,
        issue.cwe.id,
        issue.text,
        _enclosing(node),
        line,
        column,
        end_line,
        end_column,
    )


def _place(issue: Any, node: Any, lines: Lines) -> tuple[int, int, int, int]:
    """The node's own place, or the whole line where the check names another one than its node's."""
    line = issue.lineno
    if node is None or getattr(node, "lineno", None) != line:
        return line, 1, line, lines.end(line)
    column = lines.column(line, node.col_offset)
    return line, column, node.end_lineno, lines.column(node.end_lineno, node.end_col_offset)


def _enclosing(node: Any) -> str:
    names = []
    while node is not None:
        if isinstance(node, Definition):
            names.append(node.name)
        node = getattr(node, "_bandit_parent", None)
    return ".".join(reversed(names))
