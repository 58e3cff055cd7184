"""SEC1: what a client sends is validated, and never becomes part of a language that something else interprets."""

from __future__ import annotations

from assay.scanner.model.log import LogFormat, LoggingSetup
from assay.scanner.model.service import Service
from assay.scanner.model.site import (
    AbsoluteLink,
    ArchiveExtraction,
    CodeEvaluation,
    DataSite,
    Deserialization,
    DocumentQuery,
    FileAccess,
    Flow,
    HeaderWrite,
    HtmlOutput,
    LdapQuery,
    LoggedText,
    ProcessStart,
    Redirect,
    SessionWrite,
    TemplateSource,
    UrlRequest,
    XmlParse,
    XpathQuery,
)
from assay.scanner.model.sql import SqlSite, trail_of
from assay.scanner.model.upload import FileUpload
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Evidence, Kind, Severity, Verdict, fail, not_applicable, passed, review

_FILTERS_BY_DEFAULT = 14
"""Minor version of the first Python 3 whose tarfile refuses members that lead out of the folder."""
_CHEAT_SHEET = "https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html"


def _papers(cwe: int, cheat_sheet: str) -> tuple[str, str]:
    """The weakness, and OWASP's page on how to prevent it."""
    return f"CWE-{cwe}", f"https://cheatsheetseries.owasp.org/cheatsheets/{cheat_sheet}_Cheat_Sheet.html"


@rule("SEC101", severity=Severity.CRITICAL, cwe=(89,), references=("CWE-89", _CHEAT_SHEET))
def sql_injection(site: SqlSite, service: Service) -> Verdict:
    """Text that a client sends becomes part of an SQL statement.

    Why: whoever sends it can read, change or delete every row that the service's database user can reach.
    Fix: pass values as parameters of the statement, and choose identifiers from a fixed set or quote them with the
    driver's own quoting.
    """
    if site.certain_flows and site.certain and site.offline is None:
        flows = tuple(flow.steps for flow in site.certain_flows)
        return fail("a client's text becomes part of the statement: pass it as a parameter", *flows[0], flows=flows)
    if site.remote_holes and not (site.is_followed and site.certain):
        names = ", ".join(f"`{hole.name}`" for hole in site.remote_holes)
        if not site.certain:
            return review(f"does this version take {names} as SQL text?", *trail_of(site.remote_holes))
        return fail(f"a client's text reaches the statement: pass {names} as a parameter", *trail_of(site.remote_holes))
    if site.offline is not None:
        return not_applicable(f"no client reaches it: {site.offline}")
    if site.flows:
        return review(
            f"does a client's text become part of the statement? {site.flows[0].doubt}",
            *site.flows[0].steps,
            flows=tuple(flow.steps for flow in site.flows),
        )
    if site.remote_holes:
        return review("is what a client sends checked before it gets here?", *trail_of(site.remote_holes))
    if site.is_given_whole and site.unsettled_holes:
        return review("where does this statement's text come from?", *trail_of(site.unsettled_holes))
    if site.unsettled_holes:
        return not_applicable("no client's text is known to reach it; SEC116 judges how it is built")
    return passed("no client's text becomes part of the statement", *site.proof)


@rule("SEC102", severity=Severity.CRITICAL, cwe=(78,), references=_papers(78, "OS_Command_Injection_Defense"))
def command_injection(site: ProcessStart, service: Service) -> Verdict:
    """Text that a client sends becomes part of a command that the service runs.

    Why: whoever sends it can run any program with the rights of the service.
    Fix: start a fixed program with a list of arguments and without a shell; where a shell has to be, put each value
    through `shlex.quote`.
    """
    return _judged(
        site,
        wrong="runs a command that holds a client's text; start a fixed program with a list of arguments, no shell",
        ask="can a client choose a part of this command?",
    )


@rule("SEC103", severity=Severity.CRITICAL, cwe=(94,), references=_papers(94, "Injection_Prevention"))
def code_injection(site: CodeEvaluation, service: Service) -> Verdict:
    """Text that a client sends is run, imported or evaluated as code.

    Why: whoever sends it can do all that the service can do: read its secrets, its data and its network.
    Fix: look the wanted function up in a table of allowed ones; read literal values with `ast.literal_eval` or as JSON.
    """
    return _judged(
        site,
        wrong="runs a client's text as code; choose from a table of allowed functions, or parse it as data",
        ask="can a client write a part of this code?",
    )


@rule("SEC104", severity=Severity.HIGH, cwe=(22,), references=_papers(22, "Input_Validation"))
def path_traversal(site: FileAccess, service: Service) -> Verdict:
    """Text that a client sends becomes part of a file's path.

    Why: `../` or a leading slash leads out of the folder, to any file that the service can read, replace or delete.
    Fix: generate the name, or resolve the path and demand that the folder is among its parents.
    """
    return _judged(
        site,
        wrong="takes a path that holds a client's text; resolve it and demand that it lies in its folder",
        ask="can a client lead this path out of its folder?",
    )


