"""What Content Credentials say and whether it holds: of a file, or of a manifest kept for when the file is stripped."""

import io
import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import c2pa

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import chain, containers, digest, source_types, statement

TOOL = "credentials check 2"
PURPOSES = "".join(f"{purpose.dotted_string}\n" for purpose in chain.PURPOSES)
OURS = "user_anchors"
"""c2pa's name for the anchors we hand it, as against any list it may ship."""
CHANGED = "The file was changed after signing."
WORDS = (
    ("mismatch", CHANGED),
    ("malformed", CHANGED),
    ("expired", "The signing certificate has ended."),
    ("outsideValidity", "The signing certificate has ended."),
    ("untrusted", "Signed by somebody else."),
)
"""Part of a C2PA failure code -> what it means, worst first. Of an ended certificate c2pa also says untrusted."""
OF_THE_MEDIA = frozenset({"assertion.bmffHash.mismatch", "assertion.dataHash.mismatch", "assertion.boxesHash.mismatch"})
"""What a manifest without its file cannot help failing; its own signature and assertions are other codes."""

UNKNOWN_SIGNER = "signingCredential.untrusted"
"""The one failure with which c2pa calls a manifest valid."""


@dataclass(frozen=True)
class CredentialsReport:
    state: str
    """trusted, valid (intact, but the signer is not one we know), invalid, or none."""
    signer: str = ""
    software: str = ""
    when: str = ""
    """RFC 3339: the authority's time when there is a time stamp, otherwise what the signer claims."""
    actions: tuple[str, ...] = ()
    source_types: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    """C2PA codes."""
    mark_id: str = ""
    """Of the watermark the signer bound it to."""
    stamped_by: str = ""
    """The authority whose time stamp holds; then an ended certificate is no failure."""
    problem: str = ""
    """Why it proves nothing to us, in one line; empty when it does."""


def measure(
    media: Path, root_pem: str, *, mark_id: str = "", time_roots: str = "", subject: str | None = None
) -> Evidence:
    """Whether the file carries an intact manifest, signed under `root_pem`, that says AI.

    With a `mark_id` it must also be bound to that watermark. `time_roots` are those of timestamps.read_roots,
    `subject` is the file's SHA-256 if already known.
    Never raises for what is wrong with the file.
    """
    subject = digest.of_file(media) if subject is None else subject
    tool = f"{TOOL}, c2pa {c2pa.sdk_version()}"
    try:
        found = report(media, root_pem, time_roots)
    except Invalid as problem:
        return Evidence(Mark.credentials, False, problem.message, tool, subject)
    measured: dict[str, str | int | bool] = {
        "state": found.state,
        "failures": " ".join(found.failures),
        "mark_id": found.mark_id,
        "stamped_by": found.stamped_by,
    }
    unbound = found.mark_id != mark_id if mark_id else False
    wrong = found.problem or ("The Content Credentials name another watermark." if unbound else "")
    summary = wrong or f"signed by {found.signer}, file matches"
    return Evidence(Mark.credentials, not wrong, summary, tool, subject, measured)


def report(media: Path, root_pem: str | None, time_roots: str = "") -> CredentialsReport:
    """Everything the manifest says and whether it holds. Without `root_pem` no signer is trusted, without `time_roots`
    no time stamp.

    Raises Invalid when the file or its manifest cannot be read.
    """
    try:
        reader = c2pa.Reader.try_create(media, context=_context(root_pem or "", time_roots))
        if reader is None:
            return CredentialsReport("none", problem="No Content Credentials in this file.")
        with reader:
            return _judge(json.loads(reader.json()))
    except c2pa.C2paError as problem:
        raise Invalid(f"The file's Content Credentials cannot be read: {first_line(problem)}.") from problem


def report_manifest(
    media: Path | None, manifest: bytes, root_pem: str | None, time_roots: str = ""
) -> CredentialsReport:
    """The same of a `manifest` store kept apart: against `media`, or alone when its file was changed or stripped.

    Alone, "trusted" says that the statement is ours and untouched, and nothing about any file.
    Raises Invalid when it cannot be read.
    """
    try:
        context = _context(root_pem or "", time_roots)
        if media is None:
            with c2pa.Reader("application/c2pa", io.BytesIO(manifest), context=context) as reader:
                return _judge(json.loads(reader.json()), beside=OF_THE_MEDIA)
        kind = containers.of(media).media_type
        with media.open("rb") as file, c2pa.Reader(kind, file, manifest_data=manifest, context=context) as reader:
            return _judge(json.loads(reader.json()))
    except c2pa.C2paError as problem:
        raise Invalid(f"The stored Content Credentials cannot be read: {first_line(problem)}.") from problem


