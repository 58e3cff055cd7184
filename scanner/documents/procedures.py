"""Documents for the person on call: what to do when something is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.documents import DocumentFacts
from assay.scanner.readers.monitoring.facts import MonitoringFacts

_PAGE = re.compile(
    r"run-?books?|(?<!marketing-)(?<!sales-)(?<!brand-)play-?books?|on-?call"
    r"|incident[-_ ](response|management|handling)|disaster[-_ ]recovery|\broll-?back"
    r"|\bsops?\b|back-?ups?[-_ ]and[-_ ]restore|emergency",
    re.IGNORECASE,
)
"""Names of files and folders."""
_CHAPTER = re.compile(
    r"run-?books?|play-?books?|on-?call (guide|procedures?|rotation|handbook|duty)|incident (response|procedures?)"
    r"|disaster recovery|^(how to )?roll(ing)?[- ]?backs?\b(?! (segments?|transactions?))"
    r"|^(incidents?|escalations?|emergenc(y|ies)|outages?)$|escalation (path|policy|procedures?)|emergency procedures?"
    r"|standard operating|recover(ing|y) (from|after|of)"
    r"|^(when|if|what (to do )?(when|if)) .*(\bdown\b|fails?|stuck|stops?)"
    r"|rotat(e|ing|ion of) (the )?(secrets?|keys?|credentials?|certificates?)"
    r"|restor(e|ing)( from)?( an?| the)? (back-?ups?|database|dump|snapshot)|^(database )?fail-?over$|in an outage",
    re.IGNORECASE,
)
_OPERATING_PAGE = re.compile(
    r"trouble-?shooting|known issues|faq|^(operations?|ops|maintenance|post-?mortems?)\b", re.I
)
_TROUBLE = re.compile(r"trouble-?shooting|known issues|faq|when something", re.IGNORECASE)
_NO_PROCEDURES = re.compile(r"(^|/)(change-?log|news|history|releases?(-?notes)?|blog|posts?|license)", re.IGNORECASE)
_AUTOMATION = re.compile(r"(^|/)ansible/|(^|/)playbooks?/.*(roles|inventory)", re.IGNORECASE)
"""Folders of tools whose scripts are called playbooks."""
_WIKI = re.compile(
    r"https?://[^/]*(atlassian\.net|notion\.(so|site)|confluence|docs\.google\.com)|https?://\S*(run-?book|play-?book|on-?call)"
    r"|github\.com/[^/]+/[^/]+/wiki",
    re.IGNORECASE,
)


def procedures(documents: Mapping[str, DocumentFacts], product: frozenset[str]) -> Iterator[Evidence]:
    """Pages and chapters that tell what to do. `product` are words of the product itself: a service that manages
    incidents has documents for its users about them.
    """
    return _named(documents, _PAGE, _CHAPTER, product)


def troubleshooting(documents: Mapping[str, DocumentFacts]) -> Iterator[Evidence]:
    """Pages and chapters about what may be wrong."""
    return _named(documents, _OPERATING_PAGE, _TROUBLE, frozenset())


def wiki(documents: Mapping[str, DocumentFacts]) -> Evidence | None:
    """A place outside of the tree where a team may keep its pages."""
    for path, facts in documents.items():
        for link, line in facts.links:
            if _WIKI.search(link):
                return Evidence(Location(path, line, 1, line, 1), f"refers to {link[:80]}")
    return None


def linked_from_alerts(files: Mapping[str, object]) -> Iterator[Evidence]:
    """Pages that alerts link to, wherever they are."""
    for path, facts in sorted(files.items()):
        for page, line in facts.runbooks if isinstance(facts, MonitoringFacts) else ():
            yield Evidence(Location(path, line, 1, line, 1), f"an alert links to {page[:80]}")


def product_words(names: Iterable[str]) -> frozenset[str]:
    """The words of paths and tables, in one spelling."""
    return frozenset(_plain(word) for name in names for word in re.findall(r"[A-Za-z]{4,}", name))


def _named(
    documents: Mapping[str, DocumentFacts], page: re.Pattern[str], chapter: re.Pattern[str], product: frozenset[str]
) -> Iterator[Evidence]:
    for path, facts in documents.items():
        if _NO_PROCEDURES.search(path) or _AUTOMATION.search(path):
            continue
        name = page.search(path.rpartition("/")[2]) or page.search(path.rpartition("/")[0])
        if name is not None and _plain(name[0]) not in product:
            yield Evidence(Location.whole_file(path), f"its name speaks of {name[0].lower()}")
            continue
        for heading in facts.headings:
            said = chapter.search(heading.text)
            if said is not None and _plain(said[0]) not in product:
                yield heading.span.evidence(path, heading.text[:80])
                break


def _plain(word: str) -> str:
    """`run-books` and `runbook` are one word."""
    return word.lower().replace("-", "").replace(" ", "").rstrip("s")
