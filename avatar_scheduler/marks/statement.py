"""What our Content Credentials say of a file: AI made it, whose it is, from what, and nothing may train on it.

Sources: C2PA Technical Specification 2.4 (actions, ingredients, soft binding), CAWG training and data mining 1.1,
California B&P 22757.3(b) for the four latent fields (provider, system and version, time, unique id).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from avatar_scheduler.marks import source_types

SYSTEM = "avatar-scheduler"
ACTIONS, TRAINING, SOFT_BINDING = "c2pa.actions.v2", "cawg.training-mining", "c2pa.soft-binding"
LATENT = "org.avatar-scheduler.latent-disclosure"
WATERMARK = "avatar-scheduler.watermark.1"
"""Name of our watermark in `c2pa.soft-binding`. Not on C2PA's list of algorithms: others cannot look it up yet."""
DENIED = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.ai_inference", "cawg.data_mining")
OPENED = "source"


@dataclass(frozen=True)
class Ingredient:
    """What ours was made from: named and hashed in the manifest, so that the chain back is open to see."""

    path: Path
    title: str
    media_type: str = "video/mp4"


def manifest(
    title: str, software: str, when: datetime, *, provider: str, mark_id: str, opened: bool, placed: Sequence[str]
) -> dict[str, Any]:
    """As c2pa.Builder takes it. `placed` are the labels of ingredients laid into the picture."""
    at = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    agent = {"name": SYSTEM, "version": software}
    latent = {"provider": provider, "system": SYSTEM, "version": software, "time": at, "id": f"urn:uuid:{uuid4()}"}
    assertions = [
        {"label": ACTIONS, "data": {"actions": _actions(at, agent, opened, placed)}},
        {"label": TRAINING, "data": {"entries": {use: {"use": "notAllowed"} for use in DENIED}}},
        {"label": LATENT, "data": latent},
    ]
    if mark_id:
        # an empty scope: the whole of the media
        binding = {"alg": WATERMARK, "blocks": [{"scope": {}, "value": mark_id}]}
        assertions.append({"label": SOFT_BINDING, "data": binding})
    return {"claim_generator_info": [agent], "title": title, "assertions": assertions}


def _actions(at: str, agent: dict[str, str], opened: bool, placed: Sequence[str]) -> list[dict[str, Any]]:
    """The first must be created or opened, or no reader accepts it."""
    told = {"when": at, "softwareAgent": agent}
    first: dict[str, Any] = {"action": "c2pa.created", "digitalSourceType": source_types.TRAINED}
    if opened:
        first = {"action": "c2pa.opened", "parameters": {"ingredientIds": [OPENED]}}
    edited = {
        "action": "c2pa.edited",
        "digitalSourceType": source_types.COMPOSITE,
        "description": "AI label and captions drawn into the picture",
    }
    inserted = [{"action": "c2pa.placed", "parameters": {"ingredientIds": [label]}} for label in placed]
    # Without a time: it is signed to be published, and nobody knows yet when a person will let it go.
    return [first | told, *(action | told for action in inserted), edited | told, {"action": "c2pa.published"}]
