"""One person's own page: passkeys, one-time codes, devices, languages, quiet hours, ways to be told."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.services import devices, oidc, one_time_codes, passkeys, people, profiles
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.forms_sign_in import ChangePassword, Confirm, NewPasskey, ProfileForm, Rename
from avatar_scheduler.web.templating import page
from avatar_scheduler.web.throttle import SignInTry

router = APIRouter(prefix="/account")


def _home(part: str) -> Response:
    return RedirectResponse(f"/account#{part}", 303)


@router.get("")
def account(request: Request, who: Who, session: ReadSession, settings: SettingsDep, now: Now) -> Response:
    here = f"{request.url.scheme}://{request.url.netloc}"
    return page(
        request,
        "account.html",
        member=profiles.of(session, who),
        passkeys=passkeys.standing(session, who.member_id),
        elsewhere="" if here == passkeys.origin(settings) else f"{passkeys.origin(settings)}/account",
        codes=people.has_codes(session, who.member_id),
        recovery_left=one_time_codes.recovery_left(session, who.member_id),
        devices=devices.listing(session, who, now),
        providers=oidc.standing(session, who.organization_id),
        linked=oidc.linked(session, who.member_id),
    )


@router.post("/profile")
def change_profile(form: Annotated[ProfileForm, Form()], who: Who, session: WriteSession, now: Now) -> Response:
    new = profiles.Profile(form.name, form.language, form.zone, form.quiet_from, form.quiet_to, form.keys == "on")
    profiles.change(session, who, new, now)
    return _home("profile")


@router.post("/passkeys/options")
def passkey_options(who: Who, session: WriteSession, settings: SettingsDep, now: Now) -> Response:
    return Response(passkeys.enrol_options(session, settings, who, now), media_type="application/json")


@router.post("/passkeys")
def enrol(
    form: Annotated[NewPasskey, Form()], who: Who, session: WriteSession, settings: SettingsDep, now: Now
) -> Response:
    passkeys.enrol(session, settings, who, form.assertion, form.name, now)
    return _home("passkeys")


@router.post("/passkeys/{passkey_id}/name")
def rename(passkey_id: str, form: Annotated[Rename, Form()], who: Who, session: WriteSession, now: Now) -> Response:
    passkeys.rename(session, who, passkey_id, form.name, now)
    return _home("passkeys")


@router.post("/passkeys/{passkey_id}/revocation")
def revoke(passkey_id: str, form: Annotated[Signed, Form()], who: Who, session: WriteSession, now: Now) -> Response:
    passkeys.revoke(session, who, passkey_id, now)
    return _home("passkeys")


@router.post("/codes")
def begin_codes(
    form: Annotated[Signed, Form()], who: Who, session: WriteSession, settings: SettingsDep, now: Now
) -> Response:
    one_time_codes.begin(session, settings, who, now)
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
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
    _: SignInTry,
) -> Response:
    words = one_time_codes.confirm(session, settings, who, form.code, now)
    return page(request, "account_codes.html", secret="", words=words, problem="")


@router.post("/codes/off")
def codes_off(form: Annotated[Signed, Form()], who: Who, session: WriteSession, now: Now) -> Response:
    one_time_codes.turn_off(session, who, now)
    return _home("codes")


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
    form: Annotated[ChangePassword, Form()], who: Who, settings: SettingsDep, now: Now, _: SignInTry
) -> Response:
    """Hashing holds no transaction."""
    with read_scope(settings) as session:
        present = profiles.password(session, who)
    checked = present if present and form.password else None
    if checked:
        people.check_password(checked, form.password)
    hashed = people.hash_password(form.new_password)
    with write_scope(settings) as session:
        profiles.set_password(session, who, hashed, checked, now)
    return _home("password")


@router.post("/password/off")
def password_off(form: Annotated[Signed, Form()], who: Who, session: WriteSession, now: Now) -> Response:
    profiles.drop_password(session, who, now)
    return _home("password")
