"""Notices into a chat, through Apprise.

Apprise has an HTTP client of its own, so only services are let in whose host is written in Apprise itself. Anything an
address could choose (a host, a port, an option after "?") would be a way into private networks.
"""

import re

from avatar_scheduler.domain.errors import Invalid, Refused

_SLACK = r"T[A-Z0-9]{4,16}/[A-Z0-9]{4,16}/[A-Za-z0-9]{16,32}"
_DISCORD = r"\d{5,24}/[A-Za-z0-9_-]{16,120}"
ADDRESSES = {
    "Telegram": re.compile(r"tgram://\d{5,16}:[A-Za-z0-9_-]{16,64}/(-?\d{1,20}|@[A-Za-z0-9_]{3,40})/?"),
    "Slack": re.compile(rf"(slack://{_SLACK}(/#[a-z0-9_-]{{1,80}})?/?|https://hooks\.slack\.com/services/{_SLACK})"),
    "Discord": re.compile(rf"(discord://{_DISCORD}/?|https://discord\.com/api/webhooks/{_DISCORD})"),
    "Pushover": re.compile(r"pover://[A-Za-z0-9]{30}@[A-Za-z0-9]{30}/?"),
}
HOSTS = {
    "Telegram": "api.telegram.org", "Slack": "hooks.slack.com", "Discord": "discord.com",
    "Pushover": "api.pushover.net",
}  # fmt: skip
"""Where Apprise sends each."""


def service_of(address: str) -> str:
    """The name of the service. Raises Refused for anything that could lead elsewhere."""
    for name, form in ADDRESSES.items():
        if form.fullmatch(address):
            return name
    raise Refused(
        f"This is no address of {', '.join(ADDRESSES)}. Other services are not let in: their address chooses the host.",
        code="chat_address",
    )


def send(address: str, title: str, text: str) -> None:
    """Returns once the service took it. Raises Refused otherwise; Apprise does not say whether it may have arrived."""
    from apprise import Apprise

    name = service_of(address)
    plugin = Apprise.instantiate(address, suppress_exceptions=True)
    if plugin is None:
        raise Invalid(f"This address of {name} cannot be read. Copy it again.", code="chat_address")
    if not plugin.notify(body=text, title=title):
        raise Refused(f"{name} did not take the message. Check its address under your account.", code="chat_refused")
