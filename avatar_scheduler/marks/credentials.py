"""Content Credentials (C2PA): the signed statement inside the file that this was made by AI, and by whom."""

import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import c2pa

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.marks import chain, digest, source_types
from avatar_scheduler.marks.chain import make_chain, read_root

__all__ = ["CredentialsReport", "make_chain", "measure", "read_root", "report", "sign"]

TOOL = "credentials check 1"
PURPOSES = f"{chain.CLAIM_SIGNING.dotted_string}\n"
DENIED = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.ai_inference", "cawg.data_mining")
INGREDIENT = "source"
OURS = "user_anchors"
"""c2pa's name for the anchors we hand it, as against any list it may ship."""
CHANGED = "The file was changed after signing."
WORDS = (
    ("mismatch", CHANGED),
    ("malformed", CHANGED),
    ("untrusted", "Signed by somebody else."),
    ("expired", "The signing certificate has ended."),
    ("outsideValidity", "The signing certificate has ended."),
)
"""Part of a C2PA failure code -> what it means, worst first."""


@dataclass(frozen=True)
class CredentialsReport:
    state: str
    """trusted, valid (intact, but the signer is not one we know), invalid, or none."""
    signer: str = ""
    software: str = ""
    when: str = ""
    """As the signer claims (RFC 3339): there is no independent timestamp."""
    actions: tuple[str, ...] = ()
    source_types: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    """C2PA codes."""
    problem: str = ""
    """Why it proves nothing to us, in one line; empty when it does."""


@dataclass(frozen=True)
class Ingredient:
    """What ours was made from: named and hashed in the manifest, so that the chain back is open to see."""

    path: Path
    title: str


def sign(
    source: Path,
    target: Path,
    *,
    folder: Path,
    title: str,
    software: str,
    when: datetime,
    ingredient: Ingredient | None = None,
) -> None:
    """Writes a signed copy; nothing may touch the file after. `software` is this program's version.

    With an `ingredient` the manifest says that it was opened and edited, otherwise that the file was created here.
    Raises Refused when the chain in `folder` is missing or expired, Invalid when the media cannot be signed.
    """
    context = _signing_context(chain.open_signer(folder, when))
    partial = target.with_name(f"{target.stem}.signing{target.suffix}")
    try:
        builder = c2pa.Builder(_manifest(title, software, when, opened=ingredient is not None), context=context)
        if ingredient is not None:
            _add(builder, ingredient)
        builder.sign_file(source, partial)
        partial.replace(target)
    except c2pa.C2paError as problem:
        if shutil.disk_usage(target.parent).free < 2 * source.stat().st_size:
            raise Refused(
                "The disk is full. Free some space, then render it again; nothing was kept.", code="disk_full"
            ) from problem
        raise Invalid(f"{source.name} cannot be signed: {_first_line(problem)}. Render it again.") from problem
    finally:
        partial.unlink(missing_ok=True)


def _add(builder: c2pa.Builder, ingredient: Ingredient) -> None:
    said = {"title": ingredient.title, "relationship": "parentOf", "label": INGREDIENT}
    with ingredient.path.open("rb") as file:
        builder.add_ingredient(json.dumps(said), "video/mp4", file)


def measure(media: Path, root_pem: str, *, subject: str | None = None) -> Evidence:
    """Whether the file carries an intact manifest, signed under `root_pem`, that says AI.

    `subject` is the file's SHA-256 if already known. Never raises for what is wrong with the file.
    """
    subject = digest.of_file(media) if subject is None else subject
    tool = f"{TOOL}, c2pa {c2pa.sdk_version()}"
    try:
        found = report(media, root_pem)
    except Invalid as problem:
        return Evidence(Mark.credentials, False, problem.message, tool, subject)
    measured: dict[str, str | int | bool] = {"state": found.state, "failures": " ".join(found.failures)}
    summary = found.problem or f"signed by {found.signer}, file matches"
    return Evidence(Mark.credentials, not found.problem, summary, tool, subject, measured)


