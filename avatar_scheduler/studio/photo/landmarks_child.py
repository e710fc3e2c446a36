"""Runs by itself inside the photo environment: pixels in, landmarks and a cut-out out. Imports nothing of this project.

    python landmarks_child.py PIXELS.npy FACES.json CUTOUT.npy

PIXELS is RGB, FACES a list of faces with x, y and depth in pixels for each landmark, CUTOUT the share of person in
each pixel, 0 to 255. The models lie inside the mediapipe wheel; nothing is fetched. Its wheel also asks for packages
this graph never calls, some of them huge: empty stand-ins are enough.
"""

import json
import resource
import sys
import types
import warnings

CPU_SECONDS = 60
MEMORY_BYTES = 6 << 30
"""Of addresses, not of memory used: the runtime reserves far more than the 0.4 GB it touches."""
UNUSED = ("jax", "jax.numpy", "sounddevice", "cv2", "matplotlib", "matplotlib.pyplot")


class StandIn(types.ModuleType):
    def __getattr__(self, name: str) -> "StandIn":
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(name)


def main(pixels: str, faces: str, cutout: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    for name in UNUSED:
        sys.modules[name] = StandIn(name)
    import numpy as np
    from mediapipe.python.solutions.face_mesh import FaceMesh
    from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

    picture = np.load(pixels, allow_pickle=False)
    height, width = picture.shape[:2]
    with FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=3) as mesh:
        found = mesh.process(picture).multi_face_landmarks or []
    with SelfieSegmentation(model_selection=0) as segmentation:
        mask = segmentation.process(picture).segmentation_mask
    np.save(cutout, (mask.clip(0, 1) * 255).astype(np.uint8))
    points = [[(p.x * width, p.y * height, p.z * width) for p in face.landmark] for face in found]
    with open(faces, "w", encoding="utf-8") as file:  # noqa: PTH123 -- the standard library alone, no more than needed
        json.dump(points, file)


if __name__ == "__main__":
    main(*sys.argv[1:4])
