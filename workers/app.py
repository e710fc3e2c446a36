"""The Celery app: `celery -A workers.app worker -Q publish -P threads`. Tasks carry an id and read the row again."""

from avatar_scheduler.config import Settings
from avatar_scheduler.queue import bell

settings = Settings()
app = bell(settings.broker_url)
app.conf.imports = ("workers.render", "workers.publish", "workers.notify")
