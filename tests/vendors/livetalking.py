"""LiveTalking's HTTP server as its source (head of 2026-07) shows it. Last compared 2026-11-22. It was not run.

Every answer is 200; {"code": -1} is the failure. One session, "0"; a new recording overwrites the last.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tests.vendors.server import Answer, Vendor


class LiveTalking(Vendor):
    stages: Sequence[str] = ("quiet", "speaking", "quiet")
    needs: ClassVar[dict[str, str]] = {}
    create = "/human"
    status = "/is_speaking"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        if path.startswith("/record/"):
            return 200, self.film
        if body.get("sessionid") != "0":
            return 200, {"code": -1, "msg": "session not found"}
        if path == "/human":
            assert body["type"] == "echo"  # "chat" would ask a language model
            self.buy(str(len(self.bought)), "", body)
        if path == "/is_speaking":
            job = next(reversed(self.jobs.values()), None)
            return 200, {"code": 0, "msg": "ok", "data": job is not None and self.stage(job) == "speaking"}
        return 200, {"code": 0, "msg": "ok"}
