"""Whatever single required mark is taken away or changed, nothing leaves: every case the rules know, generated."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from avatar_scheduler import rules
from avatar_scheduler.domain.disclosure import ON_REQUEST, Evidence, unproven
from avatar_scheduler.rules.books import book
from tests.rules.cases import CAPTION, Case, cases, proofs


def changed(case: Case, one: Evidence) -> Iterator[tuple[str, list[Evidence]]]:
    """What may become of one measurement, and what then stands in its place."""
    yield "removed", []
    yield "failed", [replace(one, ok=False, summary="gone from 0:41 to 0:48")]
    yield "failed once beside a good one", [one, replace(one, ok=False, summary="gone")]
    yield "of other bytes", [replace(one, subject="f" * 64)]
    demands = [demand for demand in case.required if demand.mark is one.mark]
    if any(demand.wording for demand in demands):
        yield "other words", [replace(one, measured=dict(one.measured) | {"text": "Hello"})]
        yield "no words", [replace(one, measured={k: v for k, v in one.measured.items() if k != "text"})]
    if height := max(demand.height_thousandths for demand in demands):
        yield "too small", [replace(one, measured=dict(one.measured) | {"height_thousandths": height - 1})]


@pytest.mark.parametrize("platform", rules.known_platforms())
def test_mutation_of_each_single_mark_is_refused(platform: str) -> None:
    here: Counter[str] = Counter()
    for case in cases(book(), platform):
        evidence = proofs(case)
        assert unproven(case.required, evidence, media=case.files, caption=CAPTION) == [], case
        for place, one in enumerate(evidence):
            for how, instead in changed(case, one):
                altered = [*evidence[:place], *instead, *evidence[place + 1 :]]
                reasons = unproven(case.required, altered, media=case.files, caption=CAPTION)
                assert reasons, (case, how)
                assert all(one.mark in reason for reason in reasons), (case, how, reasons)
                here[how] += 1
    sys.stdout.write(f"{platform}: {here.total()} mutations refused: {dict(here)}\n")
    assert here.total() >= 500


def test_mutation_left_out_no_mark_that_a_rule_of_the_book_asks_for() -> None:
    """Each rule that demands something, on each surface it covers, is in some case above or measured on the request."""
    everything = [case for platform in rules.known_platforms() for case in cases(book(), platform)]
    tried = {demand.rule for case in everything for demand in case.required}
    untried = {rule.id for rule in book().rules if rule.demands and not rule.draft} - tried
    unseen = {rule.id for rule in book().rules if rule.media == {"audio"}}
    assert untried == unseen, "no surface takes audio yet; every other rule is tried"
    assert {mark for rule in book().rules for mark in (d.mark for d in rule.demands)} >= ON_REQUEST
