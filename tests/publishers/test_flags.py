"""Every switch of every platform in the rules: on a request of that platform's shape, or the request is refused."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from avatar_scheduler import rules
from avatar_scheduler.domain.disclosure import (
    ON_REQUEST,
    SPONSORED,
    Blocked,
    Content,
    Mark,
    Place,
    RequiredMark,
)
from avatar_scheduler.domain.rulebook import decide
from avatar_scheduler.publishers.flags import BODY_BYTES, lacking, text_at
from tests.publishers.ruled import NOW
from tests.publishers.shaped import BOUNDARY, SHAPES, Sent, Shape, as_form, as_json, as_parts, as_query, word


def flags_of(place: Place, media: str, sponsored: str) -> list[RequiredMark]:
    said = decide(Content(media, "digital_twin", sponsored, "en"), place, frozenset(), NOW, rules.book())
    return [] if isinstance(said, Blocked) else [mark for mark in said if mark.mark in ON_REQUEST]


def ways() -> Iterator[tuple[str, str, str, list[RequiredMark]]]:
    """Surface, media, sponsored and flags of every way of the book that has a flag."""
    for place, taken in rules.book().ways.items():
        for media in sorted(taken):
            for sponsored in SPONSORED:
                if flags := flags_of(place, media, sponsored):
                    yield f"{place.platform} {place.surface}", media, sponsored, flags


WAYS = list(ways())


def mutations(shape: Shape, flags: list[RequiredMark], flag: RequiredMark) -> Iterator[tuple[str, Sent]]:
    """One flag altered, all others right."""
    *path, last = flag.field.split(".")

    def changed(how: Any) -> Sent:
        fields = shape.flagged(flags)
        inner = fields
        for name in path:
            inner = inner[name]
        how(fields, inner)
        return shape.write(fields)

    for name, value in {
        "false": False,
        "null": None,
        "empty": "",
        "zero": 0,
        "one": 1,
        "a list of no": [False],
    }.items():
        yield name, changed(lambda _, inner, value=value: inner.update({last: value}))
    yield "removed", changed(lambda _, inner: inner.pop(last))
    yield "another name", changed(lambda _, inner: inner.update({f"{last}_": inner.pop(last)}))
    yield "in capitals", changed(lambda _, inner: inner.update({last.upper(): inner.pop(last)}))
    yield "moved away", changed(lambda fields, inner: fields.update({"elsewhere": {last: inner.pop(last)}}))
    yield "one too deep", changed(lambda _, inner: inner.update({last: {last: inner[last]}}))
    wrong = "yes" if shape.plain else word(json.loads(flag.value)) + ("" if flag.value == "true" else "?")
    yield "as a word", changed(lambda _, inner: inner.update({last: wrong}))
    if path:
        yield "moved up", changed(lambda fields, inner: fields.update({last: inner.pop(last)}))
    yield from doubled(shape.write(shape.flagged(flags)), shape.plain, last, flag)


def doubled(sent: Sent, plain: bool, last: str, flag: RequiredMark) -> Iterator[tuple[str, Sent]]:
    if not plain:
        body, key = sent.body.decode(), json.dumps(last) + ":"
        assert body.count(key) == 1
        for name, other in (("before", last), ("in capitals", last.upper())):
            twice = body.replace(key, f"{json.dumps(other)}:false,{key}")
            yield f"doubled {name}", Sent(twice.encode(), sent.content_type, sent.query)
    elif sent.content_type.startswith("multipart"):
        part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{last}"\r\n\r\nfalse\r\n'.encode()
        yield "doubled", Sent(part + sent.body, sent.content_type)
    elif sent.body:
        yield "doubled", Sent(sent.body + f"&{last}=false".encode(), sent.content_type)
        yield "doubled in capitals", Sent(sent.body + f"&{last.upper()}=false".encode(), sent.content_type)
    else:
        yield "doubled", Sent(b"", "", f"{sent.query}&{last}=false")
    if "." not in flag.field and (sent.body or not plain):
        yield "in the query too", Sent(sent.body, sent.content_type, f"{sent.query}&{last}=true".lstrip("&"))


class TestMutation:
    def test_there_is_a_shape_for_each_way_with_a_flag(self) -> None:
        assert {way for way, *_ in WAYS} == set(SHAPES)

    def test_mutation_each_flag_of_each_row_is_needed(self, capsys: pytest.CaptureFixture[str]) -> None:
        passed = refused = 0
        rows = set()
        for way, media, sponsored, flags in WAYS:
            shape = SHAPES[way]
            whole = shape.write(shape.flagged(flags))
            assert lacking(flags, whole.body, whole.content_type, whole.query) == [], (way, media, sponsored)
            passed += 1
            for flag in flags:
                rows.add((flag.rule, flag.field))
                for name, sent in mutations(shape, flags, flag):
                    said = lacking(flags, sent.body, sent.content_type, sent.query)
                    assert said, (way, media, sponsored, flag.field, name, sent)
                    refused += 1
        with capsys.disabled():
            sys.stdout.write(
                f"\nflags: {len(rows)} rows, {passed} whole requests passed, {refused} mutations refused\n"
            )
        assert len(rows) >= 25
        assert refused >= 500

    def test_mutation_of_one_flag_is_said_by_its_name(self) -> None:
        for way, _, _, flags in WAYS:
            for flag in flags:
                others = [one for one in flags if one is not flag]
                sent = SHAPES[way].write(SHAPES[way].flagged(others))
                [said] = lacking(flags, sent.body, sent.content_type, sent.query)
                assert flag.field in said
                assert flag.law in said


def a(field: str, value: str = "true", mark: Mark = Mark.platform_flag) -> RequiredMark:
    return RequiredMark(mark, "place.post", "Place", "here", NOW.date(), field=field, value=value)


AI = a("ai")


class TestReading:
    @pytest.mark.parametrize(
        "sent",
        [
            as_json({"ai": True}),
            as_json({"ai": [True]}),
            as_form({"ai": True}),
            as_parts({"ai": True}),
            as_query({"ai": True}),
            Sent(b'{"x":1}', "application/json", "ai=true"),
            Sent(b"x=1", "application/x-www-form-urlencoded", "ai=true"),
        ],
    )
    def test_it_is_there(self, sent: Sent) -> None:
        assert lacking([AI], sent.body, sent.content_type, sent.query) == []

    @pytest.mark.parametrize(
        "sent",
        [
            Sent(b"", ""),
            Sent(b"", "application/json"),
            Sent(b'{"ai":true', "application/json"),
            Sent(b'{"ai":true}{"ai":true}', "application/json"),
            Sent(b'{"ai":true}', ""),
            Sent(b'{"ai":true}', "text/plain"),
            Sent(b'{"ai":true}', "application/jsonp"),
            Sent(b'{"ai":true}', "application/json; charset=utf-7"),
            Sent('{"ai":true}'.encode("utf-16"), "application/json"),
            Sent(b'\xef\xbb\xbf{"ai":true}', "application/json"),
            Sent(b'{"ai":true,"x":NaN}', "application/json"),
            Sent(b'{"ai":true,"x":{"y":1,"Y":2}}', "application/json"),
            Sent(b"[" * 100_000 + b"]" * 100_000, "application/json"),
            Sent(b'{"ai":true,"x":"' + b"x" * BODY_BYTES + b'"}', "application/json"),
            Sent(b'[{"ai":true}]', "application/json"),
            Sent(b"ai=true&AI=false", "application/x-www-form-urlencoded"),
            Sent(b"ai=true\xff", "application/x-www-form-urlencoded"),
            Sent(b"ai=true;x", "application/x-www-form-urlencoded"),
            Sent(b"ai=true", "application/x-www-form-urlencoded", "ai=false"),
            Sent(b"ai=true", "multipart/form-data; boundary=x"),
            Sent(b"ai=true", "multipart/form-data"),
            Sent(as_parts({"ai": True, "x": 1}).body[:-12], as_parts({}).content_type),
            Sent(as_parts({"ai": True}).body.replace(b'"ai"', b'"ai"; filename="ai"'), as_parts({}).content_type),
            Sent(b"x", "video/mp4", "ai=true"),
            Sent(b"", "", "ai=true&ai=true"),
            Sent(b"", "", "ai=%ff"),
            Sent(b"", "", "ai"),
        ],
    )
    def test_what_two_servers_could_read_differently_carries_nothing(self, sent: Sent) -> None:
        [said] = lacking([AI], sent.body, sent.content_type, sent.query)
        assert "ai" in said or "The request" in said

    def test_a_word_stays_a_word_in_a_form(self) -> None:
        said = a("notice", '"AI_MODIFIED"')
        for sent in (as_form({"notice": "AI_MODIFIED"}), as_form({"notice": '["X","AI_MODIFIED"]'})):
            assert lacking([said], sent.body, sent.content_type) == []
        for wrong in ("ai_modified", "AI_MODIFIED ", '["AI_MODIFIED"', "[]"):
            sent = as_form({"notice": wrong})
            assert lacking([said], sent.body, sent.content_type) != []

    def test_a_member_of_a_list_is_the_whole_member(self) -> None:
        said = a("labels", '{"val":"ai-generated"}')
        wrong: tuple[Any, ...] = ([{"val": "ai-generated", "neg": True}], [["ai-generated"]], ["ai-generated"], {})
        for labels in wrong:
            assert lacking([said], *_two(as_json({"labels": labels}))) != []
        assert lacking([said], *_two(as_json({"labels": [{"val": "x"}, {"val": "ai-generated"}]}))) == []

    def test_marks_that_are_measured_elsewhere_are_passed_over(self) -> None:
        for mark in set(Mark) - ON_REQUEST:
            assert lacking([a("ai", mark=mark)], b"", "") == []

    def test_a_text_is_found_where_it_stands(self) -> None:
        assert text_at(b'{"a":{"b":"c"}}', "application/json", "a.b") == "c"
        assert text_at(b"b=c%0Ad", "application/x-www-form-urlencoded", "b") == "c\nd"
        for body, kind, path in (
            (b'{"a":{"b":1}}', "application/json", "a.b"),
            (b'{"a":"b","A":"c"}', "application/json", "a"),
            (b'{"a":"b"}', "application/json", "a.b"),
            (b"a=b", "text/plain", "a"),
        ):
            assert text_at(body, kind, path) is None


def _two(sent: Sent) -> tuple[bytes, str]:
    return sent.body, sent.content_type
