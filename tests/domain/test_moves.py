"""The three move tables, checked as tables."""

from enum import StrEnum

import pytest

from avatar_scheduler.domain import delivery, post, purchase, render

TABLES = [(post.PostState, post.TRANSITIONS), (delivery.DeliveryState, delivery.TRANSITIONS)]
TABLES += [(render.RenderState, render.TRANSITIONS), (purchase.PurchaseState, purchase.TRANSITIONS)]


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_every_state_has_a_row(states: type[StrEnum], table: dict[StrEnum, frozenset[StrEnum]]) -> None:
    assert set(table) == set(states)


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_every_state_but_the_first_can_be_reached(
    states: type[StrEnum], table: dict[StrEnum, frozenset[StrEnum]]
) -> None:
    assert set().union(*table.values()) >= set(list(states)[1:])


def leading_to(state: delivery.DeliveryState) -> set[delivery.DeliveryState]:
    return {source for source, targets in delivery.TRANSITIONS.items() if state in targets}


def test_only_a_claimed_delivery_is_sent() -> None:
    assert leading_to(delivery.DeliveryState.sending) == {delivery.DeliveryState.claimed}


def test_only_an_answer_or_a_read_back_publishes() -> None:
    assert leading_to(delivery.DeliveryState.published) == {delivery.DeliveryState.accepted}


def test_a_sent_delivery_is_never_scheduled_again_without_a_read_back() -> None:
    assert delivery.DeliveryState.scheduled not in delivery.TRANSITIONS[delivery.DeliveryState.sending]


def test_a_purchase_in_doubt_is_never_ordered_again_without_a_look() -> None:
    """Straight back to planned is for a call that certainly did not leave; after a doubt only `unknown` leads there."""
    leading = {source for source, targets in purchase.TRANSITIONS.items() if purchase.S.planned in targets}
    assert leading == {purchase.S.submitting, purchase.S.unknown}
    assert not purchase.TRANSITIONS[purchase.S.submitted] & {purchase.S.planned, purchase.S.submitting}


def test_only_review_approves() -> None:
    sources = {source for source, targets in post.TRANSITIONS.items() if post.PostState.approved in targets}
    assert sources == {post.PostState.in_review}
