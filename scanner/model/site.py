"""Places where data reaches something that interprets it, and how a client's data gets there."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class Flow:
    """One way on which a client's value reaches a place: `steps` begin where it comes in and end where it is used.

    `doubt` says what makes it uncertain that the value arrives as the client chose it; None where nothing does.
    """

    steps: tuple[Evidence, ...]
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class DataSite:
    """A call, assignment or construct that hands data to an interpreter.

    `function` is `module:qualified.name` of the code around it and `ordinal` counts the sites of its kind in that
    function, from 1. `offline` says why no client can reach it (a migration, a command). `flows` are the ways on which
    a client's value gets there with nothing that makes it harmless; `open_ends` are values whose origin can't be told;
    `proof` says of the rest why it is harmless.
    """

    function: str
    ordinal: int
    callee: str
    location: Location
    role: Role
    flows: tuple[Flow, ...] = ()
    open_ends: tuple[Evidence, ...] = ()
    proof: tuple[Evidence, ...] = ()
    is_constant: bool = False
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.callee}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.callee} in {self.function}"

    @property
    def certain_flows(self) -> tuple[Flow, ...]:
        """Those of which nothing is in doubt."""
        return tuple(flow for flow in self.flows if flow.doubt is None)


class SqlStatement(DataSite):
    """Text that is executed as SQL: what a `SqlSite` says of clients' values."""


class ProcessStart(DataSite):
    """A command that is run."""


class CodeEvaluation(DataSite):
    """Text that is run, compiled or imported as code."""


class FileAccess(DataSite):
    """A path that is opened, changed or sent."""


class UrlRequest(DataSite):
    """A request to a URL that the code puts together."""


class TemplateSource(DataSite):
    """Text that becomes the source of a template, or a format string."""


class HtmlOutput(DataSite):
    """Text that goes out as HTML, or is declared to be safe HTML."""


class Deserialization(DataSite):
    """Bytes or text from which objects of any class are made."""


class XmlParse(DataSite):
    """An XML document that is parsed."""


class LdapQuery(DataSite):
    """A filter or name in an LDAP operation."""


class XpathQuery(DataSite):
    """An XPath expression that is evaluated."""


class DocumentQuery(DataSite):
    """A filter, update or script handed to a document store."""


class Redirect(DataSite):
    """The target that a client is sent to."""


class HeaderWrite(DataSite):
    """A value put into a header of a response or a mail."""


class LoggedText(DataSite):
    """A value written to a log."""


class ArchiveExtraction(DataSite):
    """An archive that is unpacked."""


class AbsoluteLink(DataSite):
    """A text with an address that somebody else gets: a mail, another system."""


class SessionWrite(DataSite):
    """A key of a store that later code trusts: a session, the environment."""
