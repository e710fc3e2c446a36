"""Browsers and chats: what is let in, who can open it, whose it is."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Notice, Outlet
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.services import chats, outlets, push
from avatar_scheduler.services.people import API
from tests.peers.pushing import PushService
from tests.services.cast import outsider, person
from tests.world import World

TELEGRAM = "tgram://123456789:abcdefg_hijklmnop-qrstuvwxyz012345678/12315544"
GOOD = {
    TELEGRAM: "Telegram",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general": "Slack",
    "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ": "Slack",
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js": "Discord",
    "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js": "Discord",
    "pover://abcdefghijklmnopqrstuvwxyz1234@abcdefghijklmnopqrstuvwxyz1234": "Pushover",
}
BAD = (
    "json://169.254.169.254/latest", "xml://localhost/", "form://10.0.0.1/", "ntfy://localhost/x", "gotify://h/token",
    "mailto://u:p@evil.example", "https://evil.example/hook", "http://127.0.0.1:6379/", "file:///etc/passwd",
    "matrix://user:pass@10.0.0.1", "mmost://10.0.0.1/token", "rocket://u:p@host/#c", "syslog://localhost", "dbus://",
    "signal://10.0.0.1:8080/+1/+2", "msteams://evil/a@b/c/d", "windows://", "macosx://", "gnome://", "ifttt://x",
    TELEGRAM + "?verify=no", TELEGRAM + "/../../x", TELEGRAM + "\n", TELEGRAM + "#", " " + TELEGRAM + " x",
    "TGRAM://123456789:abcdefg_hijklmnop-qrstuvwxyz012345678/1?format=html", "tgram://host.evil/12315544",
    "discord://u@127.0.0.1:80/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "slack://evil.example/x/y",
    "https://discord.com.evil.example/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "https://discord.com@evil.example/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
)  # fmt: skip


class TestChats:
    @pytest.mark.parametrize("address", BAD)
    def test_an_address_that_could_choose_its_host_is_refused(self, world: World, address: str) -> None:
        with pytest.raises(Refused) as refused:
            chats.service_of(address)
        assert refused.value.code == "chat_address"
        with pytest.raises(Refused):
            chats.send(address, "x", "x")

    @pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # Apprise's own import
    @pytest.mark.parametrize("address", list(GOOD))
    def test_what_is_let_in_goes_to_the_host_apprise_knows(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a network: a proxy that is not there is asked for the host, and nothing else is."""
        import requests

        hosts: list[str] = []

        def note(_: object, request: Any, **__: object) -> None:
            hosts.append(request.url.split("/")[2])
            raise requests.ConnectionError("no network here")

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", note)
        name = GOOD[address]
        with pytest.raises(Refused, match="did not take"):
            chats.send(address, "A post needs you by 17:45", "Open it")
        assert set(hosts) == {chats.HOSTS[name]}

    def test_an_address_is_kept_sealed_and_once(self, world: World) -> None:
        with world.write() as session:
            first = outlets.add_chat(session, world.settings, world.ada, f" {TELEGRAM} ", world.now)
            again = outlets.add_chat(session, world.settings, world.ada, TELEGRAM, world.now)
        assert first.id == again.id
        assert "123456789" not in first.sealed
        assert outlets.opened(world.settings, first) == TELEGRAM


