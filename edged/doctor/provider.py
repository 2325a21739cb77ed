"""The provider: a session is opened, configured and closed, which costs nothing."""

import asyncio

from .. import parts
from . import _credential
from ._finding import Finding, fail, ok, warn
from ._round import ONLINE
from ._visit import Visit

ORDER = 45
NEEDS = ("key", "network", ONLINE)

_FIXES = {
    "key": "make a new key where the provider lists yours, then: sudo edged setup",
    "credit": "buy credit, or raise the limit, where the provider bills you",
    "network": "edged doctor network",
    "clock": "sudo timedatectl set-ntp true",
    "provider": "try again in a while; if it names the model, correct `model` in [session]",
}


def look(visit: Visit) -> Finding:
    """No sound is sent and no answer asked for: providers charge for those."""
    key = _credential.find(visit).text
    try:
        hello = asyncio.run(parts.greet(visit.settings, key))
    except parts.PartTrouble as trouble:
        return fail(str(trouble), trouble.hint)
    if hello.trouble:
        return fail(f"{hello.trouble}: {hello.detail}", _FIXES.get(hello.trouble, "edged doctor"))
    model = visit.settings.session.model
    if hello.limited:
        seen = f"{model} answers, but takes only the least of the configuration: {hello.limited}"
        return warn(seen, "change in [session] what it names, or choose another `driver`")
    return ok(f"{model} answers, and takes the configuration, after {hello.seconds:.1f} s")
