"""Which endpoints anybody may call on purpose: by their paths, their handlers' names, and what the handlers do."""

from __future__ import annotations

from collections.abc import Mapping

from assay.scanner.access.route_names import is_parameter, said_by_handler, said_by_path, segments, static_segments
from assay.scanner.access.webhook_names import is_named_webhook, names_vendor
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form

_SIGN_IN = "people sign in or out with it"
_SIGN_UP = "people register with it"
_RECOVERY = "it is for people who can't sign in"
_PROTOCOL = "it is a step of a sign-in protocol"
_PAGE = "it is a page for everybody"
_FORM = "it is a form for visitors"
_EVENTS = "another system calls it with its events"
_MACHINE = "browsers, crawlers and tools fetch it"

_PURPOSES: Mapping[str, str] = {
    _SIGN_IN: """login log_in logon signin sign_in logout log_out signout sign_out logoff authenticate access_token
        auth_token api_token_auth token_auth obtain_token refresh_token token_refresh token_verify
        verify_token token_obtain get_token jwt_create jwt_refresh jwt_verify magic_link magic_login
        passwordless 2fa mfa otp totp two_factor twofactor webauthn passkey captcha csrf csrf_token
        get_csrf_token csrftoken login_access_token provision check_token logged_out session_status
        sign_in_or_up email_check check_email""",
    _SIGN_UP: """register registration signup sign_up create_account activate activation activate_account confirm_email
        email_confirm email_confirmation verify_email email_verification resend_activation
        resend_confirmation resend_verification resend_verification_email resend_activation_email
        verification_email confirm_account self_register accept_invite accept_invitation invite_accept
        check_username username_available email_available""",
    _RECOVERY: """reset_password password_reset forgot_password password_forgot forgot password_recovery
        recover_password recover recovery lost_password reset_password_confirm
        password_reset_confirm request_password_reset password_reset_request tokens_reset
        token_reset auth_reset account_reset new_password set_new_password unlock_account""",
    _PROTOCOL: """token oauth oauth2 oidc openid openid_connect saml saml2 sso acs cas callback jwks jwks_json
        well_known openid_configuration oauth_callback login_callback auth_callback userinfo
        user_info sp idp metadata_xml google_login github_login""",
    _PAGE: """index home homepage landing landing_page about about_us imprint privacy privacy_policy terms tos
        terms_of_service terms_and_conditions contact_us pricing faq features help welcome not_found error
        errors 404 403 500 page_not_found server_error forbidden maintenance offline unauthorized
        cookie_policy changelog security_txt""",
    _FORM: """contact newsletter subscribe unsubscribe unsub feedback feedback_form set_language setlang i18n
        cookie_consent""",
    _MACHINE: """robots robots_txt favicon favicon_ico sitemap sitemap_xml manifest manifest_json site_webmanifest
        service_worker service_worker_js sw_js openapi openapi_json openapi_yaml swagger swagger_json
        swagger_ui redoc docs doc apidocs api_docs documentation schema schema_json version metrics info
        build_info static assets media_failure apple_touch_icon ads_txt humans_txt opensearch opensearch_xml
        osd browserconfig_xml manifest_webmanifest timezones currencies""",
}  # fmt: skip
_MEANING = {word: purpose for purpose, several in _PURPOSES.items() for word in several.split()}
_FOR_READERS = frozenset({_PAGE, _MACHINE})
_ENDS = (
    "login", "sign_in", "logout", "sign_up", "signup", "password_reset", "reset_password", "reset_password_confirm",
    "password_reset_confirm", "forgot_password", "oauth", "oauth2", "oidc", "saml",
)  # fmt: skip
"""What names of which the rest says whose it is end with: `GoogleLogin`, `okta-oauth2`."""
_SECRETS = frozenset({"token", "secret", "signature", "signed", "sig", "hmac", "jwt", "apikey", "digest"})
_KEYS = frozenset({(word, "key") for word in ("api", "ping", "access", "secret", "share", "auth", "private", "ingest")})
_SETUP = frozenset(
    """setup first_install first_run first_time_setup initial_setup install installation bootstrap initialize init
    create_superuser create_admin onboarding first_user initial_admin""".split()
)  # fmt: skip
_ASKING_FOR_A_PASSWORD = frozenset(
    """check_password verify_password check_password_hash checkpw authenticate_user login_user auth_login perform_login
    do_login create_access_token create_refresh_token create_token_pair verify_totp verify_otp verify_and_update
    validate_password set_access_cookies password_check verify_hash""".split()
)  # fmt: skip
_IF_OF_DJANGO = frozenset({"authenticate", "login"})
"""A mail server's connection has a `login` too."""
_PEOPLE = frozenset({"users", "roles", "groups", "permissions", "accounts", "members", "admins", "clients", "keys"})
_DEEPEST = 3