@rule("SEC105", severity=Severity.HIGH, cwe=(918,), references=_papers(918, "Server_Side_Request_Forgery_Prevention"))
def server_side_request_forgery(site: UrlRequest, service: Service) -> Verdict:
    """A client chooses the host that the service sends a request to.

    Why: the service reaches what the client can't: internal services, the cloud's metadata, and it brings its
    credentials along.
    Fix: fix scheme and host in the code, or compare the parsed host with a list of allowed ones, for each redirect too.
    """
    return _judged(
        site,
        wrong="requests a URL whose host a client chooses; compare the parsed host with a list of allowed ones",
        ask="can a client choose the host of this request?",
    )


@rule("SEC106", severity=Severity.CRITICAL, cwe=(1336,), references=_papers(1336, "Injection_Prevention"))
def template_injection(site: TemplateSource, service: Service) -> Verdict:
    """Text that a client sends becomes the source of a template, or a format string.

    Why: expressions in a template reach the objects behind the values, and with most engines any code.
    Fix: keep templates constant and pass the text as a value.
    """
    return _judged(
        site,
        wrong="takes a client's text as a template; keep the template constant and pass the text as a value",
        ask="can a client write a part of this template?",
    )


@rule("SEC107", severity=Severity.HIGH, cwe=(79,), references=_papers(79, "Cross_Site_Scripting_Prevention"))
def cross_site_scripting(site: HtmlOutput, service: Service) -> Verdict:
    """Text that a client sends goes out as HTML without being escaped.

    Why: scripts in it run in the browsers of other users, with their sessions.
    Fix: let the template engine escape, or put each value through `escape` or `format_html`.
    """
    return _judged(
        site,
        wrong="puts a client's text into HTML as it is; escape it, or let the template engine do so",
        ask="can a client put markup into this HTML?",
    )


@rule("SEC108", severity=Severity.CRITICAL, cwe=(502,), references=_papers(502, "Deserialization"))
def unsafe_deserialization(site: Deserialization, service: Service) -> Verdict:
    """What a client sends is read by a format that can make objects of any class.

    Why: such formats call what the data names, so whoever sends it runs code in the service.
    Fix: use JSON or a safe loader, or verify a signature before reading.
    """
    return _judged(
        site,
        wrong="makes objects of what a client sends; use JSON or a safe loader, or verify a signature first",
        ask="can a client write a part of what is read here?",
    )


@rule("SEC109", severity=Severity.HIGH, cwe=(611,), references=_papers(611, "XML_External_Entity_Prevention"))
def xml_external_entities(site: XmlParse, service: Service) -> Verdict:
    """A client's XML is parsed with external entities switched on.

    Why: an entity can name a file or an internal URL, and what is there becomes part of the document.
    Fix: leave entities off (`resolve_entities=False`), or parse with `defusedxml`.
    """
    return _judged(
        site,
        wrong="resolves the entities of a client's document; switch them off, or parse with defusedxml",
        ask="can a client's document get to this parser, and does the parser resolve entities?",
    )


@rule("SEC110", severity=Severity.HIGH, cwe=(90,), references=_papers(90, "LDAP_Injection_Prevention"))
def ldap_injection(site: LdapQuery, service: Service) -> Verdict:
    """Text that a client sends becomes part of an LDAP filter or name.

    Why: parentheses and stars in it change the question, so that a login succeeds or entries leak.
    Fix: put each value through `escape_filter_chars`, and each part of a name through `escape_rdn`.
    """
    return _judged(
        site,
        wrong="takes a filter or name that holds a client's text; put each value through escape_filter_chars",
        ask="can a client write a part of this filter or name?",
    )


@rule("SEC111", severity=Severity.HIGH, cwe=(643,), references=_papers(643, "Injection_Prevention"))
def xpath_injection(site: XpathQuery, service: Service) -> Verdict:
    """Text that a client sends becomes part of an XPath expression.

    Why: a quote in it changes the question, so that a login succeeds or other parts of the document leak.
    Fix: write a variable (`$name`) into the expression and pass the value beside it.
    """
    return _judged(
        site,
        wrong="evaluates an expression that holds a client's text; pass the value as an XPath variable",
        ask="can a client write a part of this expression?",
    )


@rule("SEC112", severity=Severity.HIGH, cwe=(943,), references=_papers(943, "NoSQL_Security"))
def nosql_injection(site: DocumentQuery, service: Service) -> Verdict:
    """A client chooses the operators of a document query, or a part of its script.

    Why: `{"$ne": null}` where text was expected matches every document, so that a login succeeds or all data leaks.
    Fix: demand the type of each value (a schema, `str()`), and keep field names and operators constant.
    """
    return _judged(
        site,
        wrong="takes a query in which a client can put operators; demand text for each value, keep the keys constant",
        ask="can a client choose keys or operators of this query?",
    )


