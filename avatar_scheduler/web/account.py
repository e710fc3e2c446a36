"""One person's own page: passkeys, one-time codes, devices, languages, quiet hours, ways to be told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, Refused, SchedulerError
from avatar_scheduler.services import devices, oidc, one_time_codes, passkeys, people, profiles
from avatar_scheduler.services.people import Person
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.errors import status_of
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.forms_sign_in import ChangePassword, Confirm, NewPasskey, ProfileForm, Rename
from avatar_scheduler.web.templating import page
from avatar_scheduler.web.throttle import SignInTry

router = APIRouter(prefix="/account")
SIDE_BY_SIDE = (Invalid, Refused, Forbidden, Conflict)
"""What somebody can do something about in the form itself. A thing that is not there is a page that is not there."""


def _home(part: str) -> Response:
    return RedirectResponse(f"/account#{part}", 303)


@router.get("")
def account(request: Request, who: Who, session: ReadSession, settings: SettingsDep, now: Now) -> Response:
    return _page(request, session, settings, who, now)


def _page(request: Request, session: Session, settings: Settings, who: Person, now: datetime, **more: Any) -> Response:
    """`more`: `part` and `problem` for a form that was refused, `typed` for what stood in it, and `status`."""
    here = f"{request.url.scheme}://{request.url.netloc}"
    context: dict[str, Any] = {
        "member": profiles.of(session, who),
        "passkeys": passkeys.standing(session, who.member_id),
        "elsewhere": "" if here == passkeys.origin(settings) else f"{passkeys.origin(settings)}/account",
        "codes": people.has_codes(session, who.member_id),
        "recovery_left": one_time_codes.recovery_left(session, who.member_id),
        "devices": devices.listing(session, who, now),
        "providers": oidc.standing(session, who.organization_id),
        "linked": oidc.linked(session, who.member_id),
    }
    return page(request, "account.html", **{"part": "", "problem": "", "typed": None, **context, **more})


@dataclass(frozen=True)
class _Desk:
    """A form of the page is done, or it comes back with what was wrong beside it and what was typed."""

    request: Request
    who: Who
    settings: SettingsDep
    now: Now

    def do(self, part: str, work: Callable[[Session], object], typed: object = None) -> Response:
        try:
            with write_scope(self.settings) as session:
                work(session)
        except SIDE_BY_SIDE as error:
            return self.back(part, error, typed)
        return _home(part)

    def back(self, part: str, error: SchedulerError, typed: object = None) -> Response:
        said = {"part": part, "problem": error.message, "typed": typed, "status": status_of(error)}
        with read_scope(self.settings) as session:
            return _page(self.request, session, self.settings, self.who, self.now, **said)


Desk = Annotated[_Desk, Depends()]


@router.post("/profile")
def change_profile(form: Annotated[ProfileForm, Form()], who: Who, now: Now, desk: Desk) -> Response:
    new = profiles.Profile(form.name, form.language, form.zone, form.quiet_from, form.quiet_to, form.keys == "on")
    return desk.do("profile", lambda session: profiles.change(session, who, new, now), new)


@router.post("/passkeys/options")
def passkey_options(who: Who, session: WriteSession, settings: SettingsDep, now: Now) -> Response:
    return Response(passkeys.enrol_options(session, settings, who, now), media_type="application/json")


@router.post("/passkeys")
def enrol(form: Annotated[NewPasskey, Form()], who: Who, settings: SettingsDep, now: Now, desk: Desk) -> Response:
    return desk.do(
        "passkeys", lambda session: passkeys.enrol(session, settings, who, form.assertion, form.name, now), form
    )


@router.post("/passkeys/{passkey_id}/name")
def rename(passkey_id: str, form: Annotated[Rename, Form()], who: Who, now: Now, desk: Desk) -> Response:
    return desk.do("passkeys", lambda session: passkeys.rename(session, who, passkey_id, form.name, now))


@router.post("/passkeys/{passkey_id}/revocation")
def revoke(passkey_id: str, form: Annotated[Signed, Form()], who: Who, now: Now, desk: Desk) -> Response:
    return desk.do("passkeys", lambda session: passkeys.revoke(session, who, passkey_id, now))


@router.post("/codes")
def begin_codes(form: Annotated[Signed, Form()], who: Who, settings: SettingsDep, now: Now, desk: Desk) -> Response:
    try:
        with write_scope(settings) as session:
            one_time_codes.begin(session, settings, who, now)
    except SIDE_BY_SIDE as error:
        return desk.back("codes", error)
    return RedirectResponse("/account/codes", 303)


@router.get("/codes")
def codes_page(request: Request, who: Who, session: ReadSession, settings: SettingsDep) -> Response:
    secret = one_time_codes.waiting(session, settings, who)
    return page(request, "account_codes.html", secret=secret, words=(), problem="")


@router.get("/codes/picture.svg")
def picture(who: Who, session: ReadSession, settings: SettingsDep) -> Response:
    return Response(one_time_codes.picture(session, settings, who), media_type="image/svg+xml")


@router.post("/codes/confirmation")
def confirm_codes(
    request: Request,
    form: Annotated[Confirm, Form()],
    who: Who,
    settings: SettingsDep,
    now: Now,
    _: SignInTry,
) -> Response:
    try:
        with write_scope(settings) as session:
            words = one_time_codes.confirm(session, settings, who, form.code, now)
    except SIDE_BY_SIDE as error:
        with read_scope(settings) as session:
            secret = one_time_codes.waiting(session, settings, who)
        said = {"secret": secret, "words": (), "problem": error.message}
        return page(request, "account_codes.html", status=status_of(error), **said)
    return page(request, "account_codes.html", secret="", words=words, problem="")


@router.post("/codes/off")
def codes_off(form: Annotated[Signed, Form()], who: Who, now: Now, desk: Desk) -> Response:
    return desk.do("codes", lambda session: one_time_codes.turn_off(session, who, now))


@router.post("/devices/others")
def sign_out_others(form: Annotated[Signed, Form()], who: Who, session: WriteSession, now: Now) -> Response:
    devices.revoke_others(session, who, now)
    return _home("devices")


@router.post("/devices/{session_id}/revocation")
def sign_out_one(
    session_id: str, form: Annotated[Signed, Form()], who: Who, session: WriteSession, now: Now
) -> Response:
    devices.revoke(session, who, session_id, now)
    return _home("devices")


@router.post("/password")
def change_password(
    form: Annotated[ChangePassword, Form()], who: Who, settings: SettingsDep, now: Now, desk: Desk, _: SignInTry
) -> Response:
    """Hashing holds no transaction. What was typed does not come back: it is a secret."""
    with read_scope(settings) as session:
        present = profiles.password(session, who)
    checked = present if present and form.password else None
    try:
        if checked:
            people.check_password(checked, form.password)
        hashed = people.hash_password(form.new_password)
    except SIDE_BY_SIDE as error:
        return desk.back("password", error)
    return desk.do("password", lambda session: profiles.set_password(session, who, hashed, checked, now))


@router.post("/password/off")
def password_off(form: Annotated[Signed, Form()], who: Who, now: Now, desk: Desk) -> Response:
    return desk.do("password", lambda session: profiles.drop_password(session, who, now))
