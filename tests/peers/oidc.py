"""A real OpenID provider (npm `oidc-provider`, certified) on loopback, and a browser that signs in there."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.peers.pds import HERE, NODE, ensure_installed, free_ports, ready

CLIENT, SECRET = "avatar-scheduler", "a secret with spaces: and colons"


@dataclass(frozen=True)
class Provider:
    issuer: str

    def sign_in(self, url: str, sub: str, email: str, *, verified: bool = True, name: str = "Noa") -> str:
        """Goes where the app sent the browser, signs in; the address the provider sends it back to."""
        account = json.dumps({"sub": sub, "email": email, "email_verified": verified, "name": name})
        with httpx.Client(headers={"x-account": account}, timeout=30, trust_env=False) as browser:
            while url.startswith(self.issuer):
                answer = browser.get(url)
                assert answer.is_redirect, answer.text[:500]
                url = str(httpx.URL(url).join(answer.headers["location"]))
        return url


@contextmanager
def running(back: str) -> Iterator[Provider]:
    """`back` is the one address it sends browsers back to."""
    ensure_installed()
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as errors:
        command = [str(NODE), str(HERE / "oidc.mjs"), str(free_ports(1)[0]), CLIENT, SECRET, back]
        process = subprocess.Popen(command, cwd=HERE, env=dict(os.environ), stdout=subprocess.PIPE, stderr=errors)
        try:
            yield Provider(ready(process, errors.name))
            assert process.poll() is None, Path(errors.name).read_text()[-2000:]
        finally:
            process.terminate()
            process.communicate(timeout=30)
