"""Notices. A process of its own: a mail server that hangs must not keep a post from leaving."""

from avatar_scheduler.clock import utc_now
from avatar_scheduler.queue import NOTIFY
from avatar_scheduler.services import telling
from workers.app import app, settings


@app.task(name=NOTIFY, max_retries=0, acks_late=False)
def notify(notice_id: str) -> None:
    if isinstance(notice_id, str):  # messages come from outside
        telling.run(settings, notice_id, utc_now)
