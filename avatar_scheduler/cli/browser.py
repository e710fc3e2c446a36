"""A browser session without a browser: opens our own pages, fills in the forms that are there, keeps the cookie."""

import json
import time
from html.parser import HTMLParser
from urllib.parse import urlencode

from avatar_scheduler import outbound
from avatar_scheduler.domain.errors import Conflict, NotFound
from avatar_scheduler.outbound import Reply

STEP_MS = 2000


class _Forms(HTMLParser):
    """Collects action -> hidden fields of every form on a page, and the page's CSRF token."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = values.get("action", "")
            self.forms[self._open] = {}
        elif tag == "input" and self._open and values.get("type") == "hidden":
            self.forms[self._open][values.get("name", "")] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = ""


class BrowserSession:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.client = outbound.local(base_url)
        self.cookie = ""
        self.forms: dict[str, dict[str, str]] = {}

    def open(self, path: str) -> str:
        """Follows one redirect, as sign-in gives. Raises NotFound for anything but a page."""
        reply = self._call("GET", path)
        if reply.status in (302, 303):
            reply = self._call("GET", reply.headers["location"])
        if reply.status != 200:
            raise NotFound(f"{path} answered {reply.status}.", code="page")
        parser = _Forms()
        parser.feed(reply.body.decode())
        self.forms = parser.forms
        return reply.body.decode()

    def submit(self, action: str, **fields: str) -> Reply:
        """Sends the form with this action and its hidden fields. Raises Conflict when the page refuses it."""
        body = urlencode({**self.forms[action], **fields}).encode()
        reply = self._call("POST", action, body, "application/x-www-form-urlencoded")
        if reply.status >= 400:
            raise Conflict(f"{action} answered {reply.status}.", code="form")
        return reply

    def watch(self, version_id: str, duration_ms: int) -> None:
        """Plays the video in real time and reports what was played, as the page's script does."""
        token = next(fields["csrf"] for fields in self.forms.values() if "csrf" in fields)
        path = f"/review/{version_id}/seen"
        self._report(path, token, [])  # opens the viewing, as the page's script does when it loads
        for start in range(0, duration_ms, STEP_MS):
            end = min(start + STEP_MS, duration_ms)
            time.sleep((end - start) / 1000)  # watching takes as long as the film: the server counts
            self._report(path, token, [[start, end]])

    def _report(self, path: str, token: str, ranges: list[list[int]]) -> None:
        body = json.dumps({"ranges": ranges}).encode()
        reply = self._call("POST", path, body, "application/json", {"x-csrf": token, "accept": "application/json"})
        if reply.status >= 400:
            raise Conflict(f"{path} answered {reply.status}: {reply.body[:200].decode()}", code="form")

    def _call(
        self, method: str, path: str, body: bytes | None = None, kind: str = "", more: dict[str, str] | None = None
    ) -> Reply:
        headers = {"cookie": self.cookie, "origin": self.base_url, "accept": "text/html", **(more or {})}
        if kind:
            headers["content-type"] = kind
        reply = self.client.call(method, f"{self.base_url}{path}", seconds=30, headers=headers, content=body)
        if "set-cookie" in reply.headers:
            self.cookie = reply.headers["set-cookie"].split(";")[0]
        return reply
