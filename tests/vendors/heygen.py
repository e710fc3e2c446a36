"""HeyGen v3 as heygen-com/heygen-cli's schemas and developers.heygen.com tell it. Last compared 2026-11-22.

No real server was asked. Create answers `waiting`, which the status call never says; the signature covers the body but
not the timestamp; a finished video's address passes.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar

from tests.vendors.server import KEY, Answer, Job, Vendor

SECRET = "whsec_heygen"


class HeyGen(Vendor):
    stages: Sequence[str] = ("pending", "processing", "completed")
    needs: ClassVar[dict[str, str]] = {"avatar_id": "look-1", "voice_id": "voice-1"}
    create = "/v3/videos"
    status = "/v3/videos/job"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:  # noqa: PLR0911
        if headers.get("x-api-key") != KEY:
            return 401, _error("unauthorized", "Invalid API key")
        if method == "POST":
            return self._create(headers, body)
        if path == "/v3/users/me":
            return 200, {"data": {"billing_type": "wallet", "wallet": {"remaining_balance": self.credits}}}
        if path.startswith("/v3/videos?"):
            jobs, token = self.listed(path)
            return 200, {"data": [self._row(job) for job in jobs], "next_token": token or None}
        job = self.jobs.get(path.rpartition("/")[2])
        if job is None or job.deleted:
            return 404, _error("not_found", "No such video")
        if method == "DELETE":
            job.deleted = True
            return 200, {"data": {"id": job.id}}
        return 200, {"data": self._video(job)}

    def _create(self, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        assert body["type"] == "avatar"
        assert body["avatar_id"] == self.needs["avatar_id"]
        if not self.credits:
            return 402, _error("insufficient_credit", "Not enough credit")
        key = headers["idempotency-key"]
        known = [job for job in self.jobs.values() if job.key == key]
        job = known[0] if known else self.buy(key, body["title"], body)
        if "callback_url" in body:
            self.hooks.append(body["callback_url"])
        return 200, {"data": {"video_id": job.id, "status": "waiting", "output_format": "mp4"}}

    def _row(self, job: Job) -> dict[str, Any]:
        return {"id": job.id, "title": job.title, "created_at": job.created_at.timestamp(), "status": "processing"}

    def _video(self, job: Job) -> dict[str, Any]:
        stage = self.stage(job)
        word, _, percent = stage.partition(" ")
        found: dict[str, Any] = {**self._row(job), "status": word, "duration": 3.0}
        if percent:
            found["progress"] = int(percent)
        if word == "completed":
            found["video_url"] = self.media(job)
        if word == "failed":
            found |= {"failure_code": self.reason or None, "failure_message": None}
        return found

    def hook(self, job: Job, **more: str) -> tuple[dict[str, str], bytes]:
        """A message as they sign it."""
        event = {
            "event_id": "evt-1",
            "event_type": "avatar_video.success",
            "event_data": {"video_id": job.id, "callback_id": job.key, "url": "https://files.example/x.mp4"},
        }
        body = json.dumps({**event, **more}).encode()
        return {"heygen-signature": hmac.new(SECRET.encode(), body, sha256).hexdigest()}, body


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "doc_url": "https://developers.heygen.com"}}
