"""Functions of Python's own library whose result depends on what is in their arguments, item by item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from assay.scanner.dataflow.taint import archives
from assay.scanner.dataflow.taint.containers import overlaid
from assay.scanner.dataflow.taint.patterns import harmless_for, harmless_without
from assay.scanner.dataflow.taint.state import path_of
from assay.scanner.dataflow.taint.values import (
    NONE,
    UNKNOWN,
    Cell,
    Const,
    Key,
    Klass,
    Lib,
    Partial,
    Ref,
    Slot,
    Text,
    Thing,
    Tree,
    Value,
    cleared,
    join,
    joined,
    labelled,
    parsed,
    revived,
    text_of,
)
from assay.scanner.libraries import Label, SinkKind
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.arguments import Arguments
    from assay.scanner.dataflow.taint.evaluation import Evaluation

ABOUT = frozenset(
    {
        "ipaddress.ip_address", "os.path.abspath", "os.path.normpath", "os.path.realpath", "pathlib.Path",
        "socket.getaddrinfo", "socket.gethostbyname", "urllib.parse.urlparse", "urllib.parse.urlsplit",
        "builtins.str", "yarl.URL", "httpx.URL",
    }
)  # fmt: skip
"""Functions whose result is looked at to judge their argument."""

NORMAL_PATH = "<normal path>"
"""The type of a path of which `..` has been worked out."""
RESOLVED = "<resolved>"
NORMALISING = frozenset({"os.path.abspath", "os.path.normpath", "os.path.realpath"})

_Function: TypeAlias = Callable[["Evaluation", form.Node, "Arguments"], Value]


def _first(arguments: Arguments) -> Value:
    return arguments.positional[0] if arguments.positional else arguments.others or UNKNOWN


def _sequence(kind: str) -> _Function:
    def made(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
        if not arguments.all:
            return evaluation.state.allocate((node,), Cell(kind, {}))
        given = _first(arguments)
        cell = evaluation.cell(given) if not isinstance(given, Slot) else None
        if cell is not None and cell.is_sequence and kind != "set":
            return evaluation.state.allocate((node,), Cell(kind, dict(cell.entries), cell.rest))
        if cell is not None and cell.kind == "set":
            return evaluation.state.allocate((node,), Cell(kind, dict(cell.entries), cell.rest))
        return evaluation.state.allocate((node,), Cell(kind, {}, evaluation.element(given)))

    return made


def _dict(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    entries: dict[Key, Value] = {}
    rest: Value | None = arguments.others
    for given in arguments.positional:
        cell = evaluation.cell(given)
        if cell is not None and cell.kind == "dict":
            entries = overlaid(entries, cell.entries)
            rest = join(rest, cell.rest) if cell.rest is not None else rest
        elif isinstance(given, Slot):
            return given
        else:
            rest = Thing("", evaluation.traces(given))
    entries.update(arguments.keywords.items())
    return evaluation.state.allocate((node,), Cell("dict", entries, rest))


def _empty_dict(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    return evaluation.state.allocate((node,), Cell("dict", {}))


def _namespace(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    entries: dict[Key, Value] = dict(arguments.keywords.items())
    return evaluation.state.allocate((node,), Cell("object", entries, arguments.others))


def _ordered(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    return evaluation.state.allocate((node,), Cell("list", {}, evaluation.element(_first(arguments))))


def _enumerate(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    pair = Tree("tuple", ((0, Thing("builtins.int")), (1, evaluation.frozen(evaluation.element(_first(arguments))))))
    return evaluation.allocate(Tree("list", (), pair), node)


def _zip(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    parts = tuple((i, evaluation.frozen(evaluation.element(a))) for i, a in enumerate(arguments.positional))
    return evaluation.allocate(Tree("list", (), Tree("tuple", parts)), node)


def _map(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    from assay.scanner.dataflow.taint.arguments import Arguments as Given

    items = tuple(evaluation.element(a) for a in arguments.positional[1:])
    found = evaluation.calls.apply(node, _first(arguments), Given(items, {}))
    return evaluation.state.allocate((node,), Cell("list", {}, found))


def _filter(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    given = arguments.positional[1] if len(arguments.positional) > 1 else UNKNOWN
    return evaluation.state.allocate((node,), Cell("list", {}, evaluation.element(given)))


def _text(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    given = _first(arguments)
    if isinstance(given, Const):
        return Const(str(given.value))
    if isinstance(given, Text):
        return given
    if isinstance(given, Thing | Slot):
        return labelled(given, Label.TEXT)
    return Thing("builtins.str", evaluation.traces(given))


def _next(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    found = evaluation.element(_first(arguments))
    return joined([found, arguments.positional[1]]) if len(arguments.positional) > 1 else found


def _same(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    return _first(arguments)


def _copy(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    given = evaluation.frozen(_first(arguments))
    return evaluation.allocate(given, node) if isinstance(given, Tree) else given


def _partial(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    if not arguments.positional:
        return UNKNOWN
    return Partial(arguments.positional[0], arguments.positional[1:], tuple(arguments.keywords.items()))


def _call_later(position: int) -> _Function:
    """A function that calls the one it is given with the arguments behind it."""

    def called(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
        from assay.scanner.dataflow.taint.arguments import Arguments as Given

        if len(arguments.positional) <= position:
            return UNKNOWN
        callee = arguments.positional[position]
        given = Given(arguments.positional[position + 1 :], arguments.keywords, arguments.others)
        found = evaluation.calls.apply(node, callee, given)
        evaluation.leaves = False
        return found

    return called


def _thread(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    from assay.scanner.dataflow.taint.arguments import Arguments as Given

    target = arguments.get(1, "target")
    args = evaluation.cell(arguments.get(3, "args") or UNKNOWN)
    keywords = evaluation.cell(arguments.get(4, "kwargs") or UNKNOWN)
    if target is not None:
        named = {k: v for k, v in keywords.entries.items() if isinstance(k, str)} if keywords is not None else {}
        evaluation.calls.apply(node, target, Given(tuple(args.entries.values()) if args else (), named))
        evaluation.leaves = False
    return UNKNOWN


def _gather(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    return evaluation.state.allocate((node,), Cell("list", dict(enumerate(arguments.positional)), arguments.others))


def _getattr(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    owner, name = _first(arguments), arguments.get(1, "name")
    if not isinstance(name, Const) or not isinstance(name.value, str):
        evaluation.want(name)
        return Thing("", evaluation.traces(owner))
    attribute = form.Attr(
        start=node.start, end=node.end, value=form.Opaque(start=node.start, end=node.end), attr=name.value,
        attr_start=node.start,
    )  # fmt: skip
    found = evaluation.attribute(owner, attribute)
    return joined([found, arguments.positional[2]]) if len(arguments.positional) > 2 else found


def _setattr(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    if len(arguments.positional) == 3:
        owner, name, value = arguments.positional
        evaluation.sinks.assigned(node, owner, None, name, value)
        evaluation.targets.write(owner, name.value if isinstance(name, Const) else None, value)
    return NONE


def _isinstance(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    given, kind = _first(arguments), arguments.get(1, "")
    if isinstance(given, Const) and isinstance(kind, Lib):
        return Const(type(given.value).__name__ == kind.name.rsplit(".", 1)[-1])
    if isinstance(given, Ref) and isinstance(kind, Klass):
        cell = evaluation.cell(given)
        if cell is not None and cell.cls is not None:
            return Const(kind.cls in evaluation.engine.project.mro(cell.cls))
    return Thing("builtins.bool")


def _length(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    given = _first(arguments)
    if isinstance(given, Const) and isinstance(given.value, str):
        return Const(len(given.value))
    cell = evaluation.cell(given) if not isinstance(given, Slot) else None
    if cell is not None and cell.rest is None and cell.kind != "object":
        return Const(len(cell.entries))
    return Thing("builtins.int")


def _substituted(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    """`re.sub(r"[^a-z]", "", text)` leaves what the pattern doesn't match."""
    return substituted(evaluation, _first(arguments), arguments.get(1, "repl"), arguments.get(2, "string"))


