"""One person's own page: passkeys, one-time codes, devices, languages, quiet hours, ways to be told."""

from fastapi import APIRouter

router = APIRouter()
