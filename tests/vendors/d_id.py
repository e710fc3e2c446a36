"""D-ID as its OpenAPI 4.2.1 tells it. Last compared 2026-11-22. No real server was asked.

A job may be accepted and still be `rejected`; POST answers 504 in API Gateway's words although the talk is made; hooks
carry the whole talk and no signature.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tests.vendors.server import KEY, Answer, Job, Vendor


class DId(Vendor):
    stages: Sequence[str] = ("created", "started", "done")
    needs: ClassVar[dict[str, str]] = {"presenter_id": "amy-1", "driver_id": "d-1", "voice_id": "en-US-JennyNeural"}
    create = "/clips"
    status = "/clips/job"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:  # noqa: PLR0911
        if headers.get("authorization") != f"Basic {KEY}":
            return 401, {"kind": "AuthorizationError", "description": "unauthorized"}
        if method == "POST":
            return self._create(path, body)
        if path == "/credits":
            return 200, {"remaining": self.credits, "total": 1000, "credits": []}
        if "?" in path:
            jobs, token = self.listed(path)
            return 200, {"clips": [self._row(job) for job in jobs], **({"token": token} if token else {})}
        job = self.jobs.get(path.rpartition("/")[2])
        if job is None or job.deleted:
            return 404, {"kind": "NotFoundError", "description": "not found"}
        if method == "DELETE":
            job.deleted = True
            return 200, self._row(job)
        return 200, self._clip(job)

    def _create(self, path: str, body: dict[str, Any]) -> Answer:
        assert path == "/clips"
        assert body["script"]["type"] == "text"
        assert body["presenter_id"]
        if not self.credits:
            return 402, {"kind": "InsufficientCreditsError", "description": "not enough credits"}
        job = self.buy(body["user_data"], body["name"], body)
        if "webhook" in body:
            self.hooks.append(body["webhook"])
        return 201, {**self._row(job), "status": "created"}

    def _row(self, job: Job) -> dict[str, Any]:
        return {"id": job.id, "object": "clip", "name": job.title, "user_data": job.key,
                "created_at": job.created_at.isoformat(), "status": "started"}  # fmt: skip

    def _clip(self, job: Job) -> dict[str, Any]:
        stage = self.stage(job)
        found = {**self._row(job), "status": stage}
        if stage == "done":
            found["result_url"] = self.media(job)
        if stage in ("error", "rejected"):
            found["error"] = {"kind": "TextModerationError", "description": self.reason}
        return found

    def hook(self, job: Job, **more: str) -> tuple[dict[str, str], bytes]:
        return {}, json.dumps({**self._row(job), "status": "done", **more}).encode()
