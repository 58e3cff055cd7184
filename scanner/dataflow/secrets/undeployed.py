"""Code and values that no production process has, by what modules, classes and branches are called."""

from __future__ import annotations

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.nesting import Nesting, Node
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

_NAMES = frozenset(
    {
        "ci", "debug", "demo", "dev", "development", "dummy", "example", "examples", "fake", "fakes", "fixture",
        "fixtures", "local", "mock", "mocks", "pytest", "sample", "seed", "seeder", "seeds", "simulator", "stub",
        "test", "tester", "testing", "tests", "unittest",
    }
)  # fmt: skip


def is_undeployed(scope: Scope) -> bool:
    """Whether the code is for development or tests, or makes up data: its module, class or function says so."""
    return not _NAMES.isdisjoint(words(f"{last_part(scope.module.name)} {scope.qualname}"))


def is_in_undeployed_branch(node: Node, scope: Scope, nesting: Nesting) -> bool:
    """Whether it stands in `if DEBUG:` or the like: a branch that is taken in development alone."""
    parents = nesting.parents(scope)
    child = node
    while (parent := parents.get(child)) is not None:
        if isinstance(parent, form.If) and any(child is statement for statement in parent.body) and _asks(parent.test):
            return True
        child = parent
    return False


def _asks(test: form.Expr) -> bool:
    """Whether the test holds in development alone, as far as names tell."""
    if isinstance(test, form.Unary) and test.op == "not":
        return False
    for node in form.walk(test):
        match node:
            case form.Name(id=name) | form.Attr(attr=name) | form.Const(value=str() as name):
                if not _NAMES.isdisjoint(words(name)):
                    return True
    return False
