"""Which calls tell another service or a customer's system something that has to arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.scanner.dataflow.effects.requests import request_change
from assay.scanner.dataflow.lexicon import words
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.messages.sent import Sent, queued_messages
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form
from assay.scanner.transactions.sendings import Sending, is_used

_BROKERS = frozenset(
    {
        "Kafka", "RabbitMQ", "Kombu", "NATS", "SNS", "SQS", "EventBridge", "Google Pub/Sub", "Azure Service Bus",
        "Faust", "FastStream",
    }
)  # fmt: skip
"""Those that keep what they are given until it was taken."""
_HOOKS = frozenset({"webhook", "webhooks", "hook", "hooks", "callback", "callbacks"})
BESIDE_THE_POINT = frozenset(
    """slack discord telegram mattermost rocketchat teams zulip whatsapp viber facebook twilio vonage plivo messagebird
    firebase fcm onesignal sendgrid mailgun mailjet mailchimp postmark brevo
    pagerduty opsgenie ntfy pushover gotify apprise sms mail email
    emails mails mailer notification notifications notify sentry posthog segment mixpanel amplitude analytics telemetry
    metric metrics statsd tracking track captcha recaptcha log logs logging loki audit heartbeat ping purge cache
    invalidate reindex index search elasticsearch opensearch solr token tokens oauth login logout session sessions
    query graphql rpc prompt completion completions embeddings translate predict lookup validate verify preview render
    upload uploads alert alerts bot chat push cdn cloudflare fastly varnish presigned s3 storage bucket blob
    geocode""".split()
)
"""What is about messages to people, figures and copies: nobody's books are wrong without it. And what only asks."""


class Destinations:
    """Answers by the call that sends in the end."""

    def __init__(self, gathered: Gathered) -> None:
        self._requests: Mapping[Location, OutboundCall] = {request.location: request for request in gathered.requests}
        self._by_function: dict[str, list[OutboundCall]] = {}
        for request in gathered.requests:
            self._by_function.setdefault(request.function, []).append(request)
        self._messages: Mapping[form.Node, Sent] = {sent.call: sent for sent in queued_messages(gathered)}
        self._consumed = {source for consumer in gathered.consumers for source in consumer.sources}
        self._has_unknown_consumers = any(not consumer.sources for consumer in gathered.consumers)

    def of(self, sending: Sending) -> Evidence | None:
        """What tells another service, with where it is written; None where it stays in the service, or is a mail."""
        last = sending.last
        function = last.scope.function
        named = names_of(function) if function is not None else frozenset[str]()
        if sending.kind is EffectKind.MAIL or not named.isdisjoint(BESIDE_THE_POINT):
            return None
        if sending.kind is EffectKind.QUEUE:
            return self._of_broker(last)
        request = self._requests.get(last.scope.module.location(last.node))
        if request is None:
            return last.scope.module.evidence(last.node, "another service is asked to change something")
        said = {*words(request.url or ""), *_words_of(last.node.args[0].value if last.node.args else None)}
        if not BESIDE_THE_POINT.isdisjoint(said):
            return None
        if function is None or not _changes(request, last, is_answer_used=is_used(last.node, function)):
            return None
        where = f" {request.url}" if request.url is not None else ""
        return last.scope.module.evidence(
            last.node, f"another service is asked to change something:{where}".rstrip(":")
        )

    def hook(self, function: FunctionSymbol) -> Evidence | None:
        """Where it posts to a hook: to a customer's system."""
        if names_of(function).isdisjoint(_HOOKS):
            return None
        posted = (r for r in self._by_function.get(function.id, ()) if r.method == "POST")
        return next((Evidence(r.location, "a customer's system is told by a hook") for r in posted), None)

    def _of_broker(self, last: Sending) -> Evidence | None:
        message = self._messages.get(last.node)
        if message is None:
            return None
        is_foreign_task = (
            message.library == "Celery" and message.task is None and last_name(last.node.func) == "send_task"
        )
        if message.library not in _BROKERS and not is_foreign_task:
            return None
        if message.destination in self._consumed or (self._has_unknown_consumers and not is_foreign_task):
            return None
        where = f" to {message.destination}" if message.destination is not None else ""
        return last.scope.module.evidence(last.node, f"an event is published{where} by {message.library}")


def _words_of(address: form.Expr | None) -> Iterator[str]:
    """Words of the names in an address: of `SLACK_WEBHOOK` in `settings.SLACK_WEBHOOK`."""
    for node in form.walk(address) if address is not None else ():
        match node:
            case form.Name(id=name) | form.Attr(attr=name) | form.Const(value=str() as name):
                yield from words(name)


def names_of(function: FunctionSymbol) -> frozenset[str]:
    """Words of what the function, its class, its module and the package of that are called."""
    modules = function.module.name.split(".")[-2:]
    return frozenset(word for name in (*modules, function.qualname) for word in words(name))


def _changes(request: OutboundCall, last: Sending, *, is_answer_used: bool) -> bool:
    """What a POST is for is told by its address, else by what becomes of the answer."""
    if request_change(request, last.node, last.scope) is not None:
        return True
    return request.method == "POST" and not is_answer_used
