"""What changed meanwhile, as server-sent events."""

from fastapi import APIRouter

router = APIRouter()
