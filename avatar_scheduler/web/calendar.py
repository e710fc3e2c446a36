"""When what goes out, and moving it by mouse, keys or a plain form."""

from fastapi import APIRouter

router = APIRouter()
