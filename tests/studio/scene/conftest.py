import pytest
from PIL import Image

from avatar_scheduler.studio.job import Material
from tests.studio.scene.material import TONE, clip


@pytest.fixture(scope="session")
def materials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Material]:
    folder = tmp_path_factory.mktemp("materials")
    Image.new("RGB", (300, 200), (200, 30, 30)).save(folder / "cake.png")
    return {
        "cake": Material("image", folder / "cake.png"),
        "sea": Material("clip", clip(folder / "sea.mp4", (240, 426), seconds=1, fps=24)),
        "person": Material("clip", clip(folder / "person.mp4", seconds=1, tone=TONE)),
    }
