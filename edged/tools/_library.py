"""A large library, read in while all else goes on: a small board needs ten seconds for it."""

import asyncio
import contextlib
import importlib
import sys
from threading import Thread
from types import ModuleType

from ..handoff import Handoff


async def loaded(name: str) -> ModuleType:
    """The file `name` of this folder, with all that it imports; raises ImportError.

    Whoever is cancelled meanwhile does not wait, and neither does the end of the process.
    """
    module = f"{__package__}.{name}"
    if module in sys.modules:
        return importlib.import_module(module)
    found: asyncio.Future[ModuleType | ImportError] = asyncio.get_running_loop().create_future()
    with contextlib.closing(Handoff(found.set_result)) as handoff:

        def load() -> None:
            try:
                handoff.put(importlib.import_module(module))
            except ImportError as missing:
                handoff.put(missing)

        Thread(target=load, name="library", daemon=True).start()
        result = await found
    if isinstance(result, ImportError):
        raise result
    return result
