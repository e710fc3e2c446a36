"""Files by hash, for signed-in people. Nothing in the URL is ever part of a path on disk."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse

from avatar_scheduler.services import media
from avatar_scheduler.services.media import MediaFile
from avatar_scheduler.web.deps import ReadSession, SettingsDep, Who

router = APIRouter()

Sha256Path = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
SHOWN = {"video/mp4": "mp4", "image/jpeg": "jpg", "image/png": "png", "audio/flac": "flac", "text/vtt": "vtt"}
"""Types a browser may show in place. Anything else is a download and nothing more."""


def serve(file: MediaFile, sha256: str, *, cache: str) -> FileResponse:
    shown = file.mime in SHOWN
    return FileResponse(
        file.path,
        media_type=file.mime if shown else "application/octet-stream",
        filename=f"{sha256[:16]}.{SHOWN.get(file.mime, 'bin')}",
        content_disposition_type="inline" if shown else "attachment",
        headers={
            "Cache-Control": cache,
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "ETag": f'"{sha256}"',
        },
    )


@router.api_route("/media/{sha256}", methods=["GET", "HEAD"])
def one(sha256: Sha256Path, session: ReadSession, settings: SettingsDep, who: Who) -> FileResponse:
    # A hash never changes its bytes, but who may see them can change: keep it, ask each time.
    return serve(media.blob(session, settings, who, sha256), sha256, cache="private, no-cache")