def report(media: Path, root_pem: str | None) -> CredentialsReport:
    """Everything the manifest says and whether it holds. Without `root_pem` no signer is trusted.

    Raises Invalid when the file or its manifest cannot be read.
    """
    try:
        reader = c2pa.Reader.try_create(media, context=_reading_context(root_pem or ""))
        if reader is None:
            return CredentialsReport("none", problem="No Content Credentials in this file.")
        with reader:
            return _judge(json.loads(reader.json()))
    except c2pa.C2paError as problem:
        raise Invalid(f"The file's Content Credentials cannot be read: {_first_line(problem)}.") from problem


def _judge(store: dict[str, Any]) -> CredentialsReport:
    manifest = store["manifests"][store["active_manifest"]]
    results = store["validation_results"]
    logs = [assertion["data"] for assertion in manifest["assertions"] if assertion["label"].startswith("c2pa.actions")]
    actions = [action for log in logs for action in log["actions"]]
    signature, generator = manifest.get("signature_info", {}), manifest.get("claim_generator_info", [{}])[0]
    said = CredentialsReport(
        state=store["validation_state"].lower(),
        signer=signature.get("issuer", ""),
        software=f"{generator.get('name', '')} {generator.get('version', '')}".strip(),
        when=signature.get("time") or next((action["when"] for action in actions if "when" in action), ""),
        actions=tuple(action["action"] for action in actions),
        source_types=tuple(action["digitalSourceType"] for action in actions if "digitalSourceType" in action),
        failures=tuple(failure["code"] for failure in results["activeManifest"]["failure"]),
    )
    return replace(said, problem=_problem(said, results.get("trustListUri", "")))


def _problem(said: CredentialsReport, trust_list: str) -> str:
    if said.failures:
        known = (words for part, words in WORDS if any(part in code for code in said.failures))
        return next(known, f"The Content Credentials do not hold: {said.failures[0]}.")
    if said.state != "trusted" or trust_list != OURS:
        return "Signed by somebody else."
    if not source_types.AI.intersection(said.source_types):
        return "The Content Credentials do not say that this was made by AI."
    return ""


def _manifest(title: str, software: str, when: datetime, *, opened: bool) -> dict[str, Any]:
    at = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    agent = {"name": "avatar-scheduler", "version": software}
    created = {
        "action": "c2pa.created",
        "when": at,
        "softwareAgent": agent,
        "digitalSourceType": source_types.TRAINED,
    }
    edited = {
        "action": "c2pa.edited",
        "when": at,
        "softwareAgent": agent,
        "digitalSourceType": source_types.COMPOSITE,
        "description": "AI label and captions drawn into the picture",
    }
    first = {"action": "c2pa.opened", "when": at, "softwareAgent": agent, "parameters": {"ingredientIds": [INGREDIENT]}}
    denials = {"entries": {use: {"use": "notAllowed"} for use in DENIED}}
    return {
        "claim_generator_info": [agent],
        "title": title,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [first if opened else created, edited]}},
            {"label": "cawg.training-mining", "data": denials},
        ],
    }


@lru_cache(maxsize=8)
def _signing_context(signer: chain.Signer) -> c2pa.Context:
    """Cached because a c2pa signer is consumed by the context it is given to; the context serves many files."""
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=signer.chain_pem, private_key=signer.key_pem, ta_url=None)
    settings = c2pa.Settings.from_dict(_settings(signer.root_pem))
    return c2pa.Context(settings=settings, signer=c2pa.Signer.from_info(info))


@lru_cache(maxsize=8)
def _reading_context(root_pem: str) -> c2pa.Context:
    return c2pa.Context(settings=c2pa.Settings.from_dict(_settings(root_pem)))


def _settings(root_pem: str) -> dict[str, Any]:
    """Offline, and without the purposes listed c2pa refuses a claim-signing certificate."""
    anchors = {OURS: root_pem} if root_pem else {}
    return {
        "verify": {
            "verify_after_sign": True,
            "verify_trust": True,
            "ocsp_fetch": False,
            "remote_manifest_fetch": False,
        },
        "builder": {
            "thumbnail": {"enabled": False},
            # Ours to vouch for, not gathered from elsewhere.
            "created_assertion_labels": ["c2pa.actions", "cawg.training-mining"],
        },
        "trust": {"trust_config": PURPOSES, **anchors},
    }


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0].rstrip(".")
