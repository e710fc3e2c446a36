"""Whether an evidence pack holds, on any machine: every hash, signature, seal and link of the log, and the marks
measured again from its own files. Nothing is asked of a network or of an installation."""

import hashlib
import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from avatar_scheduler import audit, signing
from avatar_scheduler.domain.approval import PURPOSE, Statement
from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid, Refused, SchedulerError
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.services import measuring, versions
from avatar_scheduler.services.evidence_pack import ENDINGS, EVIDENCE, INDEX, ROOT, SIGNATURE, TIME_ROOTS

MOST_MEMBERS, MOST_BYTES = 200, 2 << 30
_NAME = re.compile(r"[a-z0-9/_.-]{1,80}|README\.txt")
Members = Mapping[str, bytes]


@dataclass(frozen=True)
class Checked:
    """One line for a person each, in the order they were checked."""

    title: str
    version_sha256: str
    root_fingerprint: str
    """SHA-256 of the root certificate: to be compared with the studio's own page."""
    pinned: bool
    """The root is the one that was handed in."""
    lines: tuple[str, ...]
    marks: tuple[Evidence, ...] = field(default=())


def verify(pack: Path, root_pem: str = "") -> Checked:
    """Raises Refused naming the first thing that does not hold, Invalid for what is no pack."""
    members = _read(pack)
    index = _index(members)
    if root_pem and _fingerprint(root_pem.encode()) != _fingerprint(members[ROOT]):
        raise _broken(ROOT, "it is not the root certificate that was handed in")
    lines = [f"{len(index['files'])} files, each with its hash, signed as one"]
    manifest: dict[str, Any] = {}
    for check in (_version, _media, _approvals, _records, _log, _credentials):
        with _named(_MEMBER[check]):
            lines.append(check(members, manifest))
    with _named("version/order.json"):
        marks = _marks(members, manifest)
    lines.append(f"{len(marks)} marks measured again")
    marks += tuple(_hidden(manifest))
    return Checked(
        manifest["title"], _json(members, "version/version.json")["sha256"], _fingerprint(members[ROOT]),
        bool(root_pem), tuple(lines), marks,
    )  # fmt: skip


def _broken(member: str, why: str) -> Refused:
    return Refused(f"The pack does not hold. {member}: {why}.", code="evidence_broken")


