"""A filter for system calls that leaves a process nothing but computing on what it already has open.

An allow-list of about forty calls: no open, no socket, no fork, no exec, no new executable memory. Anything else
answers "not permitted", so a decoder that asks fails as if the file were not there. Needs no root and no library.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_PR_SET_DUMPABLE, _PR_SET_PDEATHSIG, _SIGKILL = 4, 1, 9

# Linux's own numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h, checked 2026-11-22.
_X86 = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
    "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "pwrite64": 18,
    "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39,
    "exit": 60, "fsync": 74, "ftruncate": 77, "gettimeofday": 96, "getrusage": 98, "sigaltstack": 131, "gettid": 186,
    "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
    "clock_nanosleep": 230, "exit_group": 231, "getrandom": 318, "membarrier": 324, "rseq": 334,
}  # fmt: skip
_ARM = {
    "ftruncate": 46, "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66, "pread64": 67,
    "pwrite64": 68, "fstat": 80, "fsync": 82, "exit": 93, "exit_group": 94, "futex": 98, "nanosleep": 101,
    "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "sched_getaffinity": 123, "sched_yield": 124,
    "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139,
    "getrusage": 165, "gettimeofday": 169, "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216,
    "mmap": 222, "mprotect": 226, "madvise": 233, "getrandom": 278, "membarrier": 283, "rseq": 293,
}  # fmt: skip
# For a process that also works in a folder, which Landlock keeps it in.
_X86_FILES = {
    "stat": 4, "lstat": 6, "access": 21, "dup": 32, "fcntl": 72, "getcwd": 79, "rename": 82, "mkdir": 83, "rmdir": 84,
    "unlink": 87, "readlink": 89, "chmod": 90, "getdents64": 217, "openat": 257, "mkdirat": 258, "newfstatat": 262,
    "unlinkat": 263, "renameat": 264, "readlinkat": 267, "fchmodat": 268, "faccessat": 269, "statx": 332,
}  # fmt: skip
_ARM_FILES = {
    "getcwd": 17, "dup": 23, "fcntl": 25, "mkdirat": 34, "unlinkat": 35, "renameat": 38, "faccessat": 48,
    "fchmodat": 53, "openat": 56, "getdents64": 61, "readlinkat": 78, "newfstatat": 79, "statx": 291,
}  # fmt: skip
_MACHINES = {"x86_64": (0xC000003E, _X86, _X86_FILES), "aarch64": (0xC00000B7, _ARM, _ARM_FILES)}
_WITH_PROTECTION = ("mmap", "mprotect")
_PROT_EXEC = 4

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _MACHINE, _THIRD_ARGUMENT = 0, 4, 32
_KILL, _ALLOW, _REFUSE = 0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def missing() -> str:
    """Why this machine cannot do it at all; empty when it can be tried."""
    if sys.platform != "linux":
        return f"{platform.system()} has no filter for system calls"
    if platform.machine() not in _MACHINES:
        return f"the filter knows no {platform.machine()} processors"
    return ""


def confine(*, with_files: bool = False) -> str:
    """Applies the filter to this process for ever. What went wrong, or empty."""
    if why := missing():
        return why
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    machine, calls, files = _MACHINES[platform.machine()]
    code = _program(machine, {**calls, **files} if with_files else calls)
    program = _Program(len(code) // 8, code)
    for call in (
        (_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0),
        (_PR_SET_DUMPABLE, 0, 0, 0, 0),
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*call) != 0:
            return f"the kernel refuses the filter for system calls ({os.strerror(ctypes.get_errno())})"
    return ""


def _program(machine: int, calls: dict[str, int]) -> bytes:
    """Classic BPF. Numbers of the 32-bit ways in are those of another machine, or not in the list."""
    steps = [_step(_LOAD, _MACHINE), _step(_EQUAL, machine, 1, 0), _step(_RETURN, _KILL), _step(_LOAD, _NUMBER)]
    for name, number in calls.items():
        if name not in _WITH_PROTECTION:
            steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ALLOW)]
    for name in _WITH_PROTECTION:
        steps += [
            _step(_EQUAL, calls[name], 0, 4),
            _step(_LOAD, _THIRD_ARGUMENT),
            _step(_ANY_BIT, _PROT_EXEC, 0, 1),
            _step(_RETURN, _REFUSE),
            _step(_RETURN, _ALLOW),
        ]
    steps.append(_step(_RETURN, _REFUSE))
    return b"".join(steps)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
