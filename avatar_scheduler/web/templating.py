"""Templates: one environment per language, words and icons at hand, everything escaped."""

import functools
import json
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from avatar_scheduler.i18n import N_, choose, translations
from avatar_scheduler.paths import TEMPLATES
from avatar_scheduler.web import actions, measures, when, words
from avatar_scheduler.web.icons import Icons

OWN_FEED = N_("Own feed")


@functools.cache
def environment(language: str) -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(words=words, actions=actions, lang=language)
    for name in ("clock", "day", "day_and_clock", "moment", "exact"):
        env.filters[name] = functools.partial(getattr(when, name), language=language)
    env.filters["weekday"] = functools.partial(when.weekday, language=language)
    env.filters["on"] = functools.partial(when.on, language=language)
    env.filters["measures"] = functools.partial(measures.measures, language=language)
    env.filters["left"] = functools.partial(when.left, language=language)
    env.filters["duration"] = when.length
    env.filters["urgency"] = when.urgency
    env.filters["short"] = short_hash
    env.filters["initials"] = initials
    env.filters["from_json"] = json.loads
    env.filters["colour"] = colour
    env.filters["platform"] = functools.partial(platform, language=language)
    env.filters["local"] = local
    return env


def short_hash(value: str) -> str:
    return f"{value[:4]}…{value[-4:]}" if len(value) > 12 else value


def initials(name: str) -> str:
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper()


def colour(slug: str) -> str:
    """One of the eight creator colours, always the same for the same slug."""
    return f"fc{sum(slug.encode()) % 8 + 1}"


def platform(name: str, language: str) -> str:
    """Other platforms go by their own names in every language."""
    return translations(language).gettext(OWN_FEED) if name == "own_feed" else name.replace("_", " ").capitalize()


def local(url: str) -> str:
    """The path of one of our own addresses: the page may be open under another name of this machine."""
    return urlsplit(url).path


def render(template: str, language: str, /, **context: Any) -> str:
    return environment(language).get_template(template).render(icons=Icons(), **context)


def language_of(request: Request) -> str:
    person = getattr(request.state, "person", None)
    return choose(person.language if person else "", request.headers.get("accept-language", ""))


def page(request: Request, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
    language = language_of(request)
    context.setdefault("person", getattr(request.state, "person", None))
    context.setdefault("holds", getattr(request.state, "holds", ()))
    body = render(template, language, **context)
    return HTMLResponse(body, status, headers={"Content-Language": language, "Vary": "Accept-Language"})
