"""Watching the signing certificates, so that no render stops because one of them ended."""

import logging
from datetime import datetime

from sqlmodel import select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Organization
from avatar_scheduler.domain.errors import Refused

log = logging.getLogger(__name__)


def watch(settings: Settings, now: datetime) -> list[str]:
    """Renews this installation's own leaf when it is near its end. What people must see to is logged and returned."""
    from avatar_scheduler.marks import chain, signers

    folder = settings.keys / "credentials"
    with read_scope(settings) as session:
        organizations = {row.id: row.name for row in session.exec(select(Organization))}
    warnings = []
    try:
        chain.make_chain(folder, next(iter(organizations.values()), "Avatar Scheduler"), now)
    except OSError as error:
        warnings.append(f"The signing certificate was not renewed ({error.strerror}). Run: avatar-scheduler init")
    except Refused as error:
        warnings.append(error.message)
    for organization in ("", *organizations):
        try:
            warnings += [line] if (line := signers.expiry(folder, now, organization).warning) else []
        except Refused as error:
            warnings.append(error.message)
    warnings = list(dict.fromkeys(warnings))
    for line in warnings:
        log.warning("%s", line)
    return warnings
