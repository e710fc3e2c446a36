"""Network work, and the only process that opens credentials."""

from celery.signals import worker_shutting_down

from avatar_scheduler.clock import utc_now
from avatar_scheduler.queue import PUBLISH, SETTLE
from avatar_scheduler.services import settle as settling
from avatar_scheduler.services.crew import Crew
from workers.app import app, settings

crew = Crew(settings, utc_now)


@worker_shutting_down.connect
def stop(**_: object) -> None:
    crew.stop()


# Never retried by Celery: a late post is a nuisance, a doubled one is public.
@app.task(name=PUBLISH, max_retries=0, acks_late=False)
def publish(_: str) -> None:
    """Whatever the message says: the database says what is due."""
    crew.look()


@app.task(name=SETTLE, max_retries=0, acks_late=False)
def settle(delivery_id: str) -> None:
    if isinstance(delivery_id, str):  # messages come from outside
        settling.run(settings, delivery_id, utc_now)
