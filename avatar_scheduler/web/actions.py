"""A sentence for each audit entry that the pages show. People are ink, machines hatched, checks green."""

from dataclasses import dataclass

from avatar_scheduler.i18n import N_
from avatar_scheduler.services.cards import TimelineRow

PERSON, MACHINE, CHECK = "hu", "mc", "ok"


@dataclass(frozen=True)
class Action:
    sentence: str
    icon: str
    maker: str


ACTIONS = {
    "post.created": Action(N_("%(actor)s wrote it"), "pen-line", PERSON),
    "post.edited": Action(N_("%(actor)s edited it"), "pen-line", PERSON),
    "post.draft": Action(N_("Back to draft, by %(actor)s"), "pen-line", PERSON),
    "post.rendering": Action(N_("Sent to render by %(actor)s"), "loader", PERSON),
    "post.checking": Action(N_("Rendered, now being checked"), "scan-line", MACHINE),
    "post.in_review": Action(N_("Every mark was measured, and a person is asked"), "shield-check", CHECK),
    "post.approved": Action(N_("%(actor)s approved this version"), "thumbs-up", PERSON),
    "post.rejected": Action(N_("%(actor)s rejected it"), "x", PERSON),
    "post.changes_requested": Action(N_("%(actor)s asked for changes"), "message-square-reply", PERSON),
    "post.blocked": Action(N_("Blocked: it may not go on like this"), "octagon-x", MACHINE),
    "post.cancelled": Action(N_("%(actor)s dropped it"), "x", PERSON),
    "approval.approved": Action(N_("The yes of %(actor)s was signed"), "shield-check", CHECK),
    "approval.standing": Action(N_("%(actor)s gave a standing approval"), "shield-check", PERSON),
    "approval.undone": Action(N_("%(actor)s took the yes back"), "undo-2", PERSON),
    "version.nudged": Action(N_("%(actor)s reminded the people who are asked"), "bell", PERSON),
    "notice.sent": Action(N_("A notice was sent"), "bell", MACHINE),
    "notice.failed": Action(N_("A notice could not be sent"), "bell-off", MACHINE),
    "outlet.added": Action(N_("%(actor)s added a way of being told"), "bell", PERSON),
    "outlet.removed": Action(N_("A way of being told was removed"), "bell-off", PERSON),
    "comment.written": Action(N_("%(actor)s commented"), "message-circle", PERSON),
    "comment.resolved": Action(N_("%(actor)s settled a comment"), "check", PERSON),
    "comment.reopened": Action(N_("%(actor)s reopened a comment"), "rotate-ccw", PERSON),
    "comment.deleted": Action(N_("%(actor)s deleted their comment"), "trash", PERSON),
    "upload.added": Action(N_("%(actor)s added a file"), "upload", PERSON),
    "upload.removed": Action(N_("%(actor)s removed a file"), "x", PERSON),
    "render.running": Action(N_("A worker started to render"), "file-play", MACHINE),
    "render.done": Action(N_("The video is there"), "file-play", MACHINE),
    "render.failed": Action(N_("The render failed"), "circle-x", MACHINE),
    "render.cancelled": Action(N_("The render was stopped"), "circle-slash", MACHINE),
    "render.queued": Action(N_("Waiting for a worker again"), "loader", MACHINE),
    "delivery.scheduled": Action(N_("Scheduled"), "calendar-check", MACHINE),
    "delivery.waiting": Action(N_("Not scheduled any more"), "calendar-clock", MACHINE),
    "delivery.claimed": Action(N_("A worker took it, and checked everything again"), "shield-check", MACHINE),
    "delivery.sending": Action(N_("Going out"), "send", MACHINE),
    "delivery.accepted": Action(N_("The platform took it"), "send", CHECK),
    "delivery.published": Action(N_("Read back from the platform: published"), "eye", CHECK),
    "delivery.unconfirmed": Action(N_("Sent, but no answer came"), "circle-question-mark", MACHINE),
    "delivery.failed": Action(N_("Refused for certain"), "circle-x", MACHINE),
    "delivery.kept_back": Action(N_("Kept back, nothing was sent"), "archive", MACHINE),
    "delivery.read_back": Action(N_("Read back once more"), "eye", MACHINE),
    "delivery.incident": Action(N_("Read back: it is not as it was sent"), "siren", MACHINE),
    "delivery.needs_person": Action(N_("Somebody has to look at it there"), "hand", MACHINE),
    "incident.takedown": Action(N_("To be taken down, says %(actor)s"), "trash", PERSON),
    "incident.takedown_failed": Action(N_("The platform would not take it down"), "circle-x", MACHINE),
    "incident.taken_down": Action(N_("Taken down"), "trash", MACHINE),
    "incident.closed": Action(N_("%(actor)s has seen to it"), "check", PERSON),
    "hold.on": Action(N_("%(actor)s stopped it"), "octagon-pause", PERSON),
    "hold.off": Action(N_("%(actor)s started it again"), "undo-2", PERSON),
    "consent.recorded": Action(N_("%(actor)s gave consent"), "badge-check", PERSON),
    "consent.proven": Action(N_("%(actor)s recorded the proof of a consent"), "video", PERSON),
    "consent.revoked": Action(N_("%(actor)s withdrew consent"), "ban", PERSON),
    "media.purged": Action(
        N_("What was made under a withdrawn consent and never went out was removed"), "trash", MACHINE
    ),
    "creator.practised": Action(N_("%(actor)s tried a practice card"), "thumbs-up", PERSON),
    "member.signed_in": Action(N_("%(actor)s signed in"), "log-in", PERSON),
    "member.half_signed_in": Action(N_("%(actor)s signed in, up to the second step"), "log-in", PERSON),
    "member.signed_out_elsewhere": Action(N_("%(actor)s signed other devices out"), "monitor-smartphone", PERSON),
    "member.link_asked": Action(N_("A link to sign in was asked for"), "link", MACHINE),
    "member.link_made": Action(N_("A link to sign in was made"), "link", MACHINE),
    "member.password_set": Action(N_("%(actor)s chose a password"), "lock", PERSON),
    "member.password_changed": Action(N_("%(actor)s changed their password"), "lock", PERSON),
    "member.password_off": Action(N_("%(actor)s switched their password off"), "lock", PERSON),
    "member.changed": Action(N_("%(actor)s changed what is said about them"), "user-round", PERSON),
    "member.invited": Action(N_("%(actor)s invited somebody"), "user-plus", PERSON),
    "member.uninvited": Action(N_("%(actor)s took an invitation back"), "undo-2", PERSON),
    "member.joined": Action(N_("%(actor)s joined"), "user-round-check", PERSON),
    "member.role": Action(N_("%(actor)s gave somebody another role"), "users", PERSON),
    "member.disabled": Action(N_("%(actor)s shut somebody out"), "ban", PERSON),
    "member.enabled": Action(N_("%(actor)s let somebody in again"), "undo-2", PERSON),
    "passkey.enrolled": Action(N_("%(actor)s added a passkey"), "key-round", PERSON),
    "passkey.renamed": Action(N_("%(actor)s renamed a passkey"), "key-round", PERSON),
    "passkey.revoked": Action(N_("%(actor)s revoked a passkey"), "key-round", PERSON),
    "passkey.cloned": Action(N_("A passkey of %(actor)s may have been copied, and was shut out"), "siren", MACHINE),
    "codes.on": Action(N_("%(actor)s turned one-time codes on"), "smartphone", PERSON),
    "codes.off": Action(N_("%(actor)s turned one-time codes off"), "smartphone", PERSON),
    "codes.recovered": Action(N_("%(actor)s used a recovery code"), "smartphone", PERSON),
    "provider.added": Action(N_("%(actor)s connected the organization’s own sign-in"), "users", PERSON),
    "identity.linked": Action(N_("%(actor)s linked the organization’s own sign-in to their account"), "link", PERSON),
    "key.made": Action(N_("%(actor)s made a key for programs"), "key-round", PERSON),
    "key.revoked": Action(N_("%(actor)s revoked a key for programs"), "key-round", PERSON),
    "creator.person": Action(N_("%(actor)s is the person depicted"), "scan-face", PERSON),
    "delivery.withdrawn": Action(N_("Withdrawn before it left"), "undo-2", MACHINE),
}


def action(row: TimelineRow) -> Action:
    """An entry nobody wrote a sentence for is shown by its own name rather than hidden."""
    known = ACTIONS.get(row.action)
    return known or Action(row.action.replace("%", "%%"), "scroll-text", MACHINE)


# Shown as chips: what a person can use. States are in the sentence, hashes in the proof.
_FACTS = ("version", "what", "found", "reason", "note", "title", "fields", "sha256", "platform", "url", "try", "step")


def facts(row: TimelineRow) -> list[str]:
    """In the order of `_FACTS`; hashes are shortened by the page."""
    found = [(name, row.data[name]) for name in _FACTS if row.data.get(name)]
    return [f"v{value}" if name == "version" else value for name, value in found]