@rule("SEC113", severity=Severity.MEDIUM, cwe=(601,), references=_papers(601, "Unvalidated_Redirects_and_Forwards"))
def open_redirect(site: Redirect, service: Service) -> Verdict:
    """A client chooses the host that a redirect leads to.

    Why: a link that begins with the service's own name leads to somebody else's page, which asks for the password.
    Fix: accept paths of the service only (`url_has_allowed_host_and_scheme`), or a list of allowed hosts.
    """
    return _judged(
        site,
        wrong="leads to a host that a client chooses; accept the service's own paths or a list of hosts only",
        ask="can a client choose the host of this redirect?",
    )


@rule("SEC114", severity=Severity.LOW, cwe=(113,), references=_papers(113, "Injection_Prevention"))
def header_injection(site: HeaderWrite, service: Service) -> Verdict:
    """Text that a client sends becomes part of a header that nothing checks for line breaks and quotes.

    Why: a line break begins another header or the body, a quote another parameter: cookies, recipients, file names.
    Fix: let a library write the header, or refuse control characters and quote the value.
    """
    return _judged(
        site,
        wrong="writes a client's text into a header; refuse control characters and quote it",
        ask="can a client put line breaks or quotes into this header?",
    )


@rule("SEC115", severity=Severity.LOW, cwe=(117,), references=_papers(117, "Logging"))
def log_injection(site: LoggedText, service: Service) -> Verdict:
    """Text that a client sends is written to a log of plain text as it is.

    Why: a line break in it forges a record, and who reads the log after an attack is led astray.
    Fix: render records as JSON, or log the value by `%r`.
    """
    setups = service.logging_setups
    if site.offline is None and setups and all(_writes_for_machines(setup) for setup in setups):
        renderers = [sink.evidence for setup in setups for sink in setup.sinks]
        return passed("records are rendered for machines, which escapes line breaks", *renderers)
    if site.offline is None and site.certain_flows and not any(_writes_plain_text(setup) for setup in setups):
        return review("does what renders this record escape line breaks?", *_shortest(site.certain_flows).steps)
    if site.open_ends and not site.flows:
        return not_applicable("no client's text is known to reach it")
    return _judged(
        site,
        wrong="writes a client's text as it is; render records as JSON, or log it by %r",
        ask="can a client put line breaks into this record?",
    )


def _writes_for_machines(setup: LoggingSetup) -> bool:
    return bool(setup.sinks) and not setup.elsewhere and all(s.format is LogFormat.MACHINE for s in setup.sinks)


def _writes_plain_text(setup: LoggingSetup) -> bool:
    """Some record leaves as text, which is what Python does where nothing configures logging."""
    plain = any(sink.format in (LogFormat.PLAIN, LogFormat.FORMATTED_JSON) for sink in setup.sinks)
    return plain or not (setup.sinks or setup.elsewhere)


@rule("SEC116", severity=Severity.MEDIUM, cwe=(89,), references=("CWE-89", _CHEAT_SHEET))
def sql_text_built_from_strings(site: SqlSite, service: Service) -> Verdict:
    """Values are formatted into the text of an SQL statement.

    Why: one quote in a value breaks the statement, the next caller makes it an injection, and the database can't reuse
    its plan.
    Fix: put a placeholder where the value goes, and hand the value to the driver beside the text.
    """
    if site.is_constant or site.is_built_by_library:
        return not_applicable("its text isn't built from strings")
    if site.remote_holes or site.certain_flows:
        return not_applicable("a client's text reaches it: judged by SEC101")
    if site.offline is not None:
        return not_applicable(f"no client reaches it: {site.offline}")
    if site.is_given_whole:
        return not_applicable("its text is built elsewhere: SEC101 asks where it comes from")
    if site.formatted_values:
        names = ", ".join(f"`{hole.name}`" for hole in site.formatted_values)
        return fail(
            f"bind {names} as a parameter instead of formatting it into the text", *trail_of(site.formatted_values)
        )
    if site.configured_values:
        return review("can this configured value be bound as a parameter?", *trail_of(site.configured_values))
    if site.unsettled_holes:
        names = ", ".join(f"`{hole.name}`" for hole in site.unsettled_holes)
        return review(f"is {names} one of a fixed set of names or clauses?", *trail_of(site.unsettled_holes))
    return passed("only fixed, typed or quoted parts are put into its text", *site.proof)


