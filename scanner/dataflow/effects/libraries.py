"""What functions and methods of libraries change, as data."""

from __future__ import annotations

from collections.abc import Mapping

from assay.scanner.model.effect import EffectKind

# --- rows, by what the method does ---

DJANGO_WRITES: Mapping[str, str] = {
    # https://docs.djangoproject.com/en/stable/ref/models/querysets/ and .../ref/models/instances/
    **dict.fromkeys(("save", "asave", "update", "aupdate", "bulk_update", "abulk_update", "save_m2m"), "update"),
    **dict.fromkeys(("create", "acreate", "bulk_create", "abulk_create", "create_user", "create_superuser"), "create"),
    **dict.fromkeys(("get_or_create", "aget_or_create"), "create when missing"),
    **dict.fromkeys(("update_or_create", "aupdate_or_create"), "update"),
    **dict.fromkeys(("delete", "adelete", "_raw_delete"), "delete"),
}
DJANGO_RELATED: Mapping[str, str] = dict.fromkeys(
    ("add", "set", "remove", "clear", "aadd", "aset", "aremove", "aclear"), "update"
)
TORTOISE_WRITES: Mapping[str, str] = {
    **dict.fromkeys(("save", "update", "bulk_update", "update_or_create", "add", "remove", "clear"), "update"),
    **dict.fromkeys(("create", "bulk_create"), "create"),
    "get_or_create": "create when missing",
    "delete": "delete",
}
PEEWEE_WRITES: Mapping[str, str] = {
    **dict.fromkeys(("save", "set_by_id", "bulk_update"), "update"),
    **dict.fromkeys(("create", "bulk_create"), "create"),
    "get_or_create": "create when missing",
    **dict.fromkeys(("delete_instance", "delete_by_id"), "delete"),
}
MONGO_WRITES: Mapping[str, str] = {
    # https://pymongo.readthedocs.io/en/stable/api/pymongo/collection.html
    **dict.fromkeys(("insert_one", "insert_many"), "create"),
    **dict.fromkeys(
        ("update_one", "update_many", "replace_one", "bulk_write", "find_one_and_update", "find_one_and_replace"),
        "update",
    ),
    **dict.fromkeys(("delete_one", "delete_many", "find_one_and_delete"), "delete"),
}
DOCUMENT_WRITES: Mapping[str, str] = {
    # beanie, mongoengine, odmantic
    **dict.fromkeys(("insert", "create"), "create"),
    **dict.fromkeys(("save", "replace", "set", "update", "modify", "upsert", "update_one", "save_changes"), "update"),
    **dict.fromkeys(("delete", "delete_all"), "delete"),
}
DOCUMENTS = (
    "beanie.Document", "beanie.odm.documents.Document", "mongoengine.Document", "mongoengine.DynamicDocument",
    "mongoengine.document.Document", "flask_mongoengine.Document",
)  # fmt: skip
SESSION_WRITES: Mapping[str, str] = {
    # https://docs.sqlalchemy.org/en/20/orm/session_api.html
    **dict.fromkeys(("add", "add_all", "bulk_save_objects", "bulk_insert_mappings"), "create"),
    **dict.fromkeys(("merge", "bulk_update_mappings"), "update"),
    "delete": "delete",
}
CONSTRUCTS: Mapping[str, str] = {"insert": "create", "update": "update", "delete": "delete"}
SQL_PACKAGES = ("sqlalchemy", "sqlmodel", "flask_sqlalchemy", "flask_sqlalchemy_lite", "alchemical", "advanced_alchemy")
MONGO_PACKAGES = ("pymongo", "motor", "flask_pymongo")

# --- what else is changed outside, by full name ---