def _judge(store: dict[str, Any], *, beside: frozenset[str] = frozenset()) -> CredentialsReport:
    """`beside` are the failures that do not count."""
    manifest = store["manifests"][store["active_manifest"]]
    results = store["validation_results"]
    found = [failure["code"] for failure in results["activeManifest"]["failure"]]
    failures = tuple(code for code in found if code not in beside)
    good = {success["code"]: success.get("explanation", "") for success in results["activeManifest"]["success"]}
    state = store["validation_state"].lower()
    if set(failures) <= {UNKNOWN_SIGNER} and len(failures) < len(found):
        state = "trusted" if "signingCredential.trusted" in good else "valid"
    actions = [a for data in _assertions(manifest, "c2pa.actions") for a in data["actions"]]
    signature, generator = manifest.get("signature_info", {}), manifest.get("claim_generator_info", [{}])[0]
    said = CredentialsReport(
        state=state,
        signer=signature.get("issuer", ""),
        software=f"{generator.get('name', '')} {generator.get('version', '')}".strip(),
        when=signature.get("time") or next((action["when"] for action in actions if "when" in action), ""),
        actions=tuple(action["action"] for action in actions),
        source_types=tuple(action["digitalSourceType"] for action in actions if "digitalSourceType" in action),
        failures=failures,
        mark_id=_mark_id(manifest),
        stamped_by=_stamped_by(good),
    )
    return replace(said, problem=_problem(said, results.get("trustListUri", "")))


def _assertions(manifest: dict[str, Any], label: str) -> list[dict[str, Any]]:
    """Data of the assertions with that label, whatever their version."""
    return [assertion["data"] for assertion in manifest["assertions"] if assertion["label"].startswith(label)]


def _mark_id(manifest: dict[str, Any]) -> str:
    """Of our own kind of watermark, when exactly one is named."""
    bindings = _assertions(manifest, statement.SOFT_BINDING)
    ours = [binding for binding in bindings if binding.get("alg") == statement.WATERMARK]
    values = {str(block.get("value", "")) for binding in ours for block in binding.get("blocks", [])}
    return values.pop() if len(values) == 1 else ""


def _stamped_by(good: dict[str, str]) -> str:
    """c2pa names the authority in its explanation only."""
    if "timeStamp.trusted" not in good:
        return ""
    named = re.fullmatch(r"timestamp cert trusted: (.+), trust list: .*", good["timeStamp.trusted"])
    return named[1] if named else "a trusted authority"


def _problem(said: CredentialsReport, trust_list: str) -> str:
    if said.failures:
        known = (words for part, words in WORDS if any(part in code for code in said.failures))
        return next(known, f"The Content Credentials do not hold: {said.failures[0]}.")
    if said.state != "trusted" or trust_list != OURS:
        return "Signed by somebody else."
    if not source_types.AI.intersection(said.source_types):
        return "The Content Credentials do not say that this was made by AI."
    return ""


@lru_cache(maxsize=8)
def _context(root_pem: str, time_roots: str = "") -> c2pa.Context:
    return c2pa.Context(settings=c2pa.Settings.from_dict(settings(root_pem, time_roots)))


def settings(root_pem: str, time_roots: str = "") -> dict[str, Any]:
    """c2pa's, for signing and reading alike: it goes nowhere but to our own relay.

    Without the purposes it refuses a claim-signing certificate.
    """
    anchors: dict[str, Any] = {OURS: root_pem} if root_pem else {}
    if time_roots:
        anchors["anchors"] = [{"trust_anchors": time_roots, "trust_uri": "ours", "trust_kind": "tsa"}]
    return {
        "core": {"allowed_network_hosts": ["127.0.0.1"], "allow_redirects": False},
        "verify": {
            "verify_after_sign": True,
            "verify_trust": True,
            "verify_timestamp_trust": True,
            "ocsp_fetch": False,
            "remote_manifest_fetch": False,
        },
        "builder": {
            "thumbnail": {"enabled": False},
            # so that nothing can be hidden in the boxes players skip
            "bmff_hash_exclude_free_and_skip_boxes": False,
            # Ours to vouch for, not gathered from elsewhere.
            "created_assertion_labels": ["c2pa.actions", statement.TRAINING, statement.SOFT_BINDING, statement.LATENT],
        },
        "trust": {"trust_config": PURPOSES, **anchors},
    }


def first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0].rstrip(".")
