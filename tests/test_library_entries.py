"""Every name in every library model does what the model says: each in a snippet, through the whole pipeline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import assay.rules
from assay.scanner.config import Config, ServiceConfig
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.libraries import load_libraries
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Kind
from tests.library_snippets import CODES, Said, Written, module_of, snippets

FILES = sorted((Path(__file__).parent.parent / "rules" / "libraries").glob("*.yaml"))
LIBRARIES = dict(
    zip(
        [file.stem for file in FILES],
        load_libraries((file.name, file.read_text(encoding="utf-8")) for file in FILES),
        strict=True,
    )
)
SAID = Said.by(tuple(LIBRARIES.values()))
RULEBOOK = load_rulebook(assay.rules)
RULES = replace(RULEBOOK, rules=tuple(rule for rule in RULEBOOK.rules if rule.code in CODES.values()))
OPTIONS = Options(
    Config(services={"case": ServiceConfig(".")}), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor()
)


KNOWN_GAPS = frozenset(
    {
        # What reads SQL texts knows no guards of libraries, and where it disagrees with the engine a person is asked.
        "validators.ip_address.ipv4",
        "validators.ip_address.ipv6",
        "validators.ipv4",
        "validators.ipv6",
        "validators.slug",
    }
)
"""Names that don't do all that their model says, by why. One that is mended has to leave."""


def gaps(written: Written, root: Path) -> dict[str, list[str]]:
    """The names that don't do what their model says: for each, the snippets that show it and what is said of them."""
    root.mkdir()
    (root / "app.py").write_text(written.text, encoding="utf-8")
    result = scan(root, RULES, {}, OPTIONS)
    assert [str(d) for d in result.diagnostics if d.reason.is_internal_error or d.reason.is_unread_file] == []
    found: dict[tuple[int, str], set[Kind | None]] = {}
    for verdict in result.verdicts:
        found.setdefault((verdict.location.line, verdict.rule), set()).add(verdict.kind)
    wrong: dict[str, list[str]] = {}
    for place, (snippet, outcomes) in written.expected.items():
        said = found.get(place, {None})
        if not said <= outcomes:
            words = ", ".join(sorted(kind or "nothing" for kind in said))
            wrong.setdefault(snippet.about, []).append(f"{snippet.title}: {words}")
    return wrong


@pytest.mark.parametrize("file", LIBRARIES)
def test_every_name_does_what_its_model_says(file: str, tmp_path: Path) -> None:
    library = LIBRARIES[file]
    written = module_of(snippets(library, SAID), library.packages)
    found = gaps(written, tmp_path / "case")
    known = KNOWN_GAPS & {snippet.about for snippet, _ in written.expected.values()}
    assert ({name: how for name, how in found.items() if name not in known}, known - set(found)) == ({}, frozenset())


def test_every_known_gap_is_a_name_of_some_model() -> None:
    names = {snippet.about for library in LIBRARIES.values() for snippet in snippets(library, SAID)}
    assert sorted(KNOWN_GAPS - names) == []
