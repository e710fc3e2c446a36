"""Holds: stop everything that has not left."""

from fastapi import APIRouter

router = APIRouter()
