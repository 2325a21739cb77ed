"""The provider's key: where it is, its form, and who else can read it."""

import re

from .. import key as keys
from . import _credential
from ._finding import Finding, fail, ok, skipped, warn
from ._visit import Visit

ORDER = 30
NEEDS = ("config",)

_OPENAI = "api.openai.com"
_BEGINNINGS = ("sk-", "ek_")
"""How OpenAI's keys begin; those of others do as they like."""
_SHORTEST = 20
_PLACEHOLDER = re.compile(r"(sk-|ek_)?(proj-)?(\.\.\.|x+$|your|<|\$)", re.IGNORECASE)


def look(visit: Visit) -> Finding:
    """Nothing of the key is shown but its length."""
    try:
        found = _credential.find(visit)
    except PermissionError:
        return skipped("only root may see the service's key", "sudo edged doctor")
    except keys.NoKey as missing:
        return fail(str(missing), missing.fix or _setup(visit))
    url = visit.provider_url()
    doubt = _doubt(found.text, url)
    if doubt:
        return fail(f"the key in the {found.source} {doubt}", _setup(visit))
    if found.warning:
        return warn(f"the key comes from the {found.source}: {found.warning}", _setup(visit))
    if exposed := _credential.exposed(visit):
        return warn(*exposed)
    what = "a client secret of " if keys.passing(found.text) else ""
    return ok(f"{what}{len(found.text)} characters, from the {found.source}")


def _setup(visit: Visit) -> str:
    return "sudo edged setup" if visit.file is None else f"edged setup --config {visit.file}"


def _doubt(text: str, url: str) -> str:
    """Why this can be no key; "" where it may be one."""
    if _PLACEHOLDER.match(text):
        return "is still a placeholder"
    if text[0] in "'\"":
        return "stands in quotation marks, which belong to no key"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "holds characters that no key has"
    if _OPENAI not in url:
        return ""
    if not text.startswith(_BEGINNINGS):
        return f"does not begin with {' or '.join(_BEGINNINGS)}, as OpenAI's keys do"
    return f"is only {len(text)} characters long: it is cut off" if len(text) < _SHORTEST else ""
