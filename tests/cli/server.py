"""Runs the real command again and again: its imports once, then a fork for each call, as a fresh process would be.

One JSON object a line: argv, environment, folder and the files to use as standard streams. Answers with the exit code.
"""

import json
import os
import sys
import traceback
from typing import Any

from avatar_scheduler.cli.main import main


def serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(call: dict[str, Any]) -> None:
    for number, (path, flags) in enumerate(
        ((call["in"], os.O_RDONLY), (call["out"], os.O_WRONLY), (call["err"], os.O_WRONLY))
    ):
        os.dup2(os.open(path, flags), number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(call["environment"])
    os.chdir(call["folder"])
    sys.argv = ["avatar-scheduler", *call["argv"]]
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001  (what Python itself does with it: print it and exit with 1)
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
