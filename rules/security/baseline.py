"""SEC5: headers, cookies, hosts, TLS and dependencies are hardened as OWASP asks."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.model.cookie import Cookie, CookieRole
from assay.scanner.model.hardening import Control, DebugSwitch, ForgeryProtection, HostPolicy, SecurityHeader
from assay.scanner.model.option import Option
from assay.scanner.model.service import Service
from assay.scanner.model.supply import DependencyAudit, DependencySet
from assay.scanner.model.transport import TlsClient
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Evidence, Severity, Verdict, fail, not_applicable, passed, review

_SESSIONS = "https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html"
_UNIMPORTANT = {
    CookieRole.PREFERENCE: "it keeps a preference, which nobody gains by reading",
    CookieRole.CONSTANT: "its value is the same for everybody",
    CookieRole.REMOVAL: "it is set to nothing, so that the browser forgets it",
}


@rule(
    "SEC501",
    severity=Severity.MEDIUM,
    cwe=(693, 1021, 319),
    references=(
        "RFC 6797",
        "OWASP A05:2021 Security Misconfiguration",
        "https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html",
    ),
)
def missing_security_headers(header: SecurityHeader, service: Service) -> Verdict:
    """Browsers aren't told to protect what the application answers.

    Why: without these headers a browser guesses content types, lets other sites frame pages, and speaks plain http
    when it is asked to.
    Fix: set them once, in middleware around the application or in the proxy in front of it.
    """
    if header.is_set:
        return passed(f"{header.control.value} is taken care of", *header.evidence)
    if not (header.serves_pages or service.cors_policies or service.cookies):
        return not_applicable("nothing says that browsers reach it")
    if header.is_set is None and (header.serves_pages or header.control is Control.NOSNIFF):
        return review(f"do all answers that browsers show get {header.control.value}?", *header.evidence)
    match header.control:
        case Control.HTTPS:
            return review("does what stands before the application redirect to https, and set HSTS?")
        case Control.NOSNIFF:
            return fail(f"nothing sets {header.control.value}: nosniff, so browsers guess what an answer is")
        case Control.FRAMES if header.serves_pages:
            return fail("nothing keeps other sites from framing its pages; set X-Frame-Options or frame-ancestors")
        case Control.CONTENT if header.serves_pages:
            return review("should its pages have a Content-Security-Policy? Nothing sets one")
        case Control.REFERRER:
            return not_applicable("browsers tell other sites no more than the origin by default")
    return not_applicable("it serves no pages")


@rule("SEC502", severity=Severity.HIGH, cwe=(614, 1004, 1275), references=("RFC 6265 §4.1.2", _SESSIONS))
def insecure_cookie(cookie: Cookie, service: Service) -> Verdict:
    """A cookie that says who somebody is goes out without Secure, HttpOnly or SameSite.

    Why: without Secure it crosses the network in the clear, without HttpOnly an injected script reads it, without
    SameSite other sites send requests in the user's name.
    Fix: set `secure=True, httponly=True, samesite="lax"` on the cookie, or the framework's settings for it.
    """
    if cookie.inactive is not None:
        return not_applicable("production doesn't set it", cookie.inactive)
    if cookie.purpose in _UNIMPORTANT:
        return not_applicable(_UNIMPORTANT[cookie.purpose])
    if cookie.missing:
        flags, proof = _listed(cookie.missing), _proof(cookie.missing)
        if cookie.purpose is CookieRole.SESSION:
            return fail(f"the cookie {cookie.name} goes out without {flags}; set what is missing", *proof)
        if cookie.purpose is CookieRole.CSRF:
            return review(f"should the CSRF cookie be sent over plain http too? It goes out without {flags}", *proof)
        return review(f"does the cookie {cookie.name} say who somebody is? It goes out without {flags}", *proof)
    if cookie.unsettled:
        flags = _listed(cookie.unsettled)
        return review(f"does production set {flags} on the cookie {cookie.name}?", *_proof(cookie.unsettled))
    flags = _listed(cookie.asked)
    return passed(f"it goes out with {flags}{_unless_changed(cookie.asked)}", *_proof(cookie.asked))


def _listed(options: Iterable[str]) -> str:
    names = list(options)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _proof(options: dict[str, Option]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(evidence.location, f"{flag}: {evidence.text}")
        for flag, option in options.items()
        for evidence in option.evidence
    )


def _unless_changed(options: dict[str, Option]) -> str:
    changeable = [flag for flag, option in options.items() if option.is_default]
    return f", as long as nobody configures {_listed(changeable)} otherwise" if changeable else ""


@rule(
    "SEC503",
    severity=Severity.CRITICAL,
    cwe=(489, 215),
    references=(
        "OWASP A05:2021 Security Misconfiguration",
        "https://docs.djangoproject.com/en/stable/ref/settings/#debug",
        "https://flask.palletsprojects.com/en/stable/debugging/",
    ),
)
def debug_enabled(switch: DebugSwitch, service: Service) -> Verdict:
    """Production runs with debugging on.

    Why: error pages show settings, queries and code to whoever causes an error, and Werkzeug's debugger runs code that
    is typed into them.
    Fix: have debugging off by default, and let a developer's own environment turn it on.
    """
    option = switch.debugging
    if option.is_safe:
        return passed("debugging is off where nobody turns it on", *option.evidence)
    if switch.production is False:
        return not_applicable("production doesn't start by this script", *switch.started_by)
    if option.is_safe is None:
        return review("is debugging off in production?", *option.evidence)
    if switch.production is None:
        return review("does production run this script, with debugging on?", *option.evidence)
    by_default = " where nobody turns it off" if option.is_default else ""
    return fail(f"production runs with debugging on{by_default}: let it be off", *option.evidence, *switch.started_by)


@rule(
    "SEC504",
    severity=Severity.MEDIUM,
    cwe=(644, 20),
    references=(
        "OWASP A05:2021 Security Misconfiguration",
        "https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts",
        "https://www.starlette.io/middleware/#trustedhostmiddleware",
    ),
)
def unrestricted_hosts(policy: HostPolicy, service: Service) -> Verdict:
    """The application answers whatever host a request names.

    Why: links, redirects and cached pages that are built from the host then lead to an attacker's server.
    Fix: list the host names that the application is reached by.
    """
    if policy.hosts is None:
        return not_applicable("the framework leaves hosts to what stands before it; SEC119 judges links that are sent")
    if policy.hosts.is_safe is None:
        return review("is the list of hosts finite in production?", *policy.hosts.evidence)
    if not policy.hosts.is_safe:
        by_default = ", where nobody configures them" if policy.hosts.is_default else ""
        return fail(f"any host is allowed{by_default}; list the names", *policy.hosts.evidence)
    return passed("it answers to its own hosts only", *policy.hosts.evidence)


@rule(
    "SEC505",
    severity=Severity.HIGH,
    cwe=(352,),
    references=(
        "CWE-352",
        "https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html",
    ),
)
def csrf_protection_disabled(protection: ForgeryProtection, service: Service) -> Verdict:
    """Another site's page can send requests in the name of who is signed in.

    Why: browsers send the session's cookie along, whoever makes them do it.
    Fix: let the framework demand its CSRF token wherever a cookie says who the caller is.
    """
    if not protection.cookie:
        return not_applicable("no cookie says who the caller is")
    proof = (*protection.evidence, *protection.cookie)
    if protection.is_protected:
        return passed("a request has to show that it comes from an own page", *protection.evidence)
    if protection.is_protected is None:
        return review("does something else tell requests of other sites from own ones here?", *proof)
    return fail("other sites can send requests in the name of who is signed in; demand a CSRF token", *proof)


@rule(
    "SEC506",
    severity=Severity.HIGH,
    cwe=(295, 297),
    references=(
        "RFC 5280 §6",
        "https://cheatsheetseries.owasp.org/cheatsheets/Transport_Layer_Security_Cheat_Sheet.html",
    ),
)
def tls_verification_disabled(client: TlsClient, service: Service) -> Verdict:
    """A client takes any certificate or host key for that of the other side.

    Why: whoever is on the way between the two can read and change all that they say, credentials included.
    Fix: leave the check on; for a private authority hand its certificate to the client (`verify="/path/ca.pem"`).
    """
    if client.inactive is not None:
        return not_applicable(f"no certificate matters here: {client.inactive.text}", client.inactive)
    if client.switch is not None:
        return review("is the switch that turns this check off left alone where it is deployed?", client.switch)
    if client.verifies.is_safe is False:
        return fail(
            f"{client.callee} takes any certificate; leave the check on, or name the CA", *client.verifies.evidence
        )
    if client.verifies.is_safe is None:
        return review(f"does {client.callee} check certificates in production?", *client.verifies.evidence)
    unless = ", as long as nobody configures it otherwise" if client.verifies.is_default else ""
    return passed(f"certificates are checked{unless}", *client.verifies.evidence)


@rule(
    "SEC507",
    severity=Severity.MEDIUM,
    cwe=(1357,),
    references=(
        "OWASP Top 10 A06:2021",
        "https://github.com/ossf/scorecard/blob/main/docs/checks.md#pinned-dependencies",
    ),
)
def unpinned_dependencies(dependencies: DependencySet, service: Service) -> Verdict:
    """What a build installs is decided anew each time.

    Why: a release that nobody has tested, or that somebody has tampered with, gets into production by itself, and
    yesterday's build can't be made again.
    Fix: commit a lock file (uv, Poetry, PDM, pip-compile) and install from it.
    """
    if dependencies.is_published and not dependencies.locks:
        return not_applicable("it declares a published package, whose users choose the versions")
    if dependencies.unlocked_installs:
        return fail(
            f"an image installs packages without a version beside {dependencies.manifest}; pin them or lock them",
            *dependencies.unlocked_installs[:5],
        )
    if dependencies.locks and dependencies.unused_lock is not None:
        return review("does the image get the versions of the lock file?", dependencies.unused_lock)
    if dependencies.locks:
        return passed("a lock file holds every version", *dependencies.locks)
    if dependencies.loose:
        return fail(
            f"no lock file, and no exact version for {len(dependencies.loose)} of what {dependencies.manifest} names; "
            "commit a lock file and install from it",
            *dependencies.loose[:5],
        )
    return passed("every package that it names has one version", *dependencies.pinned[:5])


@rule(
    "SEC508",
    severity=Severity.MEDIUM,
    cwe=(1395,),
    references=("OWASP Top 10 A06:2021", "https://github.com/ossf/scorecard/blob/main/docs/checks.md#vulnerabilities"),
)
def no_dependency_audit(audit: DependencyAudit, service: Service) -> Verdict:
    """Nothing tells when a dependency turns out to have a hole.

    Why: holes are found in versions that are in use; who doesn't look stays with them for years.
    Fix: let Dependabot or Renovate update Python packages, or run pip-audit or osv-scanner in CI and once a week.
    """
    if not audit.has_packages:
        return not_applicable("nothing declares packages for it")
    if audit.scans or audit.bots:
        return passed("the dependencies are looked after", *audit.scans[:3], *audit.bots[:3])
    if not audit.has_automation:
        return review("nothing here says who looks for known holes in the dependencies; does something outside do?")
    return fail(
        f"no step of CI and no bot looks for holes in the Python packages of {audit.service}; "
        "add pip-audit, or Dependabot for pip",
        *audit.bots_for_others[:3],
    )
