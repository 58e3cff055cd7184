"""Which modules have to be linked to judge a few files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.readers.python.form import Mentions
from assay.scanner.results import JudgedVerdict
from assay.scanner.units import References

__all__ = ["Near", "leading_to"]


@dataclass(frozen=True, slots=True)
class Near:
    """The files that are `asked` about, and the `modules` to link for them: they, what they import, and what is around
    them. `mentions` are those of all modules of the tree.
    """

    asked: frozenset[str]
    mentions: Mapping[str, Mentions]
    modules: frozenset[str]
    references: References

    @classmethod
    def of(cls, asked: frozenset[str], mentions: Mapping[str, Mentions], around: Collection[str]) -> Near:
        """`around` are the modules that make them part of a service."""
        references = References(mentions)
        given = asked.intersection(mentions)
        imported = (other for path in given for other in references.of(path))
        there = (path for path in around if path in mentions)
        return cls(asked, mentions, frozenset((*given, *imported, *there)), references)

    def tells(self, verdict: JudgedVerdict) -> bool:
        """Whether all is known of one of the ways that data takes by the verdict. A module on it that calls what isn't
        linked may do with the data whatever it likes.
        """
        return not verdict.flows or any(
            all(self._is_whole(step.location.path) for step in way) for way in verdict.flows
        )

    def _is_whole(self, path: str) -> bool:
        return path in self.modules and self.modules.issuperset(self.references.of(path))


def leading_to(asked: Iterable[str], mentions: Mapping[str, Mentions], makers: frozenset[str]) -> frozenset[str]:
    """The modules that may make an application, and the shortest chains of imports from them to the files."""
    references = References(mentions)
    importers: dict[str, list[str]] = {}
    for path in sorted(mentions):
        for other in dict.fromkeys(references.of(path)):
            importers.setdefault(other, []).append(path)
    return makers.union(*(_chain(path, importers, makers) for path in asked if path in mentions))


def _chain(path: str, importers: Mapping[str, list[str]], makers: frozenset[str]) -> Iterator[str]:
    imported: dict[str, str | None] = {path: None}
    todo = [path]
    for here in todo:
        if here in makers:
            step: str | None = here
            while step is not None:
                yield step
                step = imported[step]
            return
        for importer in importers.get(here, ()):
            if importer not in imported:
                imported[importer] = here
                todo.append(importer)
