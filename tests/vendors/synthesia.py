"""Synthesia v2 as docs.synthesia.io tells it. Last compared 2026-11-22. No real server was asked.

The duration is a text, errors are {"context", "error"}, a 429 names the window it broke and the seconds to wait.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar

from tests.vendors.server import KEY, Answer, Job, Vendor

SECRET = "whsec_synthesia"


class Synthesia(Vendor):
    stages: Sequence[str] = ("in_progress", "complete")
    needs: ClassVar[dict[str, str]] = {"avatar_id": "anna_costume1_cameraA"}
    create = "/videos"
    status = "/videos/job"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        if headers.get("authorization") != KEY:
            return 401, {"context": "Unauthorized", "error": "unauthorized"}
        if method == "POST":
            return self._create(body)
        if "?" in path:
            return 200, {"videos": [self._row(job) for job in self.listed(path)[0]]}
        job = self.jobs.get(path.rpartition("/")[2])
        if job is None or job.deleted:
            return 404, {"context": "Video not found", "error": "not found"}
        if method == "DELETE":
            job.deleted = True
            return 204, b""
        return 200, self._video(job)

    def _create(self, body: dict[str, Any]) -> Answer:
        assert body["visibility"] == "private"
        assert body["input"][0]["avatar"] == self.needs["avatar_id"]
        if not self.credits:
            return 402, {"context": "No credits", "error": "payment required"}
        job = self.buy(body["callbackId"], body["title"], body)
        return 201, {**self._row(job), "status": "in_progress"}

    def _row(self, job: Job) -> dict[str, Any]:
        return {"id": job.id, "title": job.title, "callbackId": job.key, "status": "in_progress",
                "createdAt": int(job.created_at.timestamp())}  # fmt: skip

    def _video(self, job: Job) -> dict[str, Any]:
        stage = self.stage(job)
        found = {**self._row(job), "status": stage}
        if stage == "complete":
            found |= {"download": self.media(job), "duration": "0:00:03.000000"}
        if stage in ("error", "rejected"):
            found["error"] = self.reason
        return found

    def hook(self, job: Job, stamp: str = "0") -> tuple[dict[str, str], bytes]:
        body = json.dumps({"type": "video.completed", "data": self._row(job)}).encode()
        made = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
        return {"synthesia-signature": made, "synthesia-timestamp": stamp}, body