def substituted(evaluation: Evaluation, pattern: Value | None, new: Value | None, text: Value | None) -> Value:
    """What is left of a text when all that a pattern matches is replaced."""
    found = Thing("builtins.str", evaluation.traces(text, new))
    if isinstance(pattern, Const) and isinstance(pattern.value, str) and isinstance(new, Const):
        return cleared(found, harmless_without(pattern.value, str(new.value)))
    return found


def _truth(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    truth = evaluation.truth(_first(arguments))
    return Const(truth) if truth is not None else Thing("builtins.bool")


def _match(how: str) -> _Function:
    def matched(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
        pattern, subject = _first(arguments), arguments.get(1, "string")
        return match_of(evaluation, how, pattern, subject, arguments.node(1, "string"))

    return matched


def match_of(
    evaluation: Evaluation, how: str, pattern: Value | None, subject: Value | None, node: form.Expr | None
) -> Value:
    """What matching a text gives: it remembers which text, and what the pattern shows of it."""
    path = path_of(node) if node is not None else None
    about = (path, how, pattern.value) if path and isinstance(pattern, Const) and isinstance(pattern.value, str) else ()
    return Thing("re.Match", evaluation.traces(subject), about)


def matched_kinds(about: tuple[str, ...]) -> frozenset[SinkKind]:
    """The kinds of sinks at which a text does no harm that a match is about."""
    if len(about) != 3 or about[1] not in ("fullmatch", "match"):
        return frozenset()
    return harmless_for(about[2], whole=about[1] == "fullmatch")


def _any(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    return Thing("builtins.bool")


def _compiled(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    pattern = _first(arguments)
    return evaluation.state.allocate((node,), Cell("object", {"pattern": pattern}, type_name="re.Pattern"))


def _range(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    bounds = [a.value for a in arguments.positional if isinstance(a, Const) and isinstance(a.value, int)]
    if len(bounds) == len(arguments.all) and bounds:
        try:
            numbers = range(*bounds)
        except (TypeError, ValueError):  # too many bounds, or a step of 0: the program would fail there too
            return UNKNOWN
        if len(numbers) <= 16:
            return evaluation.state.allocate((node,), Cell("list", dict(enumerate(map(Const, numbers)))))
    return evaluation.state.allocate((node,), Cell("list", {}, Thing("builtins.int")))


def _joined_path(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    if arguments.others is not None or not arguments.positional:
        return Thing("", evaluation.traces(*arguments.all))
    parts: list[str | Value] = []
    for argument in arguments.positional:
        parts += ["/", evaluation.flat(argument)] if parts else [evaluation.flat(argument)]
    return text_of(parts)


def _stream(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    rest = arguments.positional[0] if arguments.positional else None
    return evaluation.state.allocate((node,), Cell("object", {}, rest, type_name="io.StringIO"))


def _decoded(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    return Thing("builtins.str", revived(evaluation.traces(*arguments.all[:1])))


def _json(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    return Thing("", parsed(evaluation.traces(*arguments.all[:1])))


def _walked(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    root = Thing("builtins.str", evaluation.traces(*arguments.positional[:1]))
    names = Tree("list", (), Thing("builtins.str"))
    return evaluation.allocate(Tree("list", (), Tree("tuple", ((0, root), (1, names), (2, names)))), node)


def _config(evaluation: Evaluation, node: form.Node, arguments: Arguments) -> Value:
    return evaluation.state.allocate((node,), Cell("object", {}, type_name="configparser.ConfigParser"))


SPECIAL: Mapping[str, _Function] = {
    "tarfile.open": archives.opened,
    "tarfile.TarFile": archives.opened,
    "builtins.list": _sequence("list"),
    "builtins.tuple": _sequence("tuple"),
    "builtins.set": _sequence("set"),
    "builtins.frozenset": _sequence("set"),
    "collections.deque": _sequence("list"),
    "builtins.dict": _dict,
    "collections.OrderedDict": _dict,
    "collections.defaultdict": _empty_dict,
    "types.SimpleNamespace": _namespace,
    "builtins.sorted": _ordered,
    "builtins.reversed": _ordered,
    "builtins.iter": _same,
    "builtins.aiter": _same,
    "builtins.next": _next,
    "builtins.anext": _next,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.str": _text,
    "builtins.bytes": _text,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.isinstance": _isinstance,
    "builtins.issubclass": _any,
    "builtins.hasattr": _any,
    "builtins.callable": _any,
    "builtins.any": _any,
    "builtins.all": _any,
    "builtins.len": _length,
    "builtins.bool": _truth,
    "re.fullmatch": _match("fullmatch"),
    "re.match": _match("match"),
    "re.sub": _substituted,
    "builtins.range": _range,
    "builtins.print": lambda e, n, a: NONE,
    "builtins.super": lambda e, n, a: UNKNOWN,
    "builtins.type": lambda e, n, a: UNKNOWN,
    "builtins.property": _same,
    "copy.copy": _copy,
    "copy.deepcopy": _copy,
    "typing.cast": lambda e, n, a: a.positional[1] if len(a.positional) > 1 else UNKNOWN,
    "functools.partial": _partial,
    "functools.wraps": lambda e, n, a: Lib("assay.identity"),
    "assay.identity": _same,
    "asyncio.gather": _gather,
    "asyncio.wait_for": _same,
    "asyncio.shield": _same,
    "asyncio.create_task": _same,
    "asyncio.ensure_future": _same,
    "asyncio.run": _same,
    "asyncio.to_thread": _call_later(0),
    "starlette.concurrency.run_in_threadpool": _call_later(0),
    "fastapi.concurrency.run_in_threadpool": _call_later(0),
    "anyio.to_thread.run_sync": _call_later(0),
    "asgiref.sync.sync_to_async": _same,
    "asgiref.sync.async_to_sync": _same,
    "asyncio.get_event_loop.run_in_executor": _call_later(1),
    "asyncio.get_running_loop.run_in_executor": _call_later(1),
    "concurrent.futures.ThreadPoolExecutor.submit": _call_later(0),
    "concurrent.futures.ProcessPoolExecutor.submit": _call_later(0),
    "fastapi.BackgroundTasks.add_task": _call_later(0),
    "starlette.background.BackgroundTasks.add_task": _call_later(0),
    "starlette.background.BackgroundTask": _call_later(0),
    "threading.Thread": _thread,
    "multiprocessing.Process": _thread,
    "re.compile": _compiled,
    "os.path.join": _joined_path,
    "posixpath.join": _joined_path,
    "io.StringIO": _stream,
    "io.BytesIO": _stream,
    "json.loads": _json,
    "urllib.parse.unquote": _decoded,
    "urllib.parse.unquote_plus": _decoded,
    "html.unescape": _decoded,
    "base64.b64decode": _decoded,
    "base64.urlsafe_b64decode": _decoded,
    "base64.standard_b64decode": _decoded,
    "base64.decodestring": _decoded,
    "base64.decodebytes": _decoded,
    "os.walk": _walked,
    "binascii.unhexlify": _decoded,
    "bytes.fromhex": _decoded,
    "configparser.ConfigParser": _config,
    "configparser.RawConfigParser": _config,
}
"""By dotted name. What hands on its arguments as a whole is in the library models."""
