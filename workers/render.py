"""CPU work. The render itself is a process of its own, which dies with this one."""

from avatar_scheduler.clock import utc_now
from avatar_scheduler.queue import RENDER
from avatar_scheduler.services import renders
from workers.app import app, settings


# Not acknowledged late: the row says what is undone, and the clock rings again.
@app.task(name=RENDER, max_retries=0, acks_late=False)
def render(render_id: str) -> None:
    if isinstance(render_id, str):  # messages come from outside
        renders.run(settings, render_id, utc_now)
