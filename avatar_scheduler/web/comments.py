"""What people say about a post before it goes out."""

from fastapi import APIRouter

router = APIRouter()
