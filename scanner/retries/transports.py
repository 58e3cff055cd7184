"""Policies of clients: urllib3's `Retry`, adapters of requests, transports of httpx, botocore, Google's libraries,
redis.

https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html, https://www.python-httpx.org/advanced/transports/,
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html,
https://googleapis.dev/python/google-api-core/latest/retry.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assay.scanner.linker.project import last_part
from assay.scanner.linker.values import Instance
from assay.scanner.model.retry import Ending, Pause
from assay.scanner.readers.python import form
from assay.scanner.retries.arguments import Arguments, Given
from assay.scanner.retries.found import Stop, Wait

Reading = Callable[[Arguments], tuple[Stop, Wait] | None]
"""None where the call asks for no attempts beyond the first."""
_ALL_KINDS = ("connect", "read", "status", "other")


def _urllib3(arguments: Arguments) -> tuple[Stop, Wait] | None:
    """Ten attempts in a row, without a wait, unless it is told otherwise. Redirects are no failures."""
    if arguments.is_open:
        return Stop(Ending.BOUNDED), Wait(Pause.UNKNOWN)
    total = arguments.get("total", 0)
    again: float | None = 10
    if total is not None and isinstance(total.node, form.Const) and total.node.value is False:
        return None
    stated = [arguments.number(kind) for kind in _ALL_KINDS if arguments.get(kind) is not None]
    if arguments.is_none("total", 0) or (total is None and stated):
        again = max((count for count in stated if count is not None), default=None)
    elif total is not None:
        again = arguments.number("total", 0)
    shown = total.shown("it ends here") if total is not None else None
    stop = Stop(Ending.BOUNDED, int(again) + 1 if again is not None else None, shown)
    factor = arguments.get("backoff_factor")
    if factor is None or arguments.number("backoff_factor") == 0:
        return stop, Wait(Pause.NONE, factor.shown("it waits for nothing") if factor is not None else None)
    return stop, Wait(Pause.GROWING, factor.shown("it waits"))


def _adapter(arguments: Arguments) -> tuple[Stop, Wait] | None:
    """A number stands for attempts without a wait; a `Retry` is judged where it is made."""
    given = arguments.get("max_retries", 2)
    again = arguments.number("max_retries", 2)
    if given is None or again is None or isinstance(arguments.project.infer(given.node, given.scope), Instance):
        return None
    return Stop(Ending.BOUNDED, int(again) + 1, given.shown("it ends here")), Wait(Pause.NONE)


def _pool(arguments: Arguments) -> tuple[Stop, Wait] | None:
    """As of an adapter."""
    given, again = arguments.get("retries"), arguments.number("retries")
    if given is None or again is None or isinstance(arguments.project.infer(given.node, given.scope), Instance):
        return None
    return Stop(Ending.BOUNDED, int(again) + 1, given.shown("it ends here")), Wait(Pause.NONE)


def _httpx(arguments: Arguments) -> tuple[Stop, Wait] | None:
    """It waits half a second, one, two and so on before it connects again."""
    given = arguments.get("retries")
    if given is None:
        return None
    again = arguments.number("retries")
    count = int(again) + 1 if again is not None else None
    return Stop(Ending.BOUNDED, count, given.shown("it ends here")), Wait(Pause.GROWING)


def _botocore(arguments: Arguments) -> tuple[Stop, Wait] | None:
    """All of its modes wait exponentially and with jitter, and end."""
    given = arguments.get("retries")
    if given is None:
        return None
    return Stop(Ending.BOUNDED, None, given.shown("it ends here")), Wait(Pause.GROWING)


def _google(arguments: Arguments) -> tuple[Stop, Wait] | None:
    """Two minutes at most, and waits that double, unless it is told otherwise."""
    stop = Stop(Ending.BOUNDED)
    for name in ("timeout", "deadline"):
        given = arguments.get(name)
        if given is not None:
            is_none = isinstance(given.node, form.Const) and given.node.value is None
            stop = Stop(Ending.ENDLESS if is_none else Ending.BOUNDED, None, given.shown(f"its {name}"))
            break
    factor = arguments.get("multiplier")
    is_fixed = factor is not None and arguments.number("multiplier") == 1
    shown = factor.shown("it waits always as long") if factor is not None else None
    return stop, Wait(Pause.FIXED if is_fixed else Pause.GROWING, shown)


def _redis(arguments: Arguments) -> tuple[Stop, Wait] | None:
    """`Retry(backoff, retries)`; a number below 0 is no limit."""
    again = arguments.number("retries", 1)
    given = arguments.get("retries", 1)
    shown = given.shown("it never stops" if again is not None and again < 0 else "it ends here") if given else None
    if again is not None and again < 0:
        stop = Stop(Ending.ENDLESS, None, shown)
    else:
        stop = Stop(Ending.BOUNDED, int(again) + 1 if again is not None else None, shown)
    backoff = arguments.get("backoff", 0)
    return stop, _redis_wait(backoff, arguments) if backoff is not None else Wait(Pause.UNKNOWN)


def _redis_wait(given: Given, arguments: Arguments) -> Wait:
    func = given.node.func if isinstance(given.node, form.Call) else given.node
    name = last_part(arguments.project.qualified_name(func, given.scope) or "")
    pauses = {"NoBackoff": Pause.NONE, "ConstantBackoff": Pause.FIXED}
    pause = pauses.get(name, Pause.GROWING if name.lower().endswith("backoff") else Pause.UNKNOWN)
    return Wait(pause, given.shown("it waits"))


CLIENTS: Mapping[str, tuple[str, Reading]] = {
    **{
        f"{module}.Retry": ("urllib3", _urllib3)
        for module in (
            "urllib3", "urllib3.util", "urllib3.util.retry", "requests.adapters", "requests.packages.urllib3",
            "requests.packages.urllib3.util", "requests.packages.urllib3.util.retry",
        )
    },
    **{f"{module}.HTTPAdapter": ("requests", _adapter) for module in ("requests.adapters", "requests")},
    **{f"urllib3.{name}": ("urllib3", _pool) for name in ("PoolManager", "HTTPConnectionPool", "HTTPSConnectionPool")},
    **{f"httpx.{name}": ("httpx", _httpx) for name in ("HTTPTransport", "AsyncHTTPTransport")},
    **dict.fromkeys(
        ("botocore.config.Config", "botocore.client.Config", "boto3.session.Config", "aiobotocore.config.AioConfig"),
        ("botocore", _botocore),
    ),
    **{f"google.api_core.{name}": ("google.api_core", _google) for name in
       ("retry.Retry", "retry.AsyncRetry", "retry_async.AsyncRetry", "retry.retry_unary.Retry",
        "retry.retry_unary_async.AsyncRetry", "retry.retry_streaming.StreamingRetry", "retry.StreamingRetry")},
    **{f"{module}.Retry": ("redis", _redis) for module in ("redis.retry", "redis.asyncio.retry")},
}  # fmt: skip
"""By the dotted name of what makes a policy: whose it is, and how it is read."""