def public_purpose(route: Route, project: Project) -> str | None:
    """Why anybody may call an open route, in words; None where nothing says so."""
    if sets_up(route):
        return None
    secret = next((name for name in path_parameters(route.path) if is_secret_name(name)), None)
    if secret is not None:
        return f"whoever knows `{secret}` may call it"
    reads = set(route.methods) <= {"GET", "HEAD"}
    if reads and "well_known" in static_segments(route.path):
        return _MACHINE  # such a document is for strangers, whosever it is
    for word in said_by_path(route.path):
        purpose = _purpose(word)
        if purpose is not None and (reads or purpose not in _FOR_READERS):
            return purpose
    for word in said_by_handler(route.handler_name):
        purpose = _purpose(word)
        if purpose is not None and purpose not in _FOR_READERS:
            return purpose
    if reads and route.kind is EndpointKind.HTML and not segments(route.path):
        return _PAGE
    if is_named_webhook(route) or names_vendor(route):
        return _EVENTS
    if _is_step_of_sign_in(route):
        return _SIGN_IN
    is_signing_in = route.handler is not None and not _called(route.handler, project).isdisjoint(_ASKING_FOR_A_PASSWORD)
    return _SIGN_IN if is_signing_in else None


def is_secret_name(name: str) -> bool:
    """Whether a parameter's name says that nobody guesses it: `ping_key`, `auth_token`, `signed_payload`."""
    parts = words(name)
    return not _SECRETS.isdisjoint({*parts[:1], *parts[-1:]}) or parts[-2:] in _KEYS


def sets_up(route: Route) -> bool:
    """Whether it makes a service ready that nobody can sign in to yet."""
    return not _SETUP.isdisjoint([*static_segments(route.path), *said_by_handler(route.handler_name)])


def _purpose(word: str) -> str | None:
    if word in _MEANING:
        return _MEANING[word]
    end = next((end for end in _ENDS if word.endswith(f"_{end}")), None)
    return _MEANING.get(end) if end is not None else None


def _is_step_of_sign_in(route: Route) -> bool:
    """`POST /auth/magic-generate`: what lies right below `auth`, and takes no object's id."""
    parts = segments(route.path)
    is_below = len(parts) > 1 and parts[-2].lower() in ("auth", "authentication") and not is_parameter(parts[-1])
    return is_below and set(route.methods) <= {"GET", "HEAD", "POST"} and parts[-1].lower() not in _PEOPLE


@remembered
def _called(handler: FunctionSymbol, project: Project) -> frozenset[str]:
    """The names of what a handler calls, itself or in the functions of the project that it calls."""
    found: set[str] = set()
    todo, seen = [(handler, _DEEPEST)], {handler}
    while todo:
        function, depth = todo.pop()
        for node in function.walk():
            if not isinstance(node, form.Call):
                continue
            name, callee = last_name(node.func) or "", project.callee_function(node, function.scope)
            if name in _IF_OF_DJANGO:
                library = project.callee_name(node, function.scope) or ""
                name = "login_user" if callee is not None or library.startswith("django.contrib.auth.") else ""
            found.add(name)
            if callee is not None and callee not in seen and depth > 1:
                seen.add(callee)
                todo.append((callee, depth - 1))
    return frozenset(found)
