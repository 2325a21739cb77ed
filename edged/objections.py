"""What is right by itself and wrong together: mistakes across the sections of a configuration."""

import json
from collections.abc import Collection, Mapping

from . import config, door, home, key
from .address import Address
from .core.gestures import EXCLUSIVE, Action, Bindings
from .core.settings import Volume
from .sections import Tools
from .settings import Chosen, Settings


def raised(reader: config.Reader, settings: Settings) -> None:
    """Tell the reader of every such mistake, each with what to do about it."""
    _objected(reader, settings)
    _undecided(reader, settings.actions)
    _idle(reader, settings)
    _crossed(reader, settings)
    _nowhere(reader, settings.provider, settings.link)
    _homeless(reader, settings)
    _unheard(reader, settings)
    _too_soft(reader, settings.volume)
    _impatient(reader, settings)
    _unpriced(reader, settings)
    _flawed(reader, settings.extras, settings.key)


def _objected(reader: config.Reader, settings: Settings) -> None:
    """What this provider cannot be asked for is a mistake before the provider says so."""
    _untold(reader, settings)
    chosen, warm = settings.provider, settings.conversation.warm
    if chosen.settings is None:
        return
    objections = getattr(chosen.module, "objections", None)
    if objections is not None:
        for address, message in objections(settings.session, chosen.settings).items():
            reader.mistake(address, message)
    dialect = chosen.module.open(settings.session, chosen.settings)
    if warm != "never" and dialect.abilities.bills_minutes:
        costs = f"{chosen.name} bills by the minute, spoken or not: a session in advance would cost"
        reader.mistake(("conversation", "warm"), f'{costs}; "never" is expected')
    for place, remote in enumerate(settings.extras.remote):
        if remote.require_approval == "button":
            address = ("tools", "remote", place, "require_approval")
            if not dialect.abilities.asks_leave:
                message = f"{chosen.name} asks nobody before it calls a tool"
                reader.mistake(address, f'{message}; "never" is expected, or no such server')
            elif not any(bound.talks for bound in settings.actions.values()):
                reader.mistake(address, 'no button can be pressed for it: give one press = "talk"')


def _undecided(reader: config.Reader, actions: Mapping[str, Bindings]) -> None:
    """A long press gives way to a hold where it is the default, not where somebody wrote it."""
    for name, bound in actions.items():
        address = ("buttons", "actions", name, "long")
        if bound.long is not bound.long_press and reader.has(*address):
            reader.mistake(address, EXCLUSIVE)


def _idle(reader: config.Reader, settings: Settings) -> None:
    """A button that nobody gave an action would do nothing, and look broken."""
    for chosen in settings.buttons:
        names = getattr(chosen.settings, "names", tuple)
        for name in names():
            if name not in settings.actions:
                message = f'"{name}" does nothing: give it a table [buttons.actions.{name}]'
                reader.mistake(("buttons", chosen.name), message)


def _untold(reader: config.Reader, settings: Settings) -> None:
    """Where the server hears no ends of turns, a button has to tell them."""
    chosen = settings.provider
    if getattr(chosen.settings, "detects_turns", True):
        return
    hears = "the server hears nobody finish (detects_turns)"
    if not any(bound.hold is Action.PUSH_TO_TALK for bound in settings.actions.values()):
        message = f'{hears}: give a button hold = "push_to_talk"'
        reader.mistake(("provider", chosen.name, "detects_turns"), message)
    if settings.wake.name != "button":
        message = f'{hears}, which a wake word would need: "button" is expected'
        reader.mistake(("wake", "driver"), message)


def _crossed(reader: config.Reader, settings: Settings) -> None:
    """No pin serves a light and a button."""
    users: dict[int, str] = {}
    for section, drivers in (("lights", settings.lights), ("buttons", settings.buttons)):
        for chosen in drivers:
            for use, pin in getattr(chosen.settings, "uses", tuple)():
                here = f"{section}.{chosen.name}.{use}"
                other = users.setdefault(pin, here)
                if other != here:
                    message = f"is on GPIO {pin}, and so is {other}: give each a pin of its own"
                    reader.mistake(tuple(here.split(".")), message)


