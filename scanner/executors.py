"""Reading files in parallel, and surviving the file that kills its reader."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from assay.scanner.diagnostics import Reason
from assay.scanner.discovery import SourceFile
from assay.scanner.outcomes import FileOutcome

_BATCH_BYTES = 120_000
"""Small enough that the cores finish together, large enough that handing work over costs nothing."""
_CRASH = "it made the parser crash (very deep nesting does); the rest of the scan is not affected"

Batch = Sequence[SourceFile]
Progress = Callable[[int], None]
MakePool = Callable[[int], Executor]
"""Makes an executor of that many workers."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def default_jobs() -> int:
    """The processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def process_pool(jobs: int) -> ProcessPoolExecutor:
    """Worker processes that don't collect garbage: facts are trees without cycles and live until the batch is sent."""
    method = "fork" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare_worker)


def _prepare_worker() -> None:
    gc.disable()
    # A terminal sends Ctrl-C to the whole process group; what becomes of the workers is for the parent to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class InlineExecutor(Executor):
    """Reads in the calling process: no start-up cost, and no survival of a file that kills its reader.

    For scans of a few files that are known to be harmless.
    """

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]:
        """Run it now; what it raises is the future's."""
        future: Future[_R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)
        return future


class Companion:
    """A copy of this process that does something beside it: nothing has to be sent there, and bytes come back."""

    def __init__(self, work: Callable[[], bytes]) -> None:
        context = multiprocessing.get_context("fork")
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_accompany, args=(work, sender), daemon=True)
        self._process.start()
        sender.close()

    @classmethod
    def at_work(cls, work: Callable[[], bytes]) -> Companion | None:
        """None where processes can't be copied."""
        return cls(work) if sys.platform == "linux" else None

    def answer(self) -> bytes | None:
        """What its work came to; None where it ended without an answer. Waits for it."""
        try:
            return self._receiver.recv_bytes()
        except EOFError:
            return None

    def end(self) -> None:
        """Whatever it is doing."""
        self._process.terminate()
        self._process.join()
        self._receiver.close()


def _accompany(work: Callable[[], bytes], sender: Connection) -> None:
    _prepare_worker()
    # Without an answer this process's parent does the work itself, and meets the error where it can be told.
    with suppress(Exception):
        sender.send_bytes(work())


def run_all(
    work: Callable[[bytes], bytes], tasks: Sequence[bytes], jobs: int, make_pool: MakePool = process_pool
) -> Iterator[tuple[int, bytes]]:
    """Run encoded tasks side by side, a single one here; each answer with its task's place, in no particular order.

    Raises BrokenProcessPool when one ends its worker process.
    """
    if len(tasks) < 2:
        yield from ((place, work(task)) for place, task in enumerate(tasks))
        return
    with _workers(min(jobs, len(tasks)), make_pool) as pool:
        futures = {pool.submit(work, task): place for place, task in enumerate(tasks)}
        for future in as_completed(futures):
            yield futures[future], future.result()


def read_all(
    root: Path,
    files: Sequence[SourceFile],
    analyze: bool,
    jobs: int,
    progress: Progress,
    make_pool: MakePool = process_pool,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[FileOutcome]:
    """Read the files, in no particular order. `progress` is told how many files are done; `meanwhile` is done here
    while the workers do that.

    A file that ends its worker process costs itself alone: what was with it in the batch is read again.
    """
    batches = _batches(files)
    if not batches:
        return
    if len(batches) > jobs:
        # Once here, and not in each worker: a process that is forked has what its parent imported.
        from assay.scanner.reading import load_readers

        load_readers(analyze)
    broken: list[Batch] = []
    with _workers(min(jobs, len(batches)), make_pool) as pool:
        futures: dict[Future[bytes], Batch] = {}
        for batch in batches:
            try:
                futures[pool.submit(read_batch, root, batch, analyze)] = batch
            except BrokenProcessPool:
                broken.append(batch)
        meanwhile()
        for future in as_completed(futures):
            batch = futures[future]
            try:
                yield from decode_batch(future.result())
                progress(len(batch))
            except BrokenProcessPool:
                broken.append(batch)
    for batch in broken:
        yield from _read_apart(root, batch, analyze, make_pool)
        progress(len(batch))


@contextmanager
def _workers(jobs: int, make_pool: MakePool) -> Iterator[Executor]:
    """A pool for a block of code. An exception in there (Ctrl-C) ends the workers instead of waiting for them."""
    others = multiprocessing.active_children()
    with make_pool(jobs) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                if worker not in others:
                    worker.terminate()
            raise


def read_batch(root: Path, batch: Batch, analyze: bool) -> bytes:
    """A worker's task; the result travels as bytes, which costs less than pickling objects."""
    from assay.scanner.reading import read_file

    return msgspec.msgpack.encode([read_file(root, file.path, file.kind, analyze) for file in batch])


def decode_batch(data: bytes) -> list[FileOutcome]:
    """What `read_batch` sent."""
    return msgspec.msgpack.decode(data, type=list[FileOutcome])


def _batches(files: Sequence[SourceFile]) -> list[Batch]:
    """Largest files first, so that none of them starts when all else is done."""
    batches: list[Batch] = []
    current: list[SourceFile] = []
    size = 0
    for file in sorted(files, key=lambda f: (-f.size, f.path)):
        current.append(file)
        size += file.size
        if size >= _BATCH_BYTES:
            batches.append(current)
            current, size = [], 0
    if current:
        batches.append(current)
    return batches


def _read_apart(root: Path, batch: Batch, analyze: bool, make_pool: MakePool) -> Iterator[FileOutcome]:
    """File by file, so that whichever breaks the worker is known; the others go on in a new one."""
    todo = list(batch)
    while todo:
        with make_pool(1) as pool:
            try:
                while todo:
                    yield from decode_batch(pool.submit(read_batch, root, todo[:1], analyze).result())
                    del todo[0]
            except BrokenProcessPool:
                killer = todo.pop(0)
                yield FileOutcome(killer.path, killer.kind, problem=(Reason.READER_CRASHED, _CRASH, None))
