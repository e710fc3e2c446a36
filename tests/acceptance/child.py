"""One step of a worker in a process a test can kill: `python -m tests.acceptance.child STEP ID NOW`."""

import sys
from datetime import datetime

from avatar_scheduler.config import Settings
from avatar_scheduler.services import dispatch, renders, settle
from avatar_scheduler.services.crew import Crew


def main(step: str, noun_id: str, now: str) -> None:
    moment, settings = datetime.fromisoformat(now), Settings()
    if step == "publish":
        Crew(settings, lambda: moment).look()
    elif step == "settle":
        settle.run(settings, noun_id, lambda: moment)
    elif step == "render":
        renders.run(settings, noun_id, lambda: moment)
    else:
        dispatch.Sweeper(settings).sweep(moment)


if __name__ == "__main__":
    main(*sys.argv[1:])
