"""Members, invitations, delegates and programs with keys."""

from fastapi import APIRouter

router = APIRouter()