CHANGES: Mapping[str, tuple[EffectKind, str]] = {
    "smtplib.SMTP.sendmail": (EffectKind.MAIL, "send"),
    "smtplib.SMTP.send_message": (EffectKind.MAIL, "send"),
    "smtplib.SMTP_SSL.sendmail": (EffectKind.MAIL, "send"),
    "smtplib.SMTP_SSL.send_message": (EffectKind.MAIL, "send"),
    "aiosmtplib.send": (EffectKind.MAIL, "send"),
    "aiosmtplib.SMTP.send_message": (EffectKind.MAIL, "send"),
    "django.core.mail.send_mail": (EffectKind.MAIL, "send"),
    "django.core.mail.send_mass_mail": (EffectKind.MAIL, "send"),
    "django.core.mail.mail_admins": (EffectKind.MAIL, "send"),
    "django.core.mail.mail_managers": (EffectKind.MAIL, "send"),
    "django.core.mail.EmailMessage.send": (EffectKind.MAIL, "send"),
    "django.core.mail.EmailMultiAlternatives.send": (EffectKind.MAIL, "send"),
    "django.core.mail.message.EmailMessage.send": (EffectKind.MAIL, "send"),
    "flask_mail.Mail.send": (EffectKind.MAIL, "send"),
    "flask_mailman.EmailMessage.send": (EffectKind.MAIL, "send"),
    "flask_mailman.Mail.send_mail": (EffectKind.MAIL, "send"),
    "fastapi_mail.FastMail.send_message": (EffectKind.MAIL, "send"),
    "emails.Message.send": (EffectKind.MAIL, "send"),
    "emails.html.send": (EffectKind.MAIL, "send"),
    "sendgrid.SendGridAPIClient.send": (EffectKind.MAIL, "send"),
    "sendgrid.SendGridAPIClient.client.mail.send.post": (EffectKind.MAIL, "send"),
    "resend.Emails.send": (EffectKind.MAIL, "send"),
    "yagmail.SMTP.send": (EffectKind.MAIL, "send"),
    "twilio.rest.Client.messages.create": (EffectKind.MAIL, "send"),
    "twilio.rest.Client.calls.create": (EffectKind.MAIL, "send"),
    "boto3.client.send_email": (EffectKind.MAIL, "send"),
    "boto3.client.send_raw_email": (EffectKind.MAIL, "send"),
    "boto3.client.send_message": (EffectKind.QUEUE, "send"),
    "boto3.client.publish": (EffectKind.QUEUE, "send"),
    "celery.Celery.send_task": (EffectKind.QUEUE, "send"),
    "celery.current_app.send_task": (EffectKind.QUEUE, "send"),
    "celery.chain.apply_async": (EffectKind.QUEUE, "send"),
    "celery.chain.delay": (EffectKind.QUEUE, "send"),
    "celery.chord.apply_async": (EffectKind.QUEUE, "send"),
    "celery.chord.delay": (EffectKind.QUEUE, "send"),
    "celery.group.apply_async": (EffectKind.QUEUE, "send"),
    "celery.group.delay": (EffectKind.QUEUE, "send"),
    "rq.Queue.enqueue": (EffectKind.QUEUE, "send"),
    "rq.Queue.enqueue_in": (EffectKind.QUEUE, "send"),
    "rq.Queue.enqueue_at": (EffectKind.QUEUE, "send"),
    "arq.connections.ArqRedis.enqueue_job": (EffectKind.QUEUE, "send"),
    "arq.create_pool.enqueue_job": (EffectKind.QUEUE, "send"),
    "pika.BlockingConnection.channel.basic_publish": (EffectKind.QUEUE, "send"),
    "kafka.KafkaProducer.send": (EffectKind.QUEUE, "send"),
    "aiokafka.AIOKafkaProducer.send": (EffectKind.QUEUE, "send"),
    "aiokafka.AIOKafkaProducer.send_and_wait": (EffectKind.QUEUE, "send"),
    "confluent_kafka.Producer.produce": (EffectKind.QUEUE, "send"),
    "flask_login.login_user": (EffectKind.SESSION, "login"),
    "flask_login.utils.login_user": (EffectKind.SESSION, "login"),
    "flask_login.logout_user": (EffectKind.SESSION, "logout"),
    "flask_login.utils.logout_user": (EffectKind.SESSION, "logout"),
    "flask_security.login_user": (EffectKind.SESSION, "login"),
    "flask_security.utils.login_user": (EffectKind.SESSION, "login"),
    "flask_security.logout_user": (EffectKind.SESSION, "logout"),
    "flask_security.utils.logout_user": (EffectKind.SESSION, "logout"),
    "django.contrib.auth.login": (EffectKind.SESSION, "login"),
    "django.contrib.auth.logout": (EffectKind.SESSION, "logout"),
    "django.contrib.auth.alogin": (EffectKind.SESSION, "login"),
    "django.contrib.auth.alogout": (EffectKind.SESSION, "logout"),
    "django.contrib.auth.update_session_auth_hash": (EffectKind.SESSION, "refresh"),
    "quart_auth.login_user": (EffectKind.SESSION, "login"),
    "quart_auth.logout_user": (EffectKind.SESSION, "logout"),
    "aiohttp_security.remember": (EffectKind.SESSION, "login"),
    "aiohttp_security.forget": (EffectKind.SESSION, "logout"),
    "pyramid.security.remember": (EffectKind.SESSION, "login"),
    "pyramid.security.forget": (EffectKind.SESSION, "logout"),
    "flask_jwt_extended.unset_jwt_cookies": (EffectKind.SESSION, "logout"),
    "flask_jwt_extended.set_access_cookies": (EffectKind.SESSION, "login"),
    "flask_principal.identity_changed.send": (EffectKind.SESSION, "login"),
    "stripe.Charge.create": (EffectKind.REQUEST, "POST"),
    "stripe.Refund.create": (EffectKind.REQUEST, "POST"),
    "stripe.PaymentIntent.create": (EffectKind.REQUEST, "POST"),
    "stripe.PaymentIntent.confirm": (EffectKind.REQUEST, "POST"),
    "stripe.Customer.create": (EffectKind.REQUEST, "POST"),
    "stripe.Subscription.create": (EffectKind.REQUEST, "POST"),
    "stripe.Subscription.delete": (EffectKind.REQUEST, "DELETE"),
    "stripe.Transfer.create": (EffectKind.REQUEST, "POST"),
    "stripe.Payout.create": (EffectKind.REQUEST, "POST"),
    # What libraries keep as a record of who did what.
    "django.contrib.admin.models.LogEntry.objects.log_action": (EffectKind.AUDIT, "record"),
    "django.contrib.admin.models.LogEntry.objects.log_actions": (EffectKind.AUDIT, "record"),
    "django.contrib.admin.models.LogEntry.objects.create": (EffectKind.AUDIT, "record"),
    "auditlog.models.LogEntry.objects.create": (EffectKind.AUDIT, "record"),
    "auditlog.models.LogEntry.objects.log_create": (EffectKind.AUDIT, "record"),
    "reversion.create_revision": (EffectKind.AUDIT, "record"),
    "reversion.set_comment": (EffectKind.AUDIT, "record"),
    "actstream.action.send": (EffectKind.AUDIT, "record"),
    "easyaudit.models.CRUDEvent.objects.create": (EffectKind.AUDIT, "record"),
    "pghistory.create_event": (EffectKind.AUDIT, "record"),
}  # fmt: skip
ENQUEUING = frozenset({"delay", "apply_async", "s", "si", "send", "kiq", "defer", "defer_async", "schedule", "enqueue"})
HANDING_ON = frozenset(
    {
        "add_task", "enqueue", "enqueue_in", "enqueue_at", "enqueue_call", "async_task", "add_job", "submit",
        "run_in_executor", "create_task", "apply_async",
    }
)  # fmt: skip
"""Calls that run what they are given later, or in another thread."""
