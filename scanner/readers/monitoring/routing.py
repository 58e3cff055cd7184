"""Where alerts go: Alertmanager's configuration, its operator's, and Grafana's contact points and policies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.readers.monitoring.facts import Held, Integration, Matcher, Receiver, Route, Routing
from assay.scanner.readers.span import Span
from assay.scanner.readers.yaml_documents import Entry, Mapping, Node, Scalar, Sequence

_ADDRESSES = {
    "slack": ("api_url", "api_url_file", "app_token", "http_config"),
    "pagerduty": ("routing_key", "routing_key_file", "service_key", "service_key_file"),
    "opsgenie": ("api_key", "api_key_file"),
    "victorops": ("api_key", "api_key_file"),
    "webhook": ("url", "url_file"),
    "email": ("to",),
    "discord": ("webhook_url", "webhook_url_file"),
    "msteams": ("webhook_url", "webhook_url_file"),
    "msteamsv2": ("webhook_url", "webhook_url_file"),
    "telegram": ("bot_token", "bot_token_file", "chat_id"),
    "pushover": ("user_key", "user_key_file", "token"),
    "wechat": ("api_secret", "to_user"),
    "webex": ("room_id", "http_config"),
    "rocketchat": ("token", "token_file"),
    "jira": ("api_url", "project"),
    "sns": ("topic_arn", "phone_number", "target_arn"),
}
"""Fields that say where to, of each kind of receiver; the first that is there counts."""
_GRAFANA_ADDRESSES = (
    *("url", "addresses", "integrationKey", "apiKey", "token", "recipient", "bottoken", "webhook_url", "topic_arn"),
    *(
        "chatid",
        "userKey",
        "kafkaRestProxy",
        "serverUrl",
        "msg_type",
        "endpointUrl",
        "urls",
        "authorization_credentials",
    ),
)
_GLOBAL = {
    "slack": ("slack_api_url", "slack_api_url_file", "slack_app_token"),
    "opsgenie": ("opsgenie_api_key", "opsgenie_api_key_file"),
    "victorops": ("victorops_api_key", "victorops_api_key_file"),
    "telegram": ("telegram_bot_token",),
    "rocketchat": ("rocketchat_token", "rocketchat_token_file"),
    "wechat": ("wechat_api_secret",),
}
"""Where `global` says it for all receivers of a kind."""
_PLACEHOLDER = re.compile(
    r"^<.*>$|change[-_ /]?me|replace[-_ ]?(me|this|with)|\byour[-_ ]|[-_/]your[-_/]|todo|tbd|\bdummy\b|placeholder|"
    r"example@email\.com|x{4,}|(?-i:\bX{3}\b)|@(example|domain)\.(com|org|net)|//([\w-]+\.)*example\.(com|org|net)|\.invalid\b|"
    r"^(?-i:[A-Z][A-Z0-9]*(_[A-Z0-9]+)+)$|/\.\.\.|^\.{3}$|insert[-_ ]|fill[-_ ]?in",
    re.IGNORECASE,
)
_TEMPLATED = re.compile(r"\$\{?[A-Za-z_]|\$\(|\{\{|\{%|%%?\w+%%?|^__\w+__$|^@@?\w+@@?$")
_SECRET_URL = re.compile(
    r"hooks\.slack\.com/(services|workflows)/T\w+/\w+/\w{8,}|discord(app)?\.com/api/webhooks/\d+/[\w-]{20,}"
    r"|webhook\.office\.com/.+/[0-9a-f]{32}|logic\.azure\.com/.+sig=\w{10,}",
    re.IGNORECASE,
)
_SECRET_FIELDS = re.compile(r"(routing|service|api|user|integration)_?key$|token$|api_secret$", re.IGNORECASE)
_MATCHER = re.compile(r"^\s*\"?(?P<label>[\w.]+)\"?\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>.*?)\s*$")


def routings(document: Mapping) -> Iterator[Routing]:
    """Those of one document."""
    spec = document.mapping("spec")
    if document.text("kind") == "AlertmanagerConfig" and spec is not None:
        yield _routing(spec, is_part=True)
    elif document.get("contactPoints") is not None or document.get("policies") is not None:
        yield _of_grafana(document)
    elif _is_alertmanager(document):
        yield _routing(document, is_part=False)


def _is_alertmanager(document: Mapping) -> bool:
    route = document.mapping("route")
    has_route = route is not None and (route.get("receiver") is not None or route.get("routes") is not None)
    return has_route and document.get("receivers") is not None


def _routing(config: Mapping, *, is_part: bool) -> Routing:
    route = config.entry("route")
    root = _route(route.value, route.key.span) if route is not None and isinstance(route.value, Mapping) else None
    shared = config.mapping("global")
    receivers = tuple(_receiver(each, shared) for each in config.mappings("receivers"))
    span = route.key.span if route is not None else config.span
    return Routing(span, root, receivers, is_part)


def _route(node: Mapping, span: Span) -> Route:
    grouped = node.entry("group_by") or node.entry("groupBy")
    routes = tuple(_route(each, _start(each)) for each in node.mappings("routes"))
    receiver = node.entry("receiver")
    return Route(
        node.text("receiver"),
        receiver.key.span if receiver is not None else span,
        _strings(grouped.value) if grouped is not None else None,
        tuple(_matchers(node)),
        node.text("continue") in ("true", "yes"),
        routes,
    )


def _start(node: Mapping) -> Span:
    return node.entries[0].key.span if node.entries else node.span


def _strings(node: Node) -> tuple[str, ...]:
    items = node.items if isinstance(node, Sequence) else (node,)
    return tuple(item.text for item in items if isinstance(item, Scalar))


def _matchers(node: Mapping) -> Iterator[Matcher]:
    for key, operator in (("match", "="), ("match_re", "=~")):
        yield from (Matcher(label, operator, value) for label, value in node.pairs(key))
    for item in (*node.items("matchers"), *node.items("object_matchers")):
        if isinstance(item, Scalar):
            for part in item.text.strip().strip("{}").split(","):
                if found := _MATCHER.match(part):
                    yield Matcher(found["label"], found["operator"], found["value"].strip("\"'"))
        elif isinstance(item, Mapping):
            regex = item.text("regex") == "true"
            operator = item.text("matchType") or ("=~" if regex else "=")
            yield Matcher(item.text("name") or "", operator, item.text("value") or "")
        elif len(parts := _strings(item)) == 3:
            yield Matcher(*parts)


def _receiver(node: Mapping, shared: Mapping | None) -> Receiver:
    name = node.entry("name")
    integrations = tuple(
        _integration(_kind(entry.key.text), each, entry, shared)
        for entry in node.entries
        if entry.key.text.endswith(("_configs", "Configs")) and isinstance(entry.value, Sequence)
        for each in entry.value.items
        if isinstance(each, Mapping)
    )
    return Receiver(node.text("name") or "", name.key.span if name is not None else node.span, integrations)


def _kind(key: str) -> str:
    return key.removesuffix("_configs").removesuffix("Configs").lower()


def _snake(name: str) -> str:
    """The operator's `apiURL` is Alertmanager's `api_url`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _integration(kind: str, node: Mapping, entry: Entry, shared: Mapping | None) -> Integration:
    fields = {_snake(e.key.text): e for e in node.entries}
    wanted = _ADDRESSES.get(kind)
    names = wanted if wanted is not None else tuple(fields)
    address = next((fields[name] for name in names if name in fields), None)
    if address is None and "url_secret" in fields:
        address = fields["url_secret"]
    here = _start(node) if node.entries else entry.key.span
    if address is not None:
        return Integration(kind, _held(address), address.key.span)
    given = (e for name in _GLOBAL.get(kind, ()) if shared is not None and (e := shared.entry(name)) is not None)
    return Integration(kind, next((_held(e) for e in given), Held.NOTHING), here)


