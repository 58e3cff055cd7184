"""What a module can have to do with: the modules that it imports, directly or not."""

from __future__ import annotations

from assay.scanner.linker.project import Project
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import Module


@remembered
def reach(module: Module, project: Project) -> frozenset[Module]:
    """The module and all that it imports, over any number of steps: another service in the tree is not among them."""
    found = {module}
    todo = [module]
    while todo:
        new = project.imports(todo.pop()) - found
        found |= new
        todo += new
    return frozenset(found)


@remembered
def packages_in_reach(module: Module, project: Project) -> frozenset[str]:
    """The top-level packages that these modules import by absolute names."""
    return frozenset(package for inner in reach(module, project) for package in inner.imported_packages)
