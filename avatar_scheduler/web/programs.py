"""JSON for programs and agents with a key: drafts and holds, never a decision."""

from fastapi import APIRouter

router = APIRouter()