def _held(address: Entry) -> Held:
    if not isinstance(address.value, Scalar):
        return Held.REFERENCE if isinstance(address.value, Mapping) else Held.VALUE
    text = address.value.text.strip()
    if address.value.is_null or not text:
        return Held.NOTHING
    if _snake(address.key.text).endswith("_file"):
        return Held.REFERENCE
    if _TEMPLATED.search(text):
        return Held.TEMPLATED
    if _PLACEHOLDER.search(text):
        return Held.PLACEHOLDER
    if _SECRET_URL.search(text) or (_SECRET_FIELDS.search(address.key.text) and len(text) >= _KEY_LENGTH):
        return Held.SECRET
    return Held.VALUE


_KEY_LENGTH = 20
"""Keys of such services have at least as many characters."""


def _of_grafana(document: Mapping) -> Routing:
    points = tuple(_contact_point(each) for each in document.mappings("contactPoints"))
    policies = [_route(each, _start(each)) for each in document.mappings("policies")]
    return Routing(document.span, policies[0] if policies else None, points, is_part=True)


def _contact_point(node: Mapping) -> Receiver:
    found = []
    for each in node.mappings("receivers"):
        settings = each.mapping("settings")
        secure = each.mapping("secureSettings")
        entries = [*(settings.entries if settings else ()), *(secure.entries if secure else ())]
        address = next((e for e in entries if e.key.text in _GRAFANA_ADDRESSES), entries[0] if entries else None)
        if address is None:
            found.append(Integration(each.text("type") or "", Held.NOTHING, _start(each)))
        else:
            held = _held(address)
            # Grafana itself puts in variables of the environment: `$NAME` and `${NAME}`.
            held = Held.REFERENCE if held is Held.TEMPLATED and "$" in _text(address.value) else held
            found.append(Integration(each.text("type") or "", held, address.key.span))
    name = node.entry("name")
    return Receiver(node.text("name") or "", name.key.span if name is not None else node.span, tuple(found))


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""
