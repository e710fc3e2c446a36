"""The clock: one process that sweeps and rings. It sleeps until the next due row, or until it is rung."""

import logging
import signal
import threading
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from redis import Redis
from redis.exceptions import RedisError

from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.queue import CLOCK
from avatar_scheduler.services import certificates, checkpoints, comparing, dispatch, purging

log = logging.getLogger(__name__)
PAUSE = timedelta(seconds=1)
"""Before the next sweep after one that failed."""


class ClockProcess:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sweeper = dispatch.Sweeper(settings)
        self.rung = threading.Event()
        self.stopped = threading.Event()
        # No misfire limit: APScheduler's default drops a job that is one second late, silently.
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        self.scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults)

    def run(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self.stopped.set())
        self.scheduler.add_job(dispatch.checkpoint, "interval", seconds=30, args=[self.settings])
        self.scheduler.add_job(checkpoints.job, "interval", minutes=5, args=[self.settings])
        self.scheduler.add_job(purging.job, "interval", minutes=1, args=[self.settings])
        self.scheduler.add_job(dispatch.verify_log, "interval", hours=1, args=[self.settings])
        self.scheduler.add_job(lambda: certificates.watch(self.settings, utc_now()), "interval", days=1)
        sweep, every = (
            comparing.sweep_frames,
            {"days": 1, "next_run_time": utc_now()},
        )  # also where nobody runs for days
        self.scheduler.add_job(lambda: sweep(self.settings, utc_now()), "interval", **every)
        self.scheduler.start()
        threading.Thread(target=self._listen, name="bell", daemon=True).start()
        sweeps = threading.Thread(target=self.sweep_until_stopped, name="sweeps")
        sweeps.start()
        self.stopped.wait()
        self.rung.set()
        sweeps.join()
        self.scheduler.shutdown(wait=True)

    def sweep_until_stopped(self) -> None:
        """Not a job of APScheduler's: a job that is due while it still runs is dropped, and would be the last."""
        while True:
            self.rung.clear()  # before the sweep: a bell during it may be about a row it has already passed
            if self.stopped.is_set():
                return
            self._set_alarm(self._sweep())
            self.rung.wait(dispatch.IDLE.total_seconds())

    def _sweep(self) -> datetime:
        """When to look next."""
        try:
            return self.sweeper.sweep(utc_now())
        except Exception:  # whatever failed, the clock must look again
            log.exception("sweep failed")
            return utc_now() + PAUSE

    def _set_alarm(self, at: datetime) -> None:
        self.scheduler.add_job(self.rung.set, "date", run_date=at, id="alarm", replace_existing=True)

    def _listen(self) -> None:
        """Without Redis the clock still looks every few seconds."""
        while not self.stopped.is_set():
            try:
                with Redis.from_url(self.settings.redis_url, socket_connect_timeout=2) as redis, redis.pubsub() as bell:
                    bell.subscribe(CLOCK)
                    for message in bell.listen():
                        if message["type"] == "message":
                            self.rung.set()
            except (RedisError, OSError) as error:
                log.info("no bell: %s", error)
                self.stopped.wait(2)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s clock %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    ClockProcess(Settings()).run()
