"""One e-mail to one person, in plain text, over a line that is encrypted or never leaves the machine."""

import contextlib
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Invalid, OutcomeUnknown, Refused

CONNECT_SECONDS = 15.0
"""For each answer of the server, not for the whole conversation."""
MOST_SUBJECT, MOST_TEXT = 200, 20_000
"""Characters."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PORTS = {"smtp": 587, "smtps": 465}
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x20\x7f]{1,64}@[^\s@<>,;:\"()\[\]\\\x00-\x20\x7f]{1,255}")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What ends a line, moves a terminal's cursor or turns the reading direction."""


@dataclass(frozen=True)
class Server:
    scheme: str
    host: str
    port: int
    user: str
    password: str

    @property
    def here(self) -> bool:
        return self.host in LOOPBACK


def server(settings: Settings) -> Server:
    """Raises Refused (no_mail) when none is set, Invalid when what is set cannot be read."""
    if not settings.smtp:
        raise Refused("No e-mail can be sent: AVATAR_SCHEDULER_SMTP is not set.", code="no_mail")
    wrong = Invalid("AVATAR_SCHEDULER_SMTP cannot be read. Write smtps://user:password@host:465.", code="smtp")
    try:
        url = urlsplit(settings.smtp)
        port = url.port or _PORTS.get(url.scheme, 0)
    except ValueError:
        raise wrong from None
    if url.scheme not in _PORTS or not url.hostname or url.path not in ("", "/") or url.query or url.fragment:
        raise wrong
    return Server(url.scheme, url.hostname, port, unquote(url.username or ""), unquote(url.password or ""))


def address(text: str) -> str:
    """A bare address, as it was given. Raises Invalid for anything else, a name or a second address among it."""
    if not _ADDRESS.fullmatch(text) or _UNSEEN.search(text):
        raise Invalid("That is not an e-mail address. Write it as name@example.org.", code="email")
    return text


def message(settings: Settings, to: str, subject: str, text: str, message_id: str = "") -> EmailMessage:
    """Raises Invalid for an address, a subject or a text that could become something else on the way."""
    name, sender = parseaddr(settings.mail_from)
    if not sender:
        raise Refused("No e-mail can be sent: AVATAR_SCHEDULER_MAIL_FROM is not set.", code="no_mail")
    if _UNSEEN.search(subject + settings.mail_from) or len(subject) > MOST_SUBJECT:
        raise Invalid("The subject of this e-mail has a character that does not belong there.", code="subject")
    if _UNSEEN.search(text.replace("\n", "")) or len(text) > MOST_TEXT:
        raise Invalid("The text of this e-mail has a character that does not belong there.", code="mail_text")
    letter = EmailMessage()
    letter["From"] = f"{name} <{address(sender)}>" if name else address(sender)
    letter["To"] = address(to)
    letter["Subject"] = subject
    letter["Date"] = formatdate(usegmt=True)
    letter["Message-ID"] = message_id or make_msgid(domain=sender.partition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday answers stay away
    letter.set_content(text)
    return letter


def send(settings: Settings, to: str, subject: str, text: str, message_id: str = "") -> None:
    """Returns once the server took it. `message_id` makes a second sending recognisable as the same letter.

    Raises Refused (no_mail, smtp_tls, smtp_refused, smtp_down) when it did not leave, OutcomeUnknown when the server
    went silent after the letter, Invalid for what no letter can be made of.
    """
    where = server(settings)
    letter = message(settings, to, subject, text, message_id)
    line = None
    try:
        line = _line(where)
        if where.user:
            line.login(where.user, where.password)
        _hand_over(line, letter)
        with contextlib.suppress(smtplib.SMTPException, OSError):  # it has the letter already
            line.quit()
    except ssl.SSLError as why:
        raise Refused(
            f"The mail server {where.host} has no valid certificate. Nothing was sent.", code="smtp_tls"
        ) from why
    except smtplib.SMTPResponseException as why:
        raise Refused(f"The mail server {where.host} refused: {_plain(why)}", code="smtp_refused") from why
    except smtplib.SMTPRecipientsRefused as why:
        raise Refused(
            f"The mail server {where.host} does not take letters to this address.", code="smtp_refused"
        ) from why
    except smtplib.SMTPNotSupportedError as why:
        raise Refused(f"The mail server {where.host} cannot do this: {_plain(why)}", code="smtp_refused") from why
    except (smtplib.SMTPException, OSError) as why:
        raise Refused(f"The mail server {where.host} cannot be reached: {_plain(why)}", code="smtp_down") from why
    finally:
        if line is not None:
            line.close()


def _line(where: Server) -> smtplib.SMTP:
    trust = ssl.create_default_context()
    if where.scheme == "smtps":
        return smtplib.SMTP_SSL(where.host, where.port, timeout=CONNECT_SECONDS, context=trust)
    line = smtplib.SMTP(where.host, where.port, timeout=CONNECT_SECONDS)
    try:
        line.ehlo()
        if not where.here or line.has_extn("starttls"):
            # a server on this machine has no name a certificate could hold
            line.starttls(context=_untrusting() if where.here else trust)
            line.ehlo()
    except (smtplib.SMTPException, OSError):
        line.close()
        raise
    return line


def _untrusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _hand_over(line: smtplib.SMTP, letter: EmailMessage) -> None:
    try:
        line.send_message(letter)
    except (smtplib.SMTPServerDisconnected, TimeoutError) as why:
        raise OutcomeUnknown("The mail server went silent; the letter may have left.") from why


def _plain(why: Exception) -> str:
    said = why.smtp_error if isinstance(why, smtplib.SMTPResponseException) else str(why)
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return _UNSEEN.sub(" ", text)[:160]
