"""Random numbers that come from the job's seed alone, one independent stream per purpose."""

import hashlib

import numpy as np


def stream(seed: str, purpose: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