@contextmanager
def _named(member: str) -> Iterator[None]:
    """What a damaged file makes Python stumble over is said of that file."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise _broken(member, f"it does not say what it must ({type(problem).__name__}: {problem})") from None
    except Invalid as problem:
        raise _broken(member, problem.message.rstrip(".")) from None


def _read(pack: Path) -> Members:
    try:
        with zipfile.ZipFile(pack) as archive:
            about = archive.infolist()
            if len(about) > MOST_MEMBERS or sum(one.file_size for one in about) > MOST_BYTES:
                raise Invalid(f"{pack.name} is larger than any evidence pack.", code="evidence")
            names = [one.filename for one in about]
            if odd := [name for name in names if not _NAME.fullmatch(name) or names.count(name) > 1]:
                raise _broken(odd[0][:80], "no pack has such a file, or it is there twice")
            return {name: _member(archive, name) for name in names}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as problem:
        raise Invalid(f"{pack.name} is no evidence pack: {problem}.", code="evidence") from None


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as problem:
        raise _broken(name, f"its bytes are damaged ({problem})") from None


def _index(members: Members) -> dict[str, Any]:
    """The list of files, believed once its signature holds; then each file by its hash."""
    for name in (INDEX, SIGNATURE, key := f"keys/{EVIDENCE}.public.pem"):
        if name not in members:
            raise _broken(name, "it is missing")
    try:
        signed = signing.verify(members[key], EVIDENCE, members[INDEX], members[SIGNATURE].decode("ascii", "replace"))
    except SchedulerError:
        signed = False
    if not signed and hashlib.sha256(members[key]).hexdigest() not in members[INDEX].decode("utf-8", "replace"):
        raise _broken(key, "it was changed")
    if not signed:
        raise _broken(f"{INDEX} or {SIGNATURE}", "the signature does not fit the list of files")
    index: dict[str, Any] = json.loads(members[INDEX])
    files: dict[str, str] = index["files"]
    for name in sorted({*files, *members} - {INDEX, SIGNATURE}):
        if name not in members:
            raise _broken(name, "it is missing")
        if name not in files:
            raise _broken(name, "it is not in the list of files")
        if hashlib.sha256(members[name]).hexdigest() != files[name]:
            raise _broken(name, "it was changed after the pack was made")
    return index


def _json(members: Members, name: str) -> Any:
    if name not in members:
        raise _broken(name, "it is missing")
    return json.loads(members[name])


def _key(members: Members, purpose: str) -> bytes:
    return members[f"keys/{purpose}.public.pem"]


def _version(members: Members, manifest: dict[str, Any]) -> str:
    row, text = _json(members, "version/version.json"), members["version/manifest.json"].decode()
    if sha256(text) != row["sha256"]:
        raise _broken("version/manifest.json", "it does not have the hash it was frozen with")
    sealed = canonical({"post": row["post"], "number": row["number"], "sha256": row["sha256"]}).encode()
    if not signing.verify(_key(members, versions.SEAL), versions.SEAL, sealed, row["seal"]):
        raise _broken("version/version.json", "the seal does not fit")
    manifest.update(json.loads(text))
    return f"version {row['number']}, sealed, {row['sha256'][:16]}"


def _media(members: Members, manifest: dict[str, Any]) -> str:
    for kind, about in manifest["media"].items():
        name = _media_name(kind, about)
        if name not in members:
            raise _broken(name, "it is missing")
        if hashlib.sha256(members[name]).hexdigest() != about["sha256"]:
            raise _broken(name, "it is not the file that was approved")
    return f"{len(manifest['media'])} media files, as approved"


def _media_name(kind: str, about: Mapping[str, Any]) -> str:
    return f"media/{kind}.{ENDINGS[about['mime']]}"


def _digest(assertion: str) -> str:
    return sha256(assertion) if assertion else ""


def _approvals(members: Members, manifest: dict[str, Any]) -> str:
    frozen, rows = _json(members, "version/version.json")["sha256"], _json(members, "records/approvals.json")
    for row in rows:
        said = Statement(
            row["id"], row["organization_id"], row["decision"], row["post_id"], row["version_sha256"], row["by"],
            datetime.fromisoformat(row["decided_at"]), row["parent_id"], row["scope"],
            row["stage"], row["acted_as"], row["grade"], row["passkey_id"], _digest(row["assertion"]),
        )  # fmt: skip
        if not signing.verify(_key(members, PURPOSE), PURPOSE, said.payload(), row["signature"]):
            raise _broken("records/approvals.json", f"the signature of approval {row['id'][:12]} does not fit")
    yes = [row for row in rows if (row["decision"], row["version_sha256"]) == ("approved", frozen)]
    known = {row["id"] for row in rows}
    if lost := [row for row in yes if row["parent_id"] and row["parent_id"] not in known]:
        raise _broken("records/approvals.json", f"the standing approval behind {lost[0]['id'][:12]} is missing")
    if not yes:
        return "not approved by anybody"
    return "approved by " + ", ".join(row["name"] or row["by"][:12] for row in yes)


def _records(members: Members, manifest: dict[str, Any]) -> str:
    targets = {target["delivery"] for target in manifest["targets"]}
    rows = {name: _json(members, f"records/{name}.json") for name in ("deliveries", "attempts", "receipts")}
    frozen = _json(members, "version/version.json")["sha256"]
    attempts = {row["id"]: row for row in rows["attempts"]}
    for name, wrong in {
        "deliveries": [row for row in rows["deliveries"] if row["id"] not in targets],
        "attempts": [
            row for row in rows["attempts"] if row["manifest_sha256"] != frozen or row["delivery_id"] not in targets
        ],
        "receipts": [row for row in rows["receipts"] if row["attempt_id"] not in attempts],
    }.items():
        if wrong:
            raise _broken(f"records/{name}.json", f"row {wrong[0]['id'][:12]} belongs to another version")
    return ", ".join(f"{len(found)} {name}" for name, found in rows.items())


def _log(members: Members, manifest: dict[str, Any]) -> str:
    chain: list[dict[str, Any]] = _json(members, "log/entries.json")
    head = _json(members, "log/checkpoint.json")
    before: dict[str, Any] | None = None
    for row in chain:
        if before is not None and row["seq"] != before["seq"] + 1:
            raise _broken("log/entries.json", f"entry {before['seq'] + 1} is missing")
        if not row.get("withheld"):
            if before is not None and row["previous"] != before["hash"]:
                raise _broken("log/entries.json", f"entry {row['seq']} does not follow entry {before['seq']}")
            if _entry(row).hash() != row["hash"]:
                raise _broken("log/entries.json", f"entry {row['seq']} ({row['action']}) was changed")
        before = row
    if before is None or (before["seq"], before["hash"]) != (head["seq"], head["hash"]):
        raise _broken("log/checkpoint.json", "the entries do not end at the checkpoint")
    _logged(members, [row for row in chain if not row.get("withheld")])
    kept = sum(not row.get("withheld", False) for row in chain)
    return f"{kept} entries of the log, {len(chain) - kept} of others withheld, up to entry {head['seq']}"


def _entry(row: Mapping[str, Any]) -> audit.Entry:
    return audit.Entry(
        row["seq"], datetime.fromisoformat(row["at"]), row["organization"], row["actor"], row["action"], row["noun"],
        row["noun_id"], row["data"], row["previous"], row.get("number", 0), row.get("own_previous", ""),
    )  # fmt: skip


def _logged(members: Members, entries: Sequence[Mapping[str, Any]]) -> None:
    """Each approval and each signing has its entry: none was written beside the log."""
    noted = {(row["action"], row["noun_id"]) for row in entries}
    for row in _json(members, "records/approvals.json"):
        if row["post_id"] and (f"approval.{row['decision']}", row["id"]) not in noted:
            raise _broken("log/entries.json", f"it has no entry of approval {row['id'][:12]}")
    for row in _json(members, "records/signings.json"):
        if ("media.signed", row["sha256"]) not in noted:
            raise _broken("log/entries.json", f"it has no entry of the signing of {row['kind']}")


def _credentials(members: Members, manifest: dict[str, Any]) -> str:
    from avatar_scheduler.marks import reading

    root, time_roots = members[ROOT].decode(), members.get(TIME_ROOTS, b"").decode()
    rows = _json(members, "records/signings.json")
    wanted = [kind for kind in manifest["media"] if kind == "video" or kind.startswith("image")]
    if sorted(row["kind"] for row in rows) != sorted(wanted):
        raise _broken("records/signings.json", "not every file has its signing")
    for row in rows:
        name = f"credentials/{row['kind']}.c2pa"
        with tempfile.TemporaryDirectory(prefix="avs-evidence-") as folder:
            path = _placed(Path(folder), members, row["kind"], manifest["media"][row["kind"]])
            said = reading.report_manifest(path, members[name], root, time_roots)
        if said.problem or said.mark_id != manifest["mark_id"]:
            raise _broken(name, said.problem.rstrip(".") or "it names another watermark")
    return f"{len(rows)} Content Credentials, intact, signed under the root"


def _placed(folder: Path, members: Members, kind: str, about: Mapping[str, Any]) -> Path:
    path = folder / f"{kind}.{ENDINGS[about['mime']]}"
    path.write_bytes(members[_media_name(kind, about)])
    return path


def _marks(members: Members, manifest: dict[str, Any]) -> tuple[Evidence, ...]:
    """By the order, once it says what the sealed manifest says."""
    order = Order.read(_json(members, "version/order.json"))
    same = {
        "caption": order.caption, "disclosure_line": order.caption_line, "mark_id": order.mark_id,
        "organization": order.organization, "form": order.form, "staging": order.staging, "spoken": order.spoken,
        "label": {"sign": order.label_sign, "words": order.label_words, "sponsor": order.sponsor},
        "sponsor_line": order.sponsor_line,
    }  # fmt: skip
    if wrong := [name for name, value in same.items() if manifest[name] != value]:
        raise _broken("version/order.json", f"its {wrong[0]} is not the one that was approved")
    with tempfile.TemporaryDirectory(prefix="avs-evidence-") as folder:
        media = manifest["media"]
        kinds = ["video"] if order.form == "video" else versions.picture_kinds(media)
        files = {kind: _placed(Path(folder), members, kind, media[kind]) for kind in kinds}
        found = measuring.measure(
            order, files, manifest["human_ms"], members[ROOT].decode(),
            time_roots=members.get(TIME_ROOTS, b"").decode(),
        )  # fmt: skip
    sealed = {(e["mark"], e["subject"]) for e in manifest["evidence"] if e["ok"]}
    for mark in found:
        if not mark.ok and (str(mark.mark), mark.subject) in sealed:
            raise _broken("media", f"{mark.mark}: {mark.summary.rstrip('.')}, though the version says it is there")
    return found


def _hidden(manifest: Mapping[str, Any]) -> Iterator[Evidence]:
    """What the watermark says only the studio's key can read: the sealed measurement is repeated, not made again."""
    for e in manifest["evidence"]:
        if e["mark"] == Mark.watermark:
            said = versions.evidence_of(e)
            yield Evidence(
                said.mark, said.ok, f"{said.summary} (as sealed; reading it takes the studio's key)", said.tool,
                said.subject, said.measured,
            )  # fmt: skip


def _fingerprint(pem: bytes) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    with _named(ROOT):
        return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()


_MEMBER: dict[Callable[[Members, dict[str, Any]], str], str] = {
    _version: "version/version.json",
    _media: "version/manifest.json",
    _approvals: "records/approvals.json",
    _records: "records/receipts.json",
    _log: "log/entries.json",
    _credentials: "records/signings.json",
}
"""Which file a check is about, for what nobody thought of."""
