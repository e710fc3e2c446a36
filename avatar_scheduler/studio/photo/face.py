"""A face in numbers: where its parts are, and whether a portrait can be used at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.photo.warp import Points

# Numbers of the face mesh; left and right as the viewer sees them.
UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
CORNERS = (61, 291)
NOSE, NOSE_BASE, FOREHEAD, CHIN = 1, 2, 10, 152
CHEEKS = (234, 454)
EYES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
"""Upper lid and lower lid of each eye."""
BROWS = (
    ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55)),
    ((336, 296, 334, 293, 300), (285, 295, 282, 283, 276)),
)
"""Upper and lower edge of each brow."""

_SMALLEST_SHARE = 0.25
_SMALLEST_PIXELS = 160
_TURNED = 0.12
_NODDED = (0.46, 0.68)
_LEANING = 12
_OPEN = 0.08
_GRIN = 0.125
_WIDE = 0.64
_SHUT = 0.14
_ASK = "Ask for a neutral face with the mouth closed, looking straight at the camera."


@dataclass(frozen=True)
class Face:
    points: Points
    """x and y of each landmark, in pixels."""

    @property
    def mouth_width(self) -> float:
        return float(np.linalg.norm(self.points[308] - self.points[78]))

    @property
    def width(self) -> float:
        return float(self.points[CHEEKS[1], 0] - self.points[CHEEKS[0], 0])

    @property
    def height(self) -> float:
        return float(self.points[CHIN, 1] - self.points[FOREHEAD, 1])

    def line(self, numbers: Sequence[int]) -> Points:
        return self.points[list(numbers)]


def judge(faces: list[list[list[float]]], width: int) -> Face:
    """The one face of a portrait. Raises Invalid with what to ask the creator for."""
    if not faces:
        raise Invalid(f"No face was found in the picture. {_ASK}", code="photo_no_face")
    if len(faces) > 1:
        raise Invalid(f"{len(faces)} faces were found. Use a picture of one person alone.", code="photo_faces")
    face = Face(np.array(faces[0], float)[:, :2])
    if face.width < _SMALLEST_SHARE * width or face.width < _SMALLEST_PIXELS:
        share = max(0, round(100 * face.width / width))
        raise Invalid(
            f"The face is too small: {share} % of the picture's width, {max(0, round(face.width))} pixels. "
            f"Use a nearer picture: at least 25 % and {_SMALLEST_PIXELS} pixels.",
            code="photo_small",
        )
    _check_pose(face)
    _check_calm(face)
    return face


def _check_pose(face: Face) -> None:
    left, right = face.points[CHEEKS[0]], face.points[CHEEKS[1]]
    turned = (face.points[NOSE, 0] - left[0]) / (right[0] - left[0]) - 0.5
    nodded = (face.points[NOSE, 1] - face.points[FOREHEAD, 1]) / face.height
    if abs(turned) > _TURNED or not _NODDED[0] < nodded < _NODDED[1]:
        raise Invalid(f"The face is turned away. {_ASK}", code="photo_turned")
    across = face.points[263] - face.points[33]
    if abs(np.degrees(np.arctan2(across[1], across[0]))) > _LEANING:
        raise Invalid("The head leans to one side. Turn the picture until the eyes are level.", code="photo_leaning")


def _check_calm(face: Face) -> None:
    gap = np.linalg.norm(face.points[14] - face.points[13]) / face.mouth_width
    if gap > _OPEN:
        raise Invalid(f"The mouth is open. {_ASK}", code="photo_mouth_open")
    left, right = face.line(CORNERS)
    lift = (face.points[13, 1] + face.points[14, 1] - left[1] - right[1]) / 2 / (right[0] - left[0])
    wide = (right[0] - left[0]) / np.linalg.norm(face.points[263] - face.points[33])
    if lift > _GRIN or wide > _WIDE:
        raise Invalid(f"The face smiles: its lips could not close on a P. {_ASK}", code="photo_smile")
    for upper, lower in EYES:
        lids = np.linalg.norm(face.points[upper[4]] - face.points[lower[4]])
        if lids < _SHUT * np.linalg.norm(face.points[upper[0]] - face.points[upper[-1]]):
            raise Invalid(f"An eye is closed. {_ASK}", code="photo_eyes")
