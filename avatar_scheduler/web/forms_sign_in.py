"""Forms of signing in and of one's own page."""

from typing import Annotated, Literal

from pydantic import Field

from avatar_scheduler.services.passkeys import MAX_ANSWER
from avatar_scheduler.web.forms import Signed, Strict

Answer = Annotated[str, Field(max_length=MAX_ANSWER)]
"""What an authenticator said, as JSON; empty where no script ran."""
Code = Annotated[str, Field(max_length=40)]
Secret = Annotated[str, Field(max_length=1024)]
Clock = Annotated[str, Field(max_length=5)]


class PasskeySignIn(Strict):
    assertion: Answer = ""
    next: str = Field(default="", max_length=512)


class AskLink(Strict):
    email: str = Field(max_length=254)


class RedeemLink(Strict):
    code: Code = ""


class TypeCode(Strict):
    code: Code


class Leave(Signed):
    """For the provider; signed when somebody links it to who they are already."""

    next: str = Field(default="", max_length=512)


class NewPasskey(Signed):
    assertion: Answer = ""
    name: str = Field(default="", max_length=200)


class Rename(Signed):
    name: str = Field(max_length=200)


class Confirm(Signed):
    code: Code


class ChangePassword(Signed):
    password: Secret = ""
    new_password: Secret


class ProfileForm(Signed):
    name: str = Field(max_length=200)
    language: Literal["en", "fr"]
    zone: str = Field(default="", max_length=64)
    quiet_from: Clock = ""
    quiet_to: Clock = ""
    keys: Literal["", "on"] = ""
