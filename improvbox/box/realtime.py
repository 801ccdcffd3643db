"""What Linux gives a process that must not be late: FIFO scheduling, locked memory, a calm interpreter.

Each function says in plain words what it did not get, or ''. None raises: a box without these rights still plays.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import sys

CAPTURE_PRIORITY = 70  # the interface's buffer is the one deadline that cannot be made up
HEARING_PRIORITY = 66
SYNTH_PRIORITY = 62  # FluidSynth's own thread, set by its driver
STAGE_PRIORITY = 60
BAND_PRIORITY = 58
HOUSE_PRIORITY = 20
"""everything else of the process. One interpreter lock for all: a thread of ours that holds it and is pushed aside by
another program would keep the playing threads waiting, however high their priority"""

SWITCH_INTERVAL_S = 0.0005  # a busy thread gives the interpreter back ten times sooner than Python's default
STACK_BYTES = 1 << 20  # of a thread: locked memory counts all of it, and 8 MiB each is waste

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_CAP_IPC_LOCK = 14


def calm_interpreter() -> None:
    """Short switches between threads, small stacks, and no garbage collection of what lives for ever anyway."""
    import threading

    sys.setswitchinterval(SWITCH_INTERVAL_S)
    threading.stack_size(STACK_BYTES)
    freeze()


def freeze() -> None:
    """Everything that is alive now is left alone by later collections. Called when all models are loaded."""
    gc.collect()
    gc.freeze()


def ask_fifo(priority: int) -> str:
    """SCHED_FIFO for the calling thread, and only for it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return f"no real-time priority ({error.strerror}); allow it with LimitRTPRIO=75 in the unit or in limits.conf"
    return ""


def lock_memory() -> str:
    """Keeps every page in RAM, now and later. Asked for only without a limit: under one, later allocations fail."""
    if not may_lock():
        soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        return f"memory is not locked (limit {soft // 1024} KiB); allow it with LimitMEMLOCK=infinity in the unit"
    libc = ctypes.CDLL(None, use_errno=True)
    # What comes later is locked when it is first touched: filled at once, the linear algebra's work space (first made
    # in the middle of playing) held the interpreter for 16 to 86 ms.
    if libc.mlockall(_MCL_CURRENT) != 0 or libc.mlockall(_MCL_FUTURE | _MCL_ONFAULT) != 0:
        return (
            f"memory is not locked ({os.strerror(ctypes.get_errno())}); allow it with LimitMEMLOCK=infinity in the unit"
        )
    return ""


def may_lock() -> bool:
    """There is no limit on locked memory, or it does not count for this process (CAP_IPC_LOCK)."""
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
        return True
    with open("/proc/self/status", encoding="ascii") as status:
        effective = next((line.split()[1] for line in status if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> _CAP_IPC_LOCK & 1)


def unlock_memory() -> None:
    """For tests and tools that go on after a live run."""
    ctypes.CDLL(None).munlockall()
