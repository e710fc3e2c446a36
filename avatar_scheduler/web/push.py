"""What makes the pages an application on the phone, and its notices."""

from fastapi import APIRouter

router = APIRouter()
