"""Names that say that another system calls an endpoint with its events."""

from __future__ import annotations

from itertools import pairwise

from assay.scanner.access.route_names import said_by_handler, spelled, static_segments
from assay.scanner.framework import Route

_HOOKS = frozenset(
    """webhook webhooks hook hooks ipn bounces postback postbacks inbound_email inbound_mail inbound_sms
    payment_notification payment_callback event_callback update_notification""".split()
)  # fmt: skip
VENDORS = frozenset(
    """stripe paypal paddle braintree adyen mollie razorpay shopify slack telegram twilio whatsapp github gitlab
    bitbucket mailgun sendgrid postmark sns ses zapier discord messenger coinbase gocardless chargebee klarna
    lemonsqueezy alipay wechat intercom hubspot zendesk docusign plaid mailchimp brevo mandrill sparkpost
    vonage nexmo messagebird pubsub alertmanager paystack flutterwave xendit midtrans checkout_com woocommerce
    calendly typeform clerk svix""".split()
)  # fmt: skip
_PAYING = frozenset({"payment", "payments", "order", "orders", "checkout", "transaction", "transactions", "billing"})
_TELLING = frozenset({"callback", "callbacks", "notify", "notification", "notifications"})
_CALLED = frozenset({"POST", "ANY"})


def is_named_webhook(route: Route) -> bool:
    """Whether its path or its handler says webhook or hook, or tells of a payment: `/payments/callback`."""
    return _is_called(route) and (not _HOOKS.isdisjoint(_names(route)) or _tells_of_payment(route))


def _tells_of_payment(route: Route) -> bool:
    static = static_segments(route.path)
    return any(before in _PAYING and after in _TELLING for before, after in pairwise(static))


def names_vendor(route: Route) -> bool:
    """Whether its path, its handler or the module around that names a service that sends events."""
    if not _is_called(route):
        return False
    module = spelled(route.handler_name.partition(":")[0].rsplit(".", 1)[-1])
    return any(not VENDORS.isdisjoint(name.split("_")) for name in (*_names(route), module))


def _is_called(route: Route) -> bool:
    return not _CALLED.isdisjoint(route.methods)


def _names(route: Route) -> set[str]:
    names = {*static_segments(route.path), *said_by_handler(route.handler_name)}
    return names | {part for name in names for part in name.split("_") if part.startswith(("webhook", "hook"))}
