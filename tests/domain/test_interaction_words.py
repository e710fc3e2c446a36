"""What words make of a kind: hints raise and never lower, whatever tricks the letters play."""

import sys
import tomllib
from pathlib import Path

import pytest

from avatar_scheduler.domain.interaction import HINTS, LONGEST, MOST_REASONS, Judged, classify
from avatar_scheduler.rules.interacting import lexicons

CORPUS = tomllib.loads(Path(__file__).with_name("interaction_corpus.toml").read_text("utf-8"))
LEAST = 150
RECALL, FALSE_ALARMS = 0.95, 0.10


def judged(text: str, language: str = "en", **more: object) -> Judged:
    return classify("tip", "no", {"script": text}, language, lexicons=lexicons(), **more)  # type: ignore[arg-type]


def whats(text: str, language: str = "en", **more: object) -> set[str]:
    return {reason.what for reason in judged(text, language, **more).reasons}


@pytest.mark.parametrize("language", ["en", "fr"])
class TestCorpus:
    def test_what_needs_a_person_is_found_and_the_rest_left_alone(self, language: str) -> None:
        rows = CORPUS[language]
        missed = {what: [t for t in texts if not judged(t, language).core] for what, texts in rows.items()}
        alarms = [text for text in rows["neutral"] if judged(text, language).core]
        sensitive = sum(len(texts) for what, texts in rows.items() if what != "neutral")
        lost = [text for what, texts in missed.items() if what != "neutral" for text in texts]
        table = [f"{language}: {sum(map(len, rows.values()))} sentences, {len(rows['neutral'])} neutral"]
        for what, texts in rows.items():
            right = sum(what in whats(text, language) for text in texts)
            table.append(f"  {what:15} {len(texts):3}  raised {len(texts) - len(missed[what]):3}  as this {right:3}")
        table.append(f"  recall {1 - len(lost) / sensitive:.3f}, false alarms {len(alarms) / len(rows['neutral']):.3f}")
        sys.stdout.write("\n".join(["", *table, ""]))  # shown with -s
        assert sum(map(len, rows.values())) >= LEAST
        assert 1 - len(lost) / sensitive >= RECALL, lost
        assert len(alarms) / len(rows["neutral"]) <= FALSE_ALARMS, alarms

    def test_each_reason_has_sentences(self, language: str) -> None:
        assert set(CORPUS[language]) == {"neutral", *HINTS} - {"unreadable"}


class TestLetters:
    @pytest.mark.parametrize(
        "text",
        [
            "I PROMISE YOU",
            "i promise you",
            "Ｉ ｐｒｏｍｉｓｅ you",
            "𝐈 𝐩𝐫𝐨𝐦𝐢𝐬𝐞 you",
            "I pro\u00admise you",
            "I pro\u200bmise you",
            "І рrоmіѕе you",
            "I prömïse you",
            "I \n promise you",
            "I  really promise you",
            "I pro\u2060m\ufeffise you",
        ],
    )
    def test_no_way_of_typing_hides_a_promise(self, text: str) -> None:
        assert "promise" in whats(text)

    @pytest.mark.parametrize("mark", ["'", "’", "ʼ", "‘", "`", "´"])
    def test_every_apostrophe_is_one(self, mark: str) -> None:
        assert "promise" in whats(f"I{mark}ll answer everyone")
        assert "experience" in whats(f"j{mark}ai testé", "fr")

    def test_accents_left_out_are_no_way_around(self) -> None:
        assert "experience" in whats("j'ai teste cette poele", "fr")
        assert "experience" in whats("J\u2019ai teste\u0301 ça", "fr")

    def test_a_reason_stands_on_its_very_words(self) -> None:
        text = "Well. I pro\u00admise you, \U0001f600 and #ad too."
        reasons = judged(text).reasons
        assert [reason.what for reason in reasons] == ["promise", "sponsored"]
        assert all(text[reason.start : reason.end] == reason.words for reason in reasons)

    def test_a_phrase_does_not_reach_over_a_full_stop(self) -> None:
        assert whats("That is what I said. Promise land is a film.") == set()


class TestRaising:
    def test_a_hint_raises_and_never_lowers(self) -> None:
        assert not judged("Keep the heat low.").core
        assert judged("I promise.").core
        for kind, sponsored in (("reply", "no"), ("tip", "paid"), ("made_up", "no")):
            assert classify(kind, sponsored, {"script": "Onions."}, "en", lexicons=lexicons()).core

    def test_every_text_counts(self) -> None:
        for field in ("title", "script", "caption", "slide1"):
            found = classify("tip", "no", {"other": "Onions.", field: "I promise."}, "en", lexicons=lexicons())
            assert [reason.field for reason in found.reasons] == [field]

    def test_a_language_without_lists_needs_a_person(self) -> None:
        assert whats("Die Zwiebeln brauchen Zeit.", "de") == {"unreadable"}

    def test_words_in_letters_we_cannot_read_need_a_person(self) -> None:
        assert "unreadable" in whats("Лук любит терпение")
        assert "unreadable" in whats("玉ねぎ は 弱火で ゆっくり")

    def test_long_words_of_a_language_we_do_not_know_need_a_person(self) -> None:
        assert "unreadable" in whats("Zwiebeln brauchen viel Zeit und Geduld bei kleiner Flamme, dann werden sie weich")

    def test_a_wrong_language_hides_nothing(self) -> None:
        assert "promise" in whats("I promise you that this is the one.", "fr")
        assert "promise" in whats("Je vous promets que ça marche.", "en")
        assert "sponsored" in whats("Prenez-le, code promo inclus", "en")

    def test_what_is_said_to_be_paid_for_is_no_hint(self) -> None:
        found = classify("tip", "paid", {"script": "In partnership with them."}, "en", lexicons=lexicons())
        assert (found.core, found.reasons) == (True, ())

    def test_more_than_is_read_needs_a_person(self) -> None:
        assert "unreadable" in whats("Onions. " * (LONGEST // 8 + 1))

    def test_reasons_end_somewhere(self) -> None:
        assert len(judged("I promise. " * 500).reasons) == MOST_REASONS


class TestNames:
    def test_known_people_are_found_and_the_creator_is_not_somebody_else(self) -> None:
        assert whats("Ask Zephyrine about it", names=["Zephyrine Quill"]) == {"names_a_person"}
        assert whats("ask zephyrine quill about it", names=["Zephyrine Quill"]) == {"names_a_person"}
        assert whats("Maya here, and this is Maya's kitchen.", own=["Maya Okafor"]) == set()

    @pytest.mark.parametrize(
        "text", ["Filmed in New York on Monday.", "Google Maps and Adobe Photoshop.", "Five Morning Habits That Work"]
    )
    def test_places_brands_and_headings_name_nobody(self, text: str) -> None:
        assert whats(text) == set()

    def test_an_address_is_no_mention(self) -> None:
        assert whats("Write to kitchen@example.org about it.") == set()
