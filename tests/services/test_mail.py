"""Letters to a real mail server: what it took, and what never left."""

from pathlib import Path
from typing import Any

import pytest

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.services import mail
from tests.peers.mailbox import mailbox

FROM = "Avatar Scheduler <scheduler@studio.example>"


def settings(folder: Path, url: str, **more: Any) -> Settings:
    return Settings(**{"data": folder, "smtp": url, "mail_from": FROM, **more})


def test_a_letter_arrives_as_it_was_written(tmp_path: Path) -> None:
    with mailbox(tmp_path) as box:
        mail.send(
            settings(tmp_path, box.url), "maya@example.org", "Une réponse vous attend", "Ouvrez\n\nici\n", "<a@b>"
        )
    assert box.recipients == ["maya@example.org"]
    letter = box.letters[0]
    assert (letter["Subject"], letter["From"], letter["To"]) == ("Une réponse vous attend", FROM, "maya@example.org")
    assert (letter["Auto-Submitted"], letter["Message-ID"]) == ("auto-generated", "<a@b>")
    assert letter.get_content().replace("\r\n", "\n") == "Ouvrez\n\nici\n"
    assert letter.get_content_type() == "text/plain"


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\x00", "\x1b[31m", "\u2028", "\u202e", "\x85", "\x7f"])
def test_no_header_can_be_added_and_no_terminal_painted(tmp_path: Path, sign: str) -> None:
    with mailbox(tmp_path) as box:
        set_up = settings(tmp_path, box.url)
        for to, subject in (
            (f"maya@example.org{sign}Bcc: eve@example.org", "A post needs you"),
            (f"maya@example.org{sign}", "A post needs you"),
            ("maya@example.org", f"A post{sign}Bcc: eve@example.org"),
            (f"Maya{sign} <maya@example.org>", "A post needs you"),
            ("maya@example.org, eve@example.org", "A post needs you"),
        ):
            with pytest.raises(Invalid):
                mail.send(set_up, to, subject, "x")
        with pytest.raises(Invalid):
            mail.send(settings(tmp_path, box.url, mail_from=f"a{sign}b <a@b.example>"), "maya@example.org", "x", "x")
        if sign != "\n":
            with pytest.raises(Invalid):
                mail.send(set_up, "maya@example.org", "x", f"a{sign}b")
    assert box.recipients == []


def test_nothing_set_says_so(tmp_path: Path) -> None:
    for missing in ({"smtp": ""}, {"mail_from": ""}):
        with pytest.raises(Refused) as refused:
            mail.send(settings(tmp_path, "smtp://127.0.0.1:1", **missing), "maya@example.org", "x", "x")
        assert refused.value.code == "no_mail"


@pytest.mark.parametrize(
    "url", ["http://x", "smtp://", "smtp://h:99999", "smtp://h:x", "smtps://h/path", "smtp://h?tls=no"]
)
def test_an_address_of_a_server_that_cannot_be_read_is_named(tmp_path: Path, url: str) -> None:
    with pytest.raises(Invalid) as wrong:
        mail.send(settings(tmp_path, url), "maya@example.org", "x", "x")
    assert wrong.value.code == "smtp"


def test_off_this_machine_a_line_without_encryption_is_not_used(tmp_path: Path) -> None:
    with mailbox(tmp_path, "127.0.0.2", encrypted=False) as box, pytest.raises(Refused) as refused:
        mail.send(settings(tmp_path, box.url), "maya@example.org", "x", "x")
    assert "STARTTLS" in refused.value.message
    assert box.recipients == []


def test_off_this_machine_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with mailbox(tmp_path, "127.0.0.2") as box, pytest.raises(Refused) as refused:
        mail.send(settings(tmp_path, box.url), "maya@example.org", "x", "x")
    assert refused.value.code == "smtp_tls"
    assert box.recipients == []


def test_on_this_machine_it_may_be_plain(tmp_path: Path) -> None:
    with mailbox(tmp_path, encrypted=False) as box:
        mail.send(settings(tmp_path, box.url), "maya@example.org", "x", "x")
    assert box.recipients == ["maya@example.org"]


def test_a_wrong_password_a_refusal_and_a_closed_door_are_told_apart(tmp_path: Path) -> None:
    with mailbox(tmp_path) as box:
        for url, refuse, code in (
            (box.url.replace("onions", "leeks"), "", "smtp_refused"),
            (box.url, "451 Later\x1b[2J", "smtp_refused"),
            ("smtp://127.0.0.1:9", "", "smtp_down"),
        ):
            box.refuse = refuse
            with pytest.raises(Refused) as refused:
                mail.send(settings(tmp_path, url), "maya@example.org", "x", "x")
            assert refused.value.code == code
            assert "\x1b" not in refused.value.message
    assert box.recipients == []
