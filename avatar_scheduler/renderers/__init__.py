"""Our own renderer (`builtin`, a process) and one file a vendor. One exists when rules/renderers.toml prices it."""

import importlib
from collections.abc import Collection, Mapping
from types import MappingProxyType

from avatar_scheduler.renderers.contract import Renderer
from avatar_scheduler.rules.renderers import vendor


def renderer(name: str, private_hosts: Mapping[str, Collection[str]] = MappingProxyType({})) -> Renderer:
    """Raises Invalid for a name nobody here knows."""
    from avatar_scheduler.outbound import Outbound  # a client no web or clock process needs

    vendor(name)
    module = importlib.import_module(f"{__name__}.{name}")
    made: Renderer = module.make(Outbound(private_hosts=private_hosts))
    return made
