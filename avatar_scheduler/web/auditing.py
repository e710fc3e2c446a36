"""The log, for people: reading, checking and taking it along."""

from fastapi import APIRouter

router = APIRouter()