def _unheard(reader: config.Reader, settings: Settings) -> None:
    """A stop word that no model listens for would never stop anything."""
    known: Collection[str] = getattr(settings.wake.settings, "words", ())
    for place, word in enumerate(settings.conversation.stop_words):
        if word not in known:
            engine = settings.wake.name
            there = ", ".join(known) or "none"
            message = f'"{word}" is no word that {engine} listens for; there are: {there}'
            if known:
                message += f"; give it a table [wake.{engine}.words.{word}]"
            reader.mistake(("conversation", "stop_words", place), message)


def _too_soft(reader: config.Reader, volume: Volume) -> None:
    """The first turn of the knob to the left must not make it louder."""
    if volume.db < volume.lowest_db:
        at = "db" if reader.has("volume", "db") else "lowest_db"
        message = f"db {volume.db:g} is below lowest_db {volume.lowest_db:g}: set one of the two"
        reader.mistake(("volume", at), message)


def _impatient(reader: config.Reader, settings: Settings) -> None:
    """A speaker whose line takes longer to close than it waits for would end, and start anew."""
    link, ours = settings.link.name, settings.conversation.close_timeout_s
    theirs = getattr(settings.link.settings, "close_timeout_s", 0.0)
    if theirs <= ours:
        return
    at: tuple[str, ...] = ("link", link, "close_timeout_s")
    if reader.has(*at):
        what = f"{theirs:g} is more than the {ours:g} of [conversation]"
        what += ", after which a line that does not close is given up"
    else:
        at = ("conversation", "close_timeout_s")
        what = f"{ours:g} is less than the {theirs:g} of [link.{link}]"
        what += ", which a line may take to close"
    reader.mistake(at, f"{what}: set one of the two")


def _unpriced(reader: config.Reader, settings: Settings) -> None:
    """A limit holds only for what has a price."""
    prices, session = settings.prices, settings.session
    for name, price in prices.models.items():
        if price.same_as and prices.of(name) is None:
            where = ("prices", "models", name, "same_as")
            reader.mistake(where, f'"{price.same_as}" has no prices of its own')
    if not settings.budget.day_usd and not settings.budget.month_usd:
        return
    for use in ("model", "transcription"):
        name = getattr(session, use)
        if name and prices.of(name) is None:
            table = f"[prices.models.{json.dumps(name, ensure_ascii=False)}]"
            message = f"{name} has no price, so that no limit holds: give it a table {table}"
            reader.mistake(("session", use), f"{message}, an empty one if it costs nothing")
    _billed_otherwise(reader, settings)


def _billed_otherwise(reader: config.Reader, settings: Settings) -> None:
    """A price for minutes says nothing where tokens are billed, nor the other way round."""
    chosen, model = settings.provider, settings.session.model
    price = settings.prices.of(model)
    if price is None or chosen.settings is None:
        return
    dialect = chosen.module.open(settings.session, chosen.settings)
    minutes = dialect.abilities.bills_minutes
    if not price.fits(minutes=minutes):
        table = f"[prices.models.{json.dumps(model, ensure_ascii=False)}]"
        how = f"{chosen.name} bills by the {'minute' if minutes else 'token'}"
        message = f"{how}, for which {model} has no price, so that no limit holds"
        reader.mistake(("session", "model"), f"{message}: mend its table {table}")


def _flawed(reader: config.Reader, tools: Tools, secret: key.Settings) -> None:
    """A program or a server that cannot be told to a model, or would be told our key."""
    for place, why in tools.flaws():
        reader.mistake(("tools", *place), why)
    for number, server in enumerate(tools.server):
        for name in {secret.environment, "CREDENTIALS_DIRECTORY"} & {*server.environment}:
            message = f"{name} leads to the provider's key, which is for no other program"
            reader.mistake(("tools", "server", number, "environment"), message)


def _homeless(reader: config.Reader, settings: Settings) -> None:
    """A file in the home of nobody will never be there, nor a socket with too long a path."""
    try:
        home.path(settings.key.file)
    except ValueError as error:
        reader.mistake(("key", "file"), str(error))
    try:
        if settings.control.socket:
            door.fit(settings.control.path)
    except OSError as error:
        reader.mistake(("control", "socket"), error.strerror or str(error))
    except ValueError as error:
        reader.mistake(("control", "socket"), str(error))


def _nowhere(reader: config.Reader, provider: Chosen, link: Chosen) -> None:
    """An address of the provider to which no line can be opened is a mistake."""
    url = getattr(provider.settings, "url", None)
    if not url:
        return
    try:
        Address(url, getattr(link.settings, "plain_hosts", ()))
    except ValueError as error:
        reader.mistake(("provider", provider.name, "url"), str(error))
