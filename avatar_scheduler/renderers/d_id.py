"""D-ID (https://docs.d-id.com, OpenAPI 4.2.1): talks from a picture, clips from a presenter, scenes from an own avatar.

Which of them is made follows from what the avatar is known by: source_url, presenter_id or avatar_id. Their hooks are
not signed, so a message from them is never more than a reason to ask again.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import Invalid, OutcomeUnknown
from avatar_scheduler.outbound import Outbound, Reply
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.contract import Absent, Account, Beat, Hook, Plan, Purchase, Status
from avatar_scheduler.renderers.wire import Wire, ids, past, plan, said, staged
from avatar_scheduler.rules.renderers import vendor

HOME = "https://api.d-id.com"
KINDS = {"source_url": "talks", "presenter_id": "clips", "avatar_id": "scenes"}
STATES = {"created": "queued", "started": "working", "done": "ready", "error": "failed", "rejected": "rejected"}
MOST_PAGES = 20
_LOOSE = timedelta(minutes=2)


class DId:
    name = "d_id"
    home = HOME

    def __init__(self, outbound: Outbound) -> None:
        self.vendor = vendor(self.name)
        self.wire = Wire(outbound, self.vendor, self.name, HOME, _headers, _explain)

    def plan(self, order: Order) -> Plan:
        _kind(order)
        if staged(order).speed != 1:
            raise Invalid("D-ID speaks at its own speed. Set the speed back to 1.", code="staging")
        return plan(order, self.vendor)

    def submit(self, account: Account, purchase: Purchase, seconds: float) -> str:
        kind, _ = _kind(purchase.order)
        answer = self.wire.post(account, f"/{kind}", _body(purchase), seconds=seconds)
        found = answer.get("id")
        if not isinstance(found, str) or not found:
            raise OutcomeUnknown("D-ID answered without an id.")
        return found

    def find(self, account: Account, purchase: Purchase) -> str | Absent:
        kind, _ = _kind(purchase.order)
        for made in self._made(account, kind, purchase.asked_at - _LOOSE):
            if made.get("user_data") == purchase.key or str(made.get("name", "")).endswith(purchase.key):
                return str(made["id"])
        return Absent(f"None of the {kind} in the list carries our key.")

    def _made(self, account: Account, kind: str, since: datetime) -> Iterator[dict[str, Any]]:
        token = ""
        for _ in range(MOST_PAGES):
            page = self.wire.get(account, f"/{kind}?limit=100" + (f"&token={token}" if token else ""))
            found = page.get(kind)
            if not isinstance(found, list):
                raise OutcomeUnknown(f"D-ID's list of {kind} cannot be read.")
            yield from found
            token = str(page.get("token") or "")
            if not token or past(found, "created_at", since):
                return
        raise OutcomeUnknown(f"D-ID's list of {kind} is too long to look through.")

    def poll(self, account: Account, purchase: Purchase) -> Status:
        found = self._get(account, purchase)
        state = STATES.get(str(found.get("status")))
        if state is None:
            raise OutcomeUnknown(f"D-ID says “{str(found.get('status'))[:40]}”, which we do not know.")
        error = found.get("error")
        why = str(error.get("description") or error.get("kind") or "") if isinstance(error, dict) else ""
        return Status(state, 0, (why or "it gave no reason") if state in ("failed", "rejected") else "")  # type: ignore[arg-type]  # one of the table's

    def fetch(self, account: Account, purchase: Purchase, target: Path, beat: Beat) -> None:
        url = self._get(account, purchase).get("result_url")
        if not isinstance(url, str):
            raise OutcomeUnknown("D-ID names no address for the finished film.")
        self.wire.download(url, target, beat)

    def cancel(self, account: Account, purchase: Purchase) -> None:
        kind, _ = _kind(purchase.order)
        self.wire.delete(account, f"/{kind}/{purchase.vendor_id}")

    def hook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Hook:
        try:
            told = json.loads(body)
            return Hook(sha256(body).hexdigest(), str(told["id"]), str(told.get("user_data") or ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Invalid("This is no message of D-ID's.", code="hook") from None

    def health(self, account: Account) -> str:
        found = self.wire.get(account, "/credits")
        return f"{found.get('remaining', '?')} of {found.get('total', '?')} credits left"

    def _get(self, account: Account, purchase: Purchase) -> dict[str, Any]:
        kind, _ = _kind(purchase.order)
        return self.wire.get(account, f"/{kind}/{purchase.vendor_id}")


def make(outbound: Outbound) -> DId:
    return DId(outbound)


def _headers(account: Account) -> dict[str, str]:
    """The dashboard shows the key ready to use; an older one is "user:password" and is encoded here."""
    key = account.secrets.get("api_key", "")
    return {"Authorization": f"Basic {base64.b64encode(key.encode()).decode() if ':' in key else key}"}


def _explain(reply: Reply) -> tuple[str, str]:
    found = reply.json()
    return str(found.get("kind", "")), str(found.get("description") or found.get("message") or "")


def _kind(order: Order) -> tuple[str, dict[str, str]]:
    known: dict[str, str] = json.loads(order.vendor)
    if known.get("presenter_id", "").startswith("https://"):  # a picture, not one of their presenters
        known["source_url"] = known.pop("presenter_id")
    for name, kind in KINDS.items():
        if known.get(name):
            return kind, known
    return "clips", ids(order, vendor(DId.name), "presenter_id")  # raises: it is not there


def _body(purchase: Purchase) -> dict[str, Any]:
    kind, known = _kind(purchase.order)
    script: dict[str, Any] = {"type": "text", "input": said(purchase.order)}
    voice = staged(purchase.order).voice or known.get("voice_id", "")
    if voice:
        script["provider"] = {"type": known.get("voice_provider", "microsoft"), "voice_id": voice}
    named = {name: known[name] for name in (*KINDS, "driver_id") if known.get(name)}
    return {
        **named,
        "script": script,
        "name": purchase.title,
        "user_data": purchase.key,
        **({"config": {"result_format": "mp4"}} if kind != "scenes" else {}),
        **({"webhook": purchase.hook_url} if purchase.hook_url else {}),
    }
