"""The doorbell: a message says "look at this id" and nothing else. Lost, doubled or late ones do not matter."""

import functools
import logging
from typing import TYPE_CHECKING

from avatar_scheduler.config import Settings

if TYPE_CHECKING:  # a second of CPU at every command that never rings
    from celery import Celery

RENDER = "render.run"
PUBLISH = "publish.run"
SETTLE = "publish.settle"
NOTIFY = "notify.run"
CLOCK = "clock.look"
"""Not a task: wakes the clock through a Redis channel of this name."""

QUEUES = {RENDER: "render", PUBLISH: "publish", SETTLE: "publish", NOTIFY: "notify"}
log = logging.getLogger(__name__)


@functools.lru_cache(maxsize=8)
def bell(broker_url: str) -> "Celery":
    from celery import Celery

    app = Celery("avatar_scheduler", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_routes={name: {"queue": queue} for name, queue in QUEUES.items()},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_timeout": 10,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 25,
            # A caller waits for a doorbell half a second at most, not kombu's six.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
            # Unacked work is only a lost bell; the clock rings again within seconds.
            "visibility_timeout": 3600,
        },
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_soft_shutdown_timeout=5,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
    )
    return app


def ring(settings: Settings, name: str, noun_id: str) -> bool:
    """False when nobody could be told. The clock finds the row anyway, so this never fails a caller."""
    if not settings.redis and not (settings.runtime / "redis.sock").exists():
        return False  # nothing of ours runs, which a command need not import Celery to find out

    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    try:
        if name == CLOCK:
            return _wake_clock(settings)
        bell(settings.broker_url).send_task(
            name, args=[noun_id], queue=QUEUES[name], retry=False, expires=300, ignore_result=True
        )
    except (OperationalError, RedisError, OSError) as error:
        log.warning("could not ring %s for %s: %s", name, noun_id, error)
        return False
    return True


def _wake_clock(settings: Settings) -> bool:
    from redis import Redis

    with Redis.from_url(settings.redis_url, socket_connect_timeout=2, socket_timeout=2) as redis:
        redis.publish(CLOCK, "look")
    return True
