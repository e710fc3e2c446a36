"""The life of a post, from draft to a version somebody approved."""

from enum import StrEnum


class PostState(StrEnum):
    draft = "draft"
    """Being written. The writer moves it on."""
    rendering = "rendering"
    """A render row is queued or running. If its worker dies, the clock queues the render again."""
    checking = "checking"
    """The file exists and its marks are being measured. Same worker, same recovery as `rendering`."""
    in_review = "in_review"
    """A version is frozen and waits for a person. Nobody decides in time: its deliveries are kept back."""
    approved = "approved"
    """A person, or a standing approval, said yes to the current version. The clock moves the deliveries."""
    blocked = "blocked"
    """A mark is missing or the render failed; `reason` says which. The writer moves it on."""
    changes_requested = "changes_requested"
    """The reviewer wants something else. The writer makes a new version."""
    rejected = "rejected"
    """The reviewer said no. End."""
    cancelled = "cancelled"
    """The writer dropped it. End."""


S = PostState
TRANSITIONS: dict[PostState, frozenset[PostState]] = {
    S.draft: frozenset({S.rendering, S.cancelled}),
    S.rendering: frozenset({S.checking, S.blocked, S.draft, S.cancelled}),
    S.checking: frozenset({S.in_review, S.blocked, S.rendering, S.draft, S.cancelled}),
    S.in_review: frozenset({S.approved, S.changes_requested, S.rejected, S.draft, S.cancelled}),
    S.approved: frozenset({S.in_review, S.draft, S.cancelled}),
    S.blocked: frozenset({S.rendering, S.draft, S.cancelled}),
    S.changes_requested: frozenset({S.draft, S.cancelled}),
    S.rejected: frozenset(),
    S.cancelled: frozenset(),
}
EDITABLE = frozenset(state for state, nexts in TRANSITIONS.items() if S.draft in nexts) | {S.draft}