class TestBrowsers:
    @pytest.fixture
    def service(self) -> PushService:
        return PushService(url="https://push.example")

    def add(self, world: World, text: str, label: str = "Chrome") -> Outlet:
        with world.write() as session:
            return outlets.add_browser(session, world.settings, world.ada, text, label, world.now)

    @pytest.mark.parametrize(
        "endpoint",
        [
            "http://push.example/x",
            "https://push.example:8443/x",
            "https://u:p@push.example/x",
            "file:///x",
            "https://a b/",
        ],
    )
    def test_an_address_nothing_may_be_sent_to_is_refused(
        self, world: World, service: PushService, endpoint: str
    ) -> None:
        data = json.loads(service.subscription())
        with pytest.raises(Refused):
            self.add(world, json.dumps({**data, "endpoint": endpoint}))

    def test_a_private_address_is_refused_when_it_is_called(self, world: World, service: PushService) -> None:
        data = {**json.loads(service.subscription()), "endpoint": "https://127.0.0.1/x"}
        read = push.read(json.dumps(data), world.settings)
        with pytest.raises(Refused, match="not a public address"):
            push.send(world.settings, read, "x", "topic", 60)

    def test_what_is_no_subscription_is_refused(self, world: World, service: PushService) -> None:
        data = json.loads(service.subscription())
        keys = data["keys"]
        broken: tuple[Any, ...] = (
            "", "[]", "null", "{", "[" * 5000, {}, {**data, "endpoint": 7}, {**data, "keys": {}},
            {**data, "keys": {**keys, "auth": "AAAA"}}, {**data, "keys": {**keys, "p256dh": "A" * 87}},
            {**data, "keys": {**keys, "p256dh": keys["p256dh"][:-4]}}, {**data, "endpoint": "https://x/" + "a" * 3000},
        )  # fmt: skip
        for one in broken:
            with pytest.raises(Invalid):
                self.add(world, one if isinstance(one, str) else json.dumps(one))

    def test_the_same_browser_under_another_person_leaves_the_first(self, world: World, service: PushService) -> None:
        first = self.add(world, service.subscription())
        bo = person(world, "manager")
        with world.write() as session:
            outlets.add_browser(session, world.settings, bo, service.subscription(), "Chrome", world.now)
            assert outlets.mine(session, world.ada) == []
            assert len(outlets.mine(session, bo)) == 1
        assert world.again(first).sealed == ""

    def test_a_label_is_one_plain_line(self, world: World, service: PushService) -> None:
        assert (
            self.add(world, service.subscription(), "=cmd\r\n\x1b[31m" + "x" * 99).label
            == ("=cmd [31m" + "x" * 99)[:60]
        )

    def test_the_key_of_the_installation_stays(self, settings_twice: tuple[Settings, Settings]) -> None:
        one, two = settings_twice
        assert push.public_key(one) == push.public_key(two)
        assert (one.keys / "push.private.pem").stat().st_mode & 0o077 == 0

    @pytest.fixture
    def settings_twice(self, world: World) -> tuple[Settings, Settings]:
        return world.settings, world.settings.model_copy()


class TestWhose:
    def test_nobody_removes_what_is_not_theirs(self, world: World) -> None:
        with world.write() as session:
            row = outlets.add_chat(session, world.settings, world.ada, TELEGRAM, world.now)
        for who in (outsider(world), person(world, "owner")):
            with pytest.raises(NotFound), world.write() as session:
                outlets.remove(session, who, row.id, world.now)
        with world.write() as session:
            outlets.remove(session, world.ada, row.id, world.now)
        with pytest.raises(NotFound), world.write() as session:
            outlets.remove(session, world.ada, row.id, world.now)

    def test_a_program_is_not_told_anything(self, world: World) -> None:
        program = replace(world.ada, role=API)
        with pytest.raises(Forbidden), world.write() as session:
            outlets.add_chat(session, world.settings, program, TELEGRAM, world.now)
        with pytest.raises(Forbidden), world.write() as session:
            outlets.test(session, program, world.now)

    def test_ten_are_the_most(self, world: World) -> None:
        with world.write() as session:
            for number in range(outlets.MOST):
                outlets.add_chat(session, world.settings, world.ada, TELEGRAM + str(number), world.now)
        with pytest.raises(Conflict), world.write() as session:
            outlets.add_chat(session, world.settings, world.ada, TELEGRAM, world.now)

    def test_a_test_goes_to_each_way_once_a_minute(self, world: World) -> None:
        with world.write() as session:
            outlets.add_chat(session, world.settings, world.ada, TELEGRAM, world.now)
            assert outlets.test(session, world.ada, world.now) == 2
        with pytest.raises(Conflict), world.write() as session:
            outlets.test(session, world.ada, world.later(seconds=59))
        with world.write() as session:
            assert outlets.test(session, world.ada, world.later(seconds=1)) == 2
        with world.read() as session:
            assert len(list(session.exec(select(Notice)))) == 4
