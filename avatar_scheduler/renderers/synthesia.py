"""Synthesia's API v2 (https://docs.synthesia.io): one scene, one avatar, one script.

There is no idempotency key; our key is the callbackId and the end of the title. Hooks belong to an account, and come
at most three times, so asking again is what is relied on.
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import Invalid, OutcomeUnknown
from avatar_scheduler.outbound import Outbound, Reply
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.contract import Absent, Account, Beat, Hook, NotTheirs, Plan, Purchase, Status
from avatar_scheduler.renderers.wire import Wire, ids, past, plan, said, staged
from avatar_scheduler.rules.renderers import vendor

HOME = "https://api.synthesia.io/v2"
STATES = {
    "in_progress": "working",
    "queued": "queued",
    "complete": "ready",
    "error": "failed",
    "failed": "failed",
    "rejected": "rejected",
}
SKEW = timedelta(seconds=300)
PAGE = 100
MOST_PAGES = 20
_LOOSE = timedelta(minutes=2)


class Synthesia:
    name = "synthesia"
    home = HOME

    def __init__(self, outbound: Outbound) -> None:
        self.vendor = vendor(self.name)
        self.wire = Wire(outbound, self.vendor, self.name, HOME, _headers, _explain)

    def plan(self, order: Order) -> Plan:
        ids(order, self.vendor, "avatar_id")
        if staged(order).speed != 1:
            raise Invalid("Synthesia speaks at its own speed. Set the speed back to 1.", code="staging")
        return plan(order, self.vendor)

    def submit(self, account: Account, purchase: Purchase, seconds: float) -> str:
        known = ids(purchase.order, self.vendor, "avatar_id")
        found = self.wire.post(account, "/videos", _body(purchase, known), seconds=seconds).get("id")
        if not isinstance(found, str) or not found:
            raise OutcomeUnknown("Synthesia answered without an id.")
        return found

    def find(self, account: Account, purchase: Purchase) -> str | Absent:
        for video in self._videos(account, purchase.asked_at - _LOOSE):
            if video.get("callbackId") == purchase.key or str(video.get("title", "")).endswith(purchase.key):
                return str(video["id"])
        return Absent("No video in the list carries our key.")

    def _videos(self, account: Account, since: datetime) -> Iterator[dict[str, Any]]:
        for number in range(MOST_PAGES):
            page = self.wire.get(account, f"/videos?limit={PAGE}&offset={number * PAGE}").get("videos")
            if not isinstance(page, list):
                raise OutcomeUnknown("Synthesia's list of videos cannot be read.")
            yield from page
            if len(page) < PAGE or past(page, "createdAt", since):
                return
        raise OutcomeUnknown("Synthesia's list of videos is too long to look through.")

    def poll(self, account: Account, purchase: Purchase) -> Status:
        found = self.wire.get(account, f"/videos/{purchase.vendor_id}")
        state = STATES.get(str(found.get("status")))
        if state is None:
            raise OutcomeUnknown(f"Synthesia says “{str(found.get('status'))[:40]}”, which we do not know.")
        why = str(found.get("error") or found.get("statusMessage") or "it gave no reason")
        return Status(state, 0, why if state in ("failed", "rejected") else "")  # type: ignore[arg-type]  # one of the table's

    def fetch(self, account: Account, purchase: Purchase, target: Path, beat: Beat) -> None:
        url = self.wire.get(account, f"/videos/{purchase.vendor_id}").get("download")
        if not isinstance(url, str):
            raise OutcomeUnknown("Synthesia names no address for the finished video.")
        self.wire.download(url, target, beat)

    def cancel(self, account: Account, purchase: Purchase) -> None:
        self.wire.delete(account, f"/videos/{purchase.vendor_id}")

    def hook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Hook:
        if secret:
            _check(headers, body, secret, now)
        try:
            video = json.loads(body)["data"]
            return Hook(sha256(body).hexdigest(), str(video["id"]), str(video.get("callbackId") or ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Invalid("This is no message of Synthesia's.", code="hook") from None

    def health(self, account: Account) -> str:
        """There is no call that tells the balance; that the list can be read shows the key is right."""
        self.wire.get(account, "/videos?limit=1&offset=0")
        return "the key works; Synthesia does not say what is left"


def make(outbound: Outbound) -> Synthesia:
    return Synthesia(outbound)


def _headers(account: Account) -> dict[str, str]:
    return {"Authorization": account.secrets.get("api_key", "")}


def _explain(reply: Reply) -> tuple[str, str]:
    found = reply.json()
    return str(found.get("error", "")), str(found.get("context") or found.get("error") or "")


def _body(purchase: Purchase, known: Mapping[str, str]) -> dict[str, Any]:
    voice = staged(purchase.order).voice or known.get("voice_id", "")
    scene: dict[str, Any] = {
        "scriptText": said(purchase.order),
        "avatar": known["avatar_id"],
        "background": known.get("background", "off_white"),
    }
    if voice:
        scene["avatarSettings"] = {"voice": voice}
    return {
        "test": False,
        "title": purchase.title,
        "visibility": "private",
        "aspectRatio": staged(purchase.order).format,
        "callbackId": purchase.key,
        "input": [scene],
    }


def _check(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:
    """Here the timestamp is inside: a message older than the skew is refused even when it is theirs."""
    stamp = headers.get("synthesia-timestamp", "")
    made = hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
    if not hmac.compare_digest(headers.get("synthesia-signature", "").lower().encode(), made.encode()):
        raise NotTheirs
    if not stamp.isdigit() or abs(now.timestamp() - int(stamp)) > SKEW.total_seconds():
        raise NotTheirs
