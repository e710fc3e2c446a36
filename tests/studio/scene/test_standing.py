import pytest

from avatar_scheduler.domain.staging import FORMATS, PLACES
from avatar_scheduler.marks import label
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.avatar.motion import POSES, pose
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.caption_art import place as place_captions
from avatar_scheduler.studio.job import PACKS, Overlay, avatars
from avatar_scheduler.studio.scene.standing import is_tall, stand


@pytest.mark.parametrize("name", avatars())
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("place", PLACES)
def test_label_and_captions_leave_the_face_alone(name: str, form: str, place: str) -> None:
    """From the brows to the chin, in every pose, nothing lies over it and nothing of it is cut off."""
    size = FORMATS[form]
    of = pack.load(PACKS / name)
    figure = Figure(of, *size, place)
    art = label.draw("AI", "Avatar of Maya", size)
    plate = Box(art.x, art.y, art.width, art.height)
    words = place_captions(*size, Overlay(art.rgba, art.width, art.height, art.x, art.y))
    for step in range(POSES):
        at = pose(of.motion, figure.scale, step)
        face = figure.box("brows", at).around(figure.box("mouth", at))
        assert not face.meets(plate)
        assert not face.meets(words)
        assert face.x > 0
        assert face.right < size[0]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("place", ["full", "left", "right"])
def test_the_body_reaches_the_lower_edge(form: str, place: str) -> None:
    of = pack.load(PACKS / "maya")
    standing = stand(of, FORMATS[form], place)
    assert standing.top + of.height * standing.scale >= FORMATS[form][1] - 1e-6


@pytest.mark.parametrize("form", FORMATS)
def test_sides_are_mirrored_and_clear_of_the_middle_where_there_is_room(form: str) -> None:
    of, width = pack.load(PACKS / "maya"), FORMATS[form][0]
    left, right = (stand(of, FORMATS[form], side) for side in ("left", "right"))
    middle = of.width * left.scale / 2
    assert left.left + middle + right.left + middle == pytest.approx(width)
    assert left.left + middle < width * 0.4


def test_the_frame_a_pack_is_drawn_for_is_filled_as_it_says() -> None:
    of = pack.load(PACKS / "maya")
    standing = stand(of, (1080, 1920))
    assert (standing.scale, standing.left, standing.top) == (1.2, -108, 300)
    assert is_tall((1080, 1920))
    assert not is_tall((1080, 1350))


@pytest.mark.parametrize("form", FORMATS)
def test_the_circle_lies_inside_and_holds_the_head(form: str) -> None:
    of, size = pack.load(PACKS / "maya"), FORMATS[form]
    standing = stand(of, size, "circle")
    assert standing.circle is not None
    circle, head = standing.circle, of.boxes["head"]
    assert circle.x + circle.radius + circle.ring < size[0]
    assert circle.y + circle.radius + circle.ring < size[1]
    assert standing.top + head.y * standing.scale > circle.y - circle.radius
    assert standing.top + head.bottom * standing.scale < circle.y + circle.radius
