"""Bluesky, or any server that speaks AT Protocol (https://atproto.com/specs/xrpc)."""

from avatar_scheduler.config import Settings
from avatar_scheduler.outbound import Outbound
from avatar_scheduler.publishers.bluesky.publisher import Bluesky

__all__ = ["Bluesky", "make"]


def make(settings: Settings) -> Bluesky:
    return Bluesky(Outbound(private_hosts=settings.allow_hosts))
