"""A creator's first minutes: consent, one right at a time, and one practice card."""

from fastapi import APIRouter

router = APIRouter()
