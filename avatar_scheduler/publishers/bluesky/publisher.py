"""Once: the record key comes from the delivery and the whole record from the parcel, so a second `putRecord` with
`swapRecord: null` is a no-op (equal record) or InvalidSwap (a different one). It cannot make a second post.

Video goes to the account's own server as a blob, like an image. The video service (app.bsky.video.uploadVideo) would
make it playable some seconds earlier, but it stores the blob in our place and hands back its name: we could no longer
tell that the post points at the approved bytes.
"""

import time
from collections.abc import Mapping

from avatar_scheduler.domain.errors import OutcomeUnknown, Refused
from avatar_scheduler.outbound import Outbound, Reply
from avatar_scheduler.publishers.base import Absent, Account, Answer, Beat, Found, Intent, Parcel
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
        unmarked = record.missing_marks(record.post_record(parcel, ""), parcel.disclosure_line)
        if unmarked:
            raise Refused("Kept back. " + " ".join(unmarked), code="mark_missing")
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

    def commit(
        self, parcel: Parcel, account: Account, intent: Intent, uploaded: Mapping[str, str], seconds: float
    ) -> Answer:
        until = time.monotonic() + seconds
        self.check(parcel)
        if uploaded.get("blobs") != " ".join(blob.cid for blob in record.blobs_of(parcel)):
            raise Refused("The upload is not of this post's media. Nothing was posted.", code="not_sent")
        session = self._sessions.get(account, lasting=seconds + 30)
        body = record.put_request(session.did, intent["rkey"], record.post_record(parcel, intent["created_at"]))
        record.gate(body, parcel.disclosure_line)
        left = until - time.monotonic()
        if left < 1:
            raise Refused("Signing in took all the time there was. Nothing was posted.", code="not_sent")
        headers = {**session.headers, **xrpc.JSON}
        target = xrpc.url(account, "com.atproto.repo.putRecord")
        reply = self._outbound.call("POST", target, seconds=left, headers=headers, content=body)
        if reply.json().get("error") in xrpc.SESSION_OVER:
            self._sessions.forget(account)  # the next attempt signs in anew; this one has had its call
        return _judge(reply, _uri(session, intent))

    def read_back(self, parcel: Parcel, account: Account, intent: Intent) -> Found | Absent:
        try:
            # signed in, the account's own server answers; a stranger may be served from an index that lags behind
            session, reply = self._sessions.use(account, lambda session: self._get(account, session, intent))
        except Refused as why:
            raise OutcomeUnknown(f"Bluesky cannot be asked yet. {why.message}") from why
        uri, answer = _uri(session, intent), reply.json()
        if reply.status == 400 and answer.get("error") == "RecordNotFound":
            return Absent(f"{account.endpoint} says there is no record {uri}")
        if reply.status != 200 or answer.get("uri") != uri or not isinstance(answer.get("value"), dict):
            raise OutcomeUnknown(f"Bluesky cannot say whether the post is there. {xrpc.said(reply)}")
        there = answer["value"]
        marked = not record.missing_marks(there, parcel.disclosure_line)
        return Found(uri, _web(uri), marked=marked, same=there == record.post_record(parcel, intent["created_at"]))

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
