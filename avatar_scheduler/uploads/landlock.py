"""Files shut away but for named folders: Landlock, for the one kind of upload that needs a folder to work in."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

# include/uapi/linux/landlock.h, checked 2026-11-22. The numbers of the calls are the same on every machine.
_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_READ = _READ_FILE | _READ_DIR
_WRITE_FILE, _REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG, _TRUNCATE = (
    1 << 1,
    1 << 4,
    1 << 5,
    1 << 7,
    1 << 8,
    1 << 14,
)
_WORK = _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _TRUNCATE
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_ALL_RIGHTS = 16
"""How many rights each version knows; from the fifth on, all of them."""


def confine(work_in: Path, read_only: Iterable[Path]) -> str:
    """Applies to this process for ever. What went wrong, or empty."""
    if sys.platform != "linux":
        return "only Linux can shut a process into a folder"
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION)
    if version < 1:
        return "the kernel has no Landlock, which avatar packs need"
    handled = (1 << _RIGHTS.get(version, _ALL_RIGHTS)) - 1
    rules = libc.syscall(_CREATE, struct.pack("=Q", handled), ctypes.c_size_t(8), 0)
    if rules < 0:
        return f"the kernel refuses Landlock ({os.strerror(ctypes.get_errno())})"
    for folder, rights in ((work_in, _WORK), *((folder, _READ) for folder in read_only if folder.is_dir())):
        found = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        added = libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights & handled, found), 0)
        os.close(found)
        if added != 0:
            return f"the kernel refuses Landlock ({os.strerror(ctypes.get_errno())})"
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS: without it no one but root may restrict itself
    if libc.syscall(_RESTRICT, rules, 0) != 0:
        return f"the kernel refuses Landlock ({os.strerror(ctypes.get_errno())})"
    os.close(rules)
    return ""
