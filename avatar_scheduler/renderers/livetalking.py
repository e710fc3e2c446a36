"""LiveTalking (https://github.com/lipku/LiveTalking) on this machine: it speaks our text live, and records itself.

It has no log-in and a door to a language model, so it is reached on loopback only and told to `echo`, never to `chat`.
It makes no files on order: it is started with a fixed session (`--transport rtmp`, `virtualcam` or `rtcpush`), and
recorded while it speaks. One recording at a time; a fresh one overwrites the last.

All its answers are 200; the code inside says whether it worked.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from avatar_scheduler import outbound as outbounds
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.outbound import Outbound, Reply
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.contract import Absent, Account, Beat, Hook, NotTheirs, Plan, Purchase, Status
from avatar_scheduler.renderers.wire import Wire, ids, plan, said, staged
from avatar_scheduler.rules.renderers import vendor

HOME = "http://127.0.0.1:8010"
SESSION = "0"
"""What a server with one fixed output calls its only session."""
START_SECONDS = 30.0
"""From the text to the first sound, with room: 4 to 10 seconds are reported."""


class LiveTalking:
    name = "livetalking"
    home = HOME

    def __init__(self, outbound: Outbound) -> None:
        self.vendor = vendor(self.name)

    def plan(self, order: Order) -> Plan:
        if staged(order).speed != 1:
            raise Invalid("LiveTalking speaks at its own speed. Set the speed back to 1.", code="staging")
        return plan(order, self.vendor)

    def submit(self, account: Account, purchase: Purchase, seconds: float) -> str:
        """What an earlier job left behind is ended first, so that nobody else's words are in the film."""
        here, each = {"sessionid": _session(purchase)}, seconds / 4
        self._ask(account, "/interrupt_talk", here, each)
        self._ask(account, "/record", {**here, "type": "end_record"}, each, must=False)
        self._ask(account, "/record", {**here, "type": "start_record"}, each)
        self._ask(account, "/human", {**here, "type": "echo", "text": said(purchase.order)}, each)
        return purchase.key

    def find(self, account: Account, purchase: Purchase) -> str | Absent:
        return Absent("It keeps no list, and costs nothing: it is recorded again from the start.")

    def poll(self, account: Account, purchase: Purchase) -> Status:
        speaking = self._ask(account, "/is_speaking", {"sessionid": _session(purchase)}).get("data") is True
        expected = self.plan(purchase.order).seconds
        if speaking:
            return Status("working", max(1, min(95, int(100 * purchase.age / (expected + START_SECONDS)))))
        if purchase.percent or purchase.age > expected + START_SECONDS:
            # Heard before and quiet now; whether all of it is there is measured on the file.
            return Status("ready", 100)
        return Status("queued")

    def fetch(self, account: Account, purchase: Purchase, target: Path, beat: Beat) -> None:
        session = _session(purchase)
        self._ask(account, "/record", {"sessionid": session, "type": "end_record"}, must=False)
        self._wire(account).download(f"{account.endpoint or HOME}/record/{session}", target, beat)

    def cancel(self, account: Account, purchase: Purchase) -> None:
        session = _session(purchase)
        self._ask(account, "/interrupt_talk", {"sessionid": session}, must=False)
        self._ask(account, "/record", {"sessionid": session, "type": "end_record"}, must=False)

    def hook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Hook:
        raise NotTheirs  # it calls nobody

    def health(self, account: Account) -> str:
        speaking = self._ask(account, "/is_speaking", {"sessionid": SESSION}).get("data")
        return "it speaks right now" if speaking else "it is quiet"

    def _ask(
        self, account: Account, path: str, body: Mapping[str, Any], seconds: float = 10.0, *, must: bool = True
    ) -> dict[str, Any]:
        answer = self._wire(account).post(account, path, body, seconds=seconds)
        if answer.get("code") != 0 and must:
            raise Refused(f"LiveTalking answered: {str(answer.get('msg'))[:160]}.", code="vendor_invalid")
        return answer

    def _wire(self, account: Account) -> Wire:
        """A client that reaches this one loopback door and nothing else, whatever the account says."""
        here = outbounds.local(account.endpoint or HOME)
        return Wire(here, self.vendor, self.name, HOME, lambda _: {}, _explain)


def make(outbound: Outbound) -> LiveTalking:
    return LiveTalking(outbound)


def _explain(reply: Reply) -> tuple[str, str]:
    return "", str(reply.json().get("msg", ""))


def _session(purchase: Purchase) -> str:
    known: Mapping[str, str] = ids(purchase.order, vendor(LiveTalking.name))
    return known.get("session", SESSION)
