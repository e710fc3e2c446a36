"""The commands.

Exit codes: 0 done, 1 bug, 2 wrong input, 3 refused, 4 not found, 5 conflict, 6 not allowed, 7 outcome unknown.
"""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import OperationalError

from avatar_scheduler import __version__
from avatar_scheduler.cli import (
    demo,
    doctor,
    evidence,
    incidents,
    looks,
    operate,
    people,
    pictures,
    posts,
    processes,
    render,
    reviewing,
    rules,
    setup,
    sso,
    uploads,
    vendors,
    verifying,
    voices,
)
from avatar_scheduler.cli.common import use_data
from avatar_scheduler.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    SchedulerError,
)

EXIT_CODES: dict[type[SchedulerError], int] = {
    Invalid: 2,
    Refused: 3,
    NotFound: 4,
    Conflict: 5,
    Forbidden: 6,
    OutcomeUnknown: 7,
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Queue posts by an AI avatar: marked as AI, approved by a person, sent once.",
    epilog="Exit codes: 0 done, 2 wrong input, 3 refused, 4 not found, 5 conflict, 6 not allowed, 7 outcome unknown.",
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"avatar-scheduler {__version__}\n")
        raise typer.Exit


@app.callback()
def common(
    data: Annotated[Path | None, typer.Option(help="Folder of database, files and keys.", show_default=False)] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    use_data(data)


for module in (
    processes,
    demo,
    setup,
    sso,
    looks,
    uploads,
    pictures,
    posts,
    render,
    reviewing,
    operate,
    incidents,
    verifying,
    evidence,
    rules,
    doctor,
    voices,
    vendors,
    people,
):
    module.register(app)


def exit_code(error: SchedulerError) -> int:
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


def main() -> None:
    # "Could not ring" is no news in a terminal: without `up` nobody listens, and the clock looks by itself.
    logging.getLogger("avatar_scheduler.queue").setLevel(logging.ERROR)
    try:
        app()
    except SchedulerError as error:
        _stop(error.message, exit_code(error))
    except OperationalError as error:
        why = str(error.orig).strip().splitlines()[0]
        _stop(f"The database cannot be used: {why}. See: avatar-scheduler doctor", EXIT_CODES[Refused])
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        if error.filename is None:
            raise
        _stop(f"{error.filename}: {error.strerror}.", EXIT_CODES[Refused])


def _stop(message: str, code: int) -> None:
    sys.stderr.write(f"{message}\n")
    sys.exit(code)
