"""Where checkpoints of the log go: a file, a mailbox, a bucket. Each takes whole lines, or raises."""

import json
import os
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.outbound import Outbound
from avatar_scheduler.services import mail

SECONDS = 20.0
"""For one object."""
LETTER = 15_000
"""Characters of statements in one letter; a mail server may refuse longer ones."""
SUBJECT = "Checkpoint of the audit log"
WORDS = "Keep this letter. With it, entries that somebody removed from the log are found:\n\n" \
    "    avatar-scheduler audit verify --checkpoint LETTER\n\n"  # fmt: skip


def send(settings: Settings, place: str, lines: list[str]) -> None:
    """Raises Invalid (checkpoints) for a place nobody knows, Refused or OutcomeUnknown when it did not take them."""
    url = urlsplit(place)
    if url.scheme == "file" and url.netloc in ("", "localhost") and len(url.path) > 1:
        append(Path(unquote(url.path)), lines)
    elif url.scheme == "mailto" and url.path:
        for text in _letters(lines):
            mail.send(settings, unquote(url.path), SUBJECT, WORDS + text)
    elif url.scheme == "s3" and url.netloc:
        for line in lines:
            _put(settings, url.netloc, url.path.strip("/"), line)
    else:
        raise Invalid(
            f"{named(place)} in AVATAR_SCHEDULER_CHECKPOINTS is no place for checkpoints. Write file:///path, "
            "mailto:name@example.org or s3://bucket/prefix.",
            code="checkpoints",
        )


def named(place: str) -> str:
    """For a log: without what a careless address might hold."""
    url = urlsplit(place)
    return f"{url.scheme}:{url.netloc.rpartition('@')[2]}{url.path}"


def append(path: Path, lines: list[str]) -> None:
    """On the disk when this returns. Raises Refused (checkpoint_file)."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "ab") as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as why:
        raise Refused(f"{path} cannot be written: {why.strerror}.", code="checkpoint_file") from why


def _letters(lines: list[str]) -> list[str]:
    found = [""]
    for line in lines:
        if found[-1] and len(found[-1]) + len(line) > LETTER:
            found.append("")
        found[-1] += line + "\n"
    return found


def _put(settings: Settings, bucket: str, prefix: str, line: str) -> None:
    """One object for each checkpoint, named by what it says, and never over one that is there.

    Signed with SigV4 (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
    """
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    said = json.loads(line)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        raise Refused("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set.", code="checkpoint_s3")
    base = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    base = (base or f"https://s3.{region}.amazonaws.com").rstrip("/")
    whose = "all" if said["organization"] == "*" else said["organization"]
    name = f"{whose or 'none'}/{said['number']:012d}-{said['hash'][:16]}.json"
    path = "/".join(quote(part, safe="") for part in [bucket, *prefix.split("/"), *name.split("/")] if part)
    request = AWSRequest("PUT", f"{base}/{path}", {"Content-Type": "application/json", "If-None-Match": "*"},
                         line.encode() + b"\n")  # fmt: skip
    S3SigV4Auth(Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN")), "s3", region).add_auth(request)
    reply = Outbound(private_hosts=settings.allow_hosts).call(
        "PUT", f"{base}/{path}", seconds=SECONDS, headers=dict(request.headers.items()), content=line.encode() + b"\n"
    )
    if reply.status not in (200, 412):  # 412: it is there already
        raise Refused(f"{urlsplit(base).hostname} answered {reply.status} for {bucket}.", code="checkpoint_s3")
