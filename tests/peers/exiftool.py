"""ExifTool, the reader everybody has: it says what others will find in our files."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.peers import pds

INSTALL = "On Debian as root: apt-get update && apt-get install perl"


def read(media: Path, *names: str) -> dict[str, str]:
    """Group and name to value, such as "XMP-iptcExt:DigitalSourceType"."""
    perl = shutil.which("perl")
    assert perl, INSTALL
    program = pds.ensure_installed() / "exiftool-vendored.pl" / "bin" / "exiftool"
    command = [perl, str(program), "-json", "-G1", *(f"-{name}" for name in names), str(media)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    (found,) = json.loads(done.stdout)
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}
