"""Network work, and the only process that opens credentials."""

from avatar_scheduler.clock import utc_now
from avatar_scheduler.queue import PUBLISH, SETTLE
from avatar_scheduler.services import publish as publishing
from avatar_scheduler.services import settle as settling
from workers.app import app, settings


# Never retried by Celery: a late post is a nuisance, a doubled one is public.
@app.task(name=PUBLISH, max_retries=0, acks_late=False)
def publish(delivery_id: str) -> None:
    if isinstance(delivery_id, str):  # messages come from outside
        publishing.run(settings, delivery_id, utc_now)


@app.task(name=SETTLE, max_retries=0, acks_late=False)
def settle(delivery_id: str) -> None:
    if isinstance(delivery_id, str):
        settling.run(settings, delivery_id, utc_now)
