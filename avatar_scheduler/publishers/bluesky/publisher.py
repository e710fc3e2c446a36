"""Once: the record key comes from the delivery and the whole record from the parcel, so a second `putRecord` with
`swapRecord: null` is a no-op (equal record) or InvalidSwap (a different one). It cannot make a second post.

Video goes to the account's own server as a blob, like an image. The video service (app.bsky.video.uploadVideo) would
make it playable some seconds earlier, but it stores the blob in our place and hands back its name: we could no longer
tell that the post points at the approved bytes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from avatar_scheduler.domain.errors import OutcomeUnknown, Refused
from avatar_scheduler.outbound import Outbound, Reply
from avatar_scheduler.publishers.base import (
    Absent,
    Account,
    Answer,
    Beat,
    Cleared,
    Found,
    Intent,
    Parcel,
    Request,
    unmarked,
)
from avatar_scheduler.publishers.bluesky import record, xrpc
from avatar_scheduler.publishers.bluesky.record import COLLECTION, Blob
from avatar_scheduler.publishers.bluesky.xrpc import Session, Sessions

UPLOAD_BYTES_PER_SECOND = 100_000
"""Slower than this is given up."""


class Bluesky:
    platform = "bluesky"
    home = "https://bsky.social"

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._sessions = Sessions(outbound)

    def check(self, parcel: Parcel) -> None:
        """Refused, with every reason, for what Bluesky will not take. Needs no network: ask as early as you like."""
        if reasons := unmarked(record.request_of(parcel, "", "", ""), parcel):
            raise Refused("Kept back. " + " ".join(reasons), code="mark_missing")
        if reasons := list(record.problems(parcel)):
            raise Refused("Bluesky does not take this post. " + " ".join(reasons), code="does_not_fit")

    def connect(self, account: Account) -> tuple[str, str]:
        """DID and handle behind the credentials. Keep the DID as the channel's address: a handle can change hands."""
        session = self._sessions.sign_in(account)
        return session.did, session.handle

    def intent(self, parcel: Parcel, account: Account) -> Intent:
        return {
            "repo": account.address,
            "collection": COLLECTION,
            "rkey": record.record_key(parcel.delivery_id, parcel.created_at),
            "created_at": record.timestamp(parcel.created_at),
        }

    def upload(self, parcel: Parcel, account: Account, intent: Intent, beat: Beat) -> Mapping[str, str]:
        self.check(parcel)
        blobs = record.blobs_of(parcel)
        for blob in blobs:
            beat()
            self._upload(account, blob, beat)
        return {"blobs": " ".join(blob.cid for blob in blobs)}

    def compose(
        self, parcel: Parcel, account: Account, intent: Intent, uploaded: Mapping[str, str], seconds: float
    ) -> Request:
        self.check(parcel)
        if uploaded.get("blobs") != " ".join(blob.cid for blob in record.blobs_of(parcel)):
            raise Refused("The upload is not of this post's media. Nothing was posted.", code="not_sent")
        session = self._sessions.get(account, lasting=seconds + 30)
        request = record.request_of(parcel, session.did, intent["rkey"], intent["created_at"])
        return replace(request, url=xrpc.url(account, "com.atproto.repo.putRecord"), headers=session.headers)

    def commit(self, cleared: Cleared, account: Account, seconds: float) -> Answer:
        if seconds < 1:
            raise Refused("Signing in took all the time there was. Nothing was posted.", code="not_sent")
        reply = cleared.post(self._outbound, seconds)
        if reply.json().get("error") in xrpc.SESSION_OVER:
            self._sessions.forget(account)  # the next attempt signs in anew; this one has had its call
        return _judge(reply, cleared.request.object_id)

    def read_back(self, parcel: Parcel, account: Account, intent: Intent) -> Found | Absent:
        uri, _, there = self._there(account, intent)
        if there is None:
            return Absent(f"{account.endpoint} says there is no record {uri}")
        return Found(
            uri,
            _web(uri),
            marked=record.is_marked(there, parcel),
            same=there == record.post_record(parcel, intent["created_at"]),
            ours=record.shows_media_of(there, parcel),
        )

    def take_down(self, parcel: Parcel, account: Account, intent: Intent) -> None:
        """Deletes the revision just read and no other: an edit in between makes the server refuse the swap."""
        uri, cid, there = self._there(account, intent)
        if there is None:
            return
        if there != record.post_record(parcel, intent["created_at"]) and not record.shows_media_of(there, parcel):
            raise Refused(
                f"Another post stands in the place of ours. Look there yourself: {_web(uri)}", code="not_ours"
            )
        body = record.delete_request(intent["repo"], intent["rkey"], cid)
        target = xrpc.url(account, "com.atproto.repo.deleteRecord")

        def send(session: Session) -> Reply:
            headers = {**session.headers, **xrpc.JSON}
            return self._outbound.call("POST", target, seconds=xrpc.SECONDS, headers=headers, content=body)

        try:
            _, reply = self._sessions.use(account, send)
        except Refused as why:
            raise OutcomeUnknown(f"Nobody knows yet whether the post is gone. {why.message}") from why
        if reply.status != 200:
            raise OutcomeUnknown(f"Bluesky did not say that the post is gone. {xrpc.said(reply)}")

    def _there(self, account: Account, intent: Intent) -> tuple[str, str, dict[str, Any] | None]:
        """Address, revision and content of our record, or None for its content when it does not exist."""
        try:
            # signed in, the account's own server answers; a stranger may be served from an index that lags behind
            session, reply = self._sessions.use(account, lambda session: self._get(account, session, intent))
        except Refused as why:
            raise OutcomeUnknown(f"Bluesky cannot be asked yet. {why.message}") from why
        uri, answer = _uri(session, intent), reply.json()
        if reply.status == 400 and answer.get("error") == "RecordNotFound":
            return uri, "", None
        there, cid = answer.get("value"), answer.get("cid")
        if reply.status != 200 or answer.get("uri") != uri or not isinstance(there, dict) or not isinstance(cid, str):
            raise OutcomeUnknown(f"Bluesky cannot say whether the post is there. {xrpc.said(reply)}")
        return uri, cid, there

    def _get(self, account: Account, session: Session, intent: Intent) -> Reply:
        query = f"repo={session.did}&collection={COLLECTION}&rkey={intent['rkey']}"
        target = f"{xrpc.url(account, 'com.atproto.repo.getRecord')}?{query}"
        return self._outbound.call("GET", target, seconds=xrpc.SECONDS, headers=session.headers)

    def _upload(self, account: Account, blob: Blob, beat: Beat) -> None:
        target = xrpc.url(account, "com.atproto.repo.uploadBlob")
        seconds = 60 + blob.size / UPLOAD_BYTES_PER_SECOND

        def send(session: Session) -> Reply:
            headers = {**session.headers, "Content-Type": blob.mime, "Content-Length": str(blob.size)}
            return self._outbound.call("POST", target, seconds=seconds, headers=headers, content=blob.chunks(beat))

        _, reply = self._sessions.use(account, send)
        if reply.status != 200:
            failed = Refused(f"The upload failed, nothing was posted. {xrpc.said(reply)}", code="not_sent")
            raise xrpc.refusal(reply) or failed
        if reply.json().get("blob") != blob.reference():
            raise Refused(f"Bluesky stored something else than the {blob.mime} it was sent.", code="rejected")


def _judge(reply: Reply, uri: str) -> Answer:
    answer = reply.json()
    if reply.status == 200 and answer.get("uri") == uri and isinstance(answer.get("cid"), str):
        return Answer(uri, _web(uri), {"cid": answer["cid"]})
    # InvalidSwap too: a different record has our key, and reading it back tells whose it is
    raise xrpc.refusal(reply) or OutcomeUnknown(f"Bluesky's answer leaves open whether it posted. {xrpc.said(reply)}")


def _uri(session: Session, intent: Intent) -> str:
    return f"at://{session.did}/{COLLECTION}/{intent['rkey']}"


def _web(uri: str) -> str:
    did, _, key = uri.removeprefix("at://").split("/")
    return f"https://bsky.app/profile/{did}/post/{key}"
