"""Runs one command and measures it: wall time, processor time, and the peak memory of all its processes together.

Processor time is user and system time of the command and of every descendant that was waited for, as the kernel counts
it (wait4(2)). Memory is sampled: the proportional set sizes (PSS, proc(5)) of the command and its descendants are added
up, so that pages which forked workers share count once; where they can't be read, resident set sizes stand in. Samples
are 20 ms apart, or further where taking one is slow: sampling takes at most a twentieth of one core. Where there is no
/proc, the peak is that of the largest process alone.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CORES = 2
_PAUSE = 0.02
_LARGEST_SHARE = 20
_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: wall and processor time in seconds, peak memory in bytes, and the exit code as `subprocess` gives it."""

    wall: float
    processor: float
    peak: int
    code: int


def measure(command: Sequence[str], folder: Path | None = None, cores: int = CORES) -> Measured:
    """Run it to the end on so many cores; its output is thrown away. Raises OSError if it can't be started."""
    start = time.perf_counter()
    with _limited_to(cores):
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    sampler = _Sampler(process.pid)
    sampler.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        sampler.stop()
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    largest = used.ru_maxrss * 1024
    return Measured(wall, used.ru_utime + used.ru_stime, sampler.peak or largest, process.returncode)


@contextmanager
def _limited_to(cores: int) -> Iterator[None]:
    """What is started meanwhile inherits the limit; where a process can't be bound to cores, there is none."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(own)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


class _Sampler(threading.Thread):
    """Keeps the largest sum that was seen of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            start = time.perf_counter()
            self.peak = max(self.peak, sum(_memory(pid) for pid in _family(self._pid)))
            pause = max(_PAUSE, _LARGEST_SHARE * (time.perf_counter() - start))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _family(pid: int) -> Iterator[int]:
    """The process and its descendants: those that are there now."""
    yield pid
    try:
        children = [child for task in (_PROC / str(pid) / "task").iterdir() for child in _children(task)]
    except OSError:
        return
    for child in children:
        yield from _family(child)


def _children(task: Path) -> list[int]:
    try:
        return [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _memory(pid: int) -> int:
    """In bytes; nothing for a process that has ended."""
    folder = _PROC / str(pid)
    try:
        for line in (folder / "smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int((folder / "statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
