"""Who must say yes, for each creator and kind."""

from fastapi import APIRouter

router = APIRouter()
