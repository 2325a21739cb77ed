"""What `edged setup` asks, part by part, and what each answer changes in the configuration."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .. import key, plugins, schema
from ..amend import Value, dotted, toml
from ..doctor import _credential
from ..doctor._visit import Visit
from ._questions import Questions

OPENAI: Final = "wss://api.openai.com/v1/realtime"
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "openwakeword": ("hey_jarvis", "alexa", "hey_mycroft", "hey_marvin"),
    "microwakeword": ("okay_nabu",),
}
"""Those that can be chosen, by the engine that hears them best."""
_NO_WORD = "button"
_DEFAULT = ""

Address = tuple[str, ...]


class Left(Exception):
    """Somebody wants no more of it."""


@dataclass
class Interview:
    """What was answered so far; nothing of it is written anywhere."""

    visit: Visit
    ask: Questions
    changes: dict[Address, Value] = field(default_factory=dict)
    credential: str = field(default="", repr=False)
    """The key that was typed; "" for none."""

    @property
    def settings(self) -> schema.Settings:
        """As they are with the answers so far; raises `config.ConfigError`."""
        return schema.read(self.visit.file, self.assignments)

    @property
    def assignments(self) -> Sequence[str]:
        """The changes, as a command line gives them."""
        return [f"{dotted(address)}={toml(value)}" for address, value in self.changes.items()]

    def change(self, address: str, value: Value, now: Value) -> None:
        """Note a new value, where it is one."""
        place = tuple(address.split("."))
        if value == now:
            return
        self.changes[place] = value


def provider(talk: Interview) -> None:
    """Whose server answers."""
    chosen = talk.settings.provider
    if chosen.name != "openai":
        talk.ask.say(f"The provider is {chosen.name}: nothing to choose.")
        return
    settings: Any = chosen.settings
    options = [
        ("openai", "OpenAI"),
        ("other", "another server that speaks the same language, at an address of its own"),
    ]
    default = "openai" if settings.url == OPENAI else "other"
    url = OPENAI
    if talk.ask.choose("Who answers", options, default) == "other":
        url = talk.ask.text("Its address (wss://HOST/PATH; ws:// on this machine)", settings.url)
    talk.change("provider.openai.url", url, settings.url)


def secret(talk: Interview) -> None:
    """The key, which is not shown, and not kept before the end."""
    talk.visit.key = None
    talk.visit.configured = talk.settings
    try:
        found = _credential.find(talk.visit)
    except (key.NoKey, PermissionError):
        talk.ask.say("It is not shown while you type or paste it.")
    else:
        if not talk.ask.confirms(f"There is a key ({found.source}). Give another one?"):
            return
    text = talk.ask.secret("The key")
    if not text:
        talk.ask.say("Without one nobody answers: `edged setup` asks again.")
        return
    talk.credential = text
    talk.visit.key = key.Key(text, "answer just given")


def sound(talk: Interview) -> None:
    """Which devices, of those that PortAudio knows now."""
    talk.visit.measured = None
    chosen = talk.settings.sound
    if chosen.name != "portaudio":
        talk.ask.say(f"The sound driver is {chosen.name}: nothing to choose.")
        return
    try:
        there = chosen.module.devices()
    except OSError as problem:
        talk.ask.say(f"PortAudio does not start: {problem}")
        there = ()
    for direction, called in (("microphone", "microphone"), ("speaker", "loudspeaker")):
        now = str(getattr(chosen.settings, direction))
        names = _names([each for each in there if each.channels(direction)])
        options = [(_DEFAULT, "the system's default"), *((name, name) for name in names)]
        if now not in dict(options):
            options.append((now, f"{now} (as it is now; not there)"))
        wanted = talk.ask.choose(f"The {called}", options, now)
        talk.change(f"sound.portaudio.{direction}", wanted, now)


def _names(devices: Sequence[Any]) -> list[str]:
    """Without their place, which changes from one plugging-in to the next, where that is enough."""
    bare = [device.name.partition(" (hw:")[0] for device in devices]
    return [
        short if bare.count(short) == 1 else device.name
        for short, device in zip(bare, devices, strict=True)
    ]


def wake(talk: Interview) -> None:
    """What wakes it."""
    chosen = talk.settings.wake
    now = tuple(getattr(chosen.settings, "words", ()))
    options = [
        (f"{engine}.{word}", f'"{word.replace("_", " ")}"')
        for engine, words in WORDS.items()
        if plugins.loads("wake", engine)
        for word in words
    ]
    mine = f"{chosen.name}.{now[0]}" if now else _NO_WORD
    if mine not in dict(options) and now:
        options.insert(0, (mine, f"{', '.join(now)} (as it is now)"))
    options.append((_NO_WORD, "no word: a button, or `edged wake`"))
    wanted = talk.ask.choose("What wakes it", options, mine)
    engine, _, word = wanted.partition(".")
    talk.change("wake.driver", engine, chosen.name)
    if word and wanted != mine:
        talk.changes["wake", engine, "words", word] = {}
        others = [each for each in now if each != word and engine == chosen.name]
        if others and _written(talk.visit, engine):
            talk.ask.say(f"{', '.join(others)} will wake it, too: its table stands in your file.")


def _written(visit: Visit, engine: str) -> bool:
    """Whether the words that wake now stand in a file, and are no default."""
    files = [visit.file or schema.FILE]
    return any(
        f"[wake.{engine}.words." in row and not row.startswith("#")
        for file in files
        if file.exists()
        for row in file.read_text(encoding="utf-8").splitlines()
    )


def light(talk: Interview) -> None:
    """What shows the state, and where it is wired."""
    settings = talk.settings
    now = [chosen.name for chosen in settings.lights]
    gpio: Any = _driver("lights", "gpio", settings.lights)
    options = [
        ("rgb", "an RGB LED on three GPIO pins"),
        ("pwm", "one LED on a GPIO pin, dimmed"),
        ("led", "one LED on a GPIO pin, on or off"),
        ("apa102", "APA102 LEDs on the SPI bus, as on the ReSpeaker HATs"),
        ("none", "none"),
    ]
    mine = (gpio.kind if now[0] == "gpio" else now[0]) if now else "none"
    if mine not in dict(options):
        options.append((mine, f"{', '.join(now)} (as it is now)"))
    wanted = talk.ask.choose("The light", options, mine)
    if wanted == "none":
        talk.change("lights.drivers", [], now)
    elif wanted in ("rgb", "pwm", "led"):
        talk.change("lights.drivers", ["gpio"], now)
        talk.change("lights.gpio.kind", wanted, gpio.kind)
        for name in ("red", "green", "blue") if wanted == "rgb" else ("pin",):
            before: int = getattr(gpio, name)
            pin = talk.ask.number(f"GPIO number of its {name}", 0, 27, before)
            talk.change(f"lights.gpio.{name}", pin, before)
    elif wanted == "apa102":
        leds: Any = _driver("lights", "apa102", settings.lights)
        talk.change("lights.drivers", ["apa102"], now)
        talk.change("lights.apa102.leds", talk.ask.number("LEDs", 1, 240, leds.leds), leds.leds)


def button(talk: Interview) -> None:
    """Whether there is one to talk with, and where."""
    settings = talk.settings
    now = [chosen.name for chosen in settings.buttons]
    gpio: Any = _driver("buttons", "gpio", settings.buttons)
    options = [("gpio", "a push-button between a GPIO pin and ground"), ("none", "none")]
    mine = now[0] if now else "none"
    if mine not in dict(options):
        options.append((mine, f"{', '.join(now)} (as it is now)"))
    wanted = talk.ask.choose("The button", options, mine)
    if wanted == "none":
        talk.change("buttons.drivers", [], now)
    elif wanted == "gpio":
        talk.change("buttons.drivers", ["gpio"], now)
        before = gpio.wired["talk"].pin if "talk" in gpio.wired else 17
        pin = talk.ask.number("Its GPIO number", 0, 27, before)
        talk.change("buttons.gpio.wired.talk.pin", pin, before)


def _driver(folder: str, name: str, chosen: Sequence[schema.Chosen]) -> object:
    """The settings of that driver, as they are or by default."""
    mine = next((each.settings for each in chosen if each.name == name), None)
    return mine if mine is not None else plugins.load(folder, name).Settings()


@dataclass(frozen=True)
class Part:
    """One part of the interview."""

    title: str
    ask: Callable[[Interview], None]
    checks: Sequence[str]
    """Of the doctor's: what is looked at afterwards."""
    question: str = ""
    """Whether to look, where that takes time or makes noise; "" where it is not asked."""


PARTS: Final = (
    Part("The provider", provider, ("network",)),
    Part("The key", secret, ("key", "provider")),
    Part(
        "The microphone and the loudspeaker",
        sound,
        ("cards", "microphone", "noise", "voice", "clipping", "loudspeaker", "echo"),
        "Try them? It plays for a quarter of a minute, and listens.",
    ),
    Part("The wake word", wake, ("wake", "wake_word"), "Try it?"),
    Part("The light", light, ("lights",)),
    Part("The button", button, ("buttons",)),
)


def place_of_key(file: Path) -> Path:
    """Where the key of a configuration that is not the service's is kept."""
    return file.parent / "credentials" / "openai"
