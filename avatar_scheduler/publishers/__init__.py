"""One file a platform. A platform exists when its module does; `make(settings)` builds its publisher."""

import importlib
import importlib.util
import pkgutil

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.publishers.base import Publisher

SHARED = frozenset({"base", "flags"})


def platforms() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in SHARED)


def publisher(platform: str, settings: Settings) -> Publisher:
    if platform not in platforms():
        raise Invalid(
            f"There is no platform “{platform}”. There are: {', '.join(platforms())}.", code="unknown_platform"
        )
    made: Publisher = importlib.import_module(f"{__name__}.{platform}").make(settings)
    return made
