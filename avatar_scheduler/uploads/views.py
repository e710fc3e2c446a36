"""A file somebody asks about: opened as what it is, shown to a reader as pixels, and never written anew."""

import importlib
from collections.abc import Mapping
from typing import Any, Protocol

from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import Image

from avatar_scheduler.uploads import clips, pictures, streams
from avatar_scheduler.uploads.handed import Files, Task

PICTURES = ("JPEG", "PNG", "WEBP")
LONGEST = 600
"""Seconds of film."""


class Reader(Protocol):
    def film(self, container: InputContainer, stream: VideoStream, files: Files) -> dict[str, Any]: ...
    def picture(self, image: Image.Image, files: Files) -> dict[str, Any]: ...
    def pixels(self, files: Files) -> dict[str, Any]:
        """Of a source that is no file of anybody's but what `film` or `picture` wrote."""


def prepare(options: Mapping[str, Any]) -> Task:
    """`reader` is named, not imported: what is looked for is for the services to say."""
    streams.load()
    pictures.prepare(options)
    module, _, name = str(options["reader"]).partition(":")
    reader: Reader = getattr(importlib.import_module(module), name)(options)

    def view(files: Files, options: Mapping[str, Any], _tell: object) -> dict[str, Any]:
        opener = options["opener"]
        if not opener:
            return reader.pixels(files)
        if opener in PICTURES:
            return reader.picture(pictures.opened(files.source, opener), files)
        with streams.opened(files.source, opener) as container:
            streams.check(container, LONGEST)
            return reader.film(container, clips.film(container), files)

    return view