@rule(
    "SEC117",
    severity=Severity.HIGH,
    cwe=(22,),
    references=("CWE-22", "PEP 706", "https://docs.python.org/3/library/tarfile.html#extraction-filters"),
)
def unsafe_archive_extraction(site: ArchiveExtraction, service: Service) -> Verdict:
    """A client's archive is unpacked to wherever its members say.

    Why: a member called `../../app.py`, or a link to outside, replaces any file that the service can write.
    Fix: extract with `filter="data"`, and limit how much comes out.
    """
    verdict = _judged(
        site,
        wrong='unpacks a client\'s archive without a filter; pass `filter="data"`',
        ask="can a client choose the archive that is unpacked here?",
    )
    if verdict.kind is not Kind.NOT_APPLICABLE and _filters_by_default(service):
        return passed(f"Python 3.{_FILTERS_BY_DEFAULT} and later filter members by default")
    return verdict


def _filters_by_default(service: Service) -> bool:
    return any((d.oldest_python or 0) >= _FILTERS_BY_DEFAULT for d in service.dependency_sets)


@rule(
    "SEC118",
    severity=Severity.MEDIUM,
    cwe=(434,),
    references=("OWASP A04:2021 Insecure Design", *_papers(434, "File_Upload")),
)
def unrestricted_file_upload(upload: FileUpload, service: Service) -> Verdict:
    """A file of any kind is stored under the name that the client gave it.

    Why: a page or a script that is stored so runs in the browsers of others, or on the server, once it is fetched.
    Fix: give the file a name of your own, and take a few kinds only, told by what is in the file.
    """
    if upload.offline is not None:
        return not_applicable(f"no client reaches it: {upload.offline}")
    if upload.is_temporary:
        return not_applicable("it is kept for a moment only")
    if upload.named_by_client is None:
        return passed("the stored name isn't the client's")
    if upload.checked is not None:
        return passed("the kind of the file is looked at", upload.checked)
    if upload.served is not None:
        return fail(
            "files of any kind are stored under the client's name and handed out again; take a few kinds only",
            upload.named_by_client,
            upload.served,
        )
    return review("may this file be of any kind? It keeps the client's name", upload.named_by_client)


@rule("SEC119", severity=Severity.HIGH, cwe=(640, 644), references=_papers(640, "Forgot_Password"))
def host_header_in_security_link(site: AbsoluteLink, service: Service) -> Verdict:
    """A link that is sent to somebody begins with the host that the request named.

    Why: an attacker asks for a password reset with their own host in the request, and the mail's link, token included,
    leads to them.
    Fix: build links from a configured base address, or let the application answer to its own host names only.
    """
    verdict = _judged(
        site,
        wrong="sends a link whose host comes from the request; build it from a configured base address",
        ask="can a client choose the host of this link?",
    )
    if verdict.kind in (Kind.FAIL, Kind.REVIEW) and service.host_policies:
        told = [evidence for policy in service.host_policies if policy.hosts for evidence in policy.hosts.evidence]
        if all(policy.is_finite for policy in service.host_policies):
            return passed("its host comes from the request, and the application answers to its own hosts only", *told)
        if any(policy.hosts is not None and policy.hosts.is_safe is None for policy in service.host_policies):
            return review("its host comes from the request: is the list of hosts finite in production?", *told)
    return verdict


@rule("SEC120", severity=Severity.LOW, cwe=(501,), references=_papers(501, "Session_Management"))
def trust_boundary_violation(site: SessionWrite, service: Service) -> Verdict:
    """A client chooses what is written into a store that later code trusts.

    Why: code that reads a session or the environment takes for granted that the service wrote it: a key or a role that
    a client chose opens what is closed to it.
    Fix: keep the keys constant, and write verified values only.
    """
    return _judged(
        site,
        wrong="holds what a client chooses; keep its keys constant and write verified values only",
        ask="can a client choose what is written here?",
    )


def _judged(site: DataSite, *, wrong: str, ask: str) -> Verdict:
    """The verdict on a place that data flows to: `wrong` says what it does with a client's text and what to do instead,
    `ask` is the question that is left where that can't be told.
    """
    if site.offline is not None:
        return not_applicable(f"no client reaches it: {site.offline}")
    if site.certain_flows:
        return fail(f"`{site.callee}` {wrong}", *_shortest(site.certain_flows).steps, flows=_steps(site.certain_flows))
    if site.flows:
        flow = _shortest(site.flows)
        return review(f"{flow.doubt}: {ask}", *flow.steps, flows=_steps(site.flows))
    if site.open_ends:
        return review(ask, *site.open_ends)
    if site.is_constant:
        return passed("it is the same whatever a client sends", *site.proof)
    return passed("nothing gets there that a client can choose freely", *site.proof)


def _shortest(flows: tuple[Flow, ...]) -> Flow:
    return min(flows, key=lambda flow: len(flow.steps))


def _steps(flows: tuple[Flow, ...]) -> tuple[tuple[Evidence, ...], ...]:
    return tuple(flow.steps for flow in flows)
