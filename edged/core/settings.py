"""The core's numbers, each with its reason; these classes are also sections of the config.

A range stands in the annotation as words ("0.5 to 60") and is checked when the config is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal


@dataclass(frozen=True)
class Conversation:
    """How long things may take, and how much sound is kept."""

    preroll_ms: Annotated[int, "0 to 3000"] = 500
    """Sound before the moment the wake word was recognised that is sent along; engines report
    the word up to half a second after it ended."""
    press_preroll_ms: Annotated[int, "0 to 3000"] = 300
    """Sound before a button went down that is sent along: fingers are slower than tongues."""
    shortest_press_ms: Annotated[int, "0 to 1000"] = 100
    """Push-to-talk: a press with less sound than this asks nothing."""
    asleep_ring_s: Annotated[float, "0.5 to 10"] = 3.0
    """Sound kept while asleep; it never leaves the device unless a wake follows."""
    connecting_ring_s: Annotated[float, "3 to 60"] = 15.0
    """Sound kept from the wake until the provider is ready."""
    connect_timeout_s: Annotated[float, "1 to 60"] = 10.0
    """A session that is not ready after this is given up."""
    warm: Literal["never", "soon", "always"] = "never"
    """Whether a session is opened before anybody has asked for one: nothing is sent before a wake,
    and the first words need not wait. `soon` at a touch of the button to talk or at a near miss of
    the wake word, and closed again if that was all; `always` keeps one ready."""
    reconnect_s: Annotated[float, "0 to 8"] = 0.5
    """A line that breaks in a conversation is opened once more after this time and up to half as
    much again; 0: it is not."""
    rotate_minutes: Annotated[float, "1 to 600"] = 50.0
    """A session this old is replaced by a new one at the next silent moment; providers end
    theirs after an hour or less."""
    close_timeout_s: Annotated[float, "0.2 to 10"] = 3.0
    """An orderly end that takes longer is cut off."""
    follow_up_s: Annotated[float, "1 to 120"] = 8.0
    """Silence after the answer has finished playing, after which the session is closed."""
    follow_up_question_s: Annotated[float, "1 to 120"] = 15.0
    """The same after an answer that ends in a question."""
    false_wake_s: Annotated[float, "1 to 60"] = 6.0
    """When nobody speaks for this long after a wake, it was none: the session is closed silently,
    and has cost nothing."""
    stop_words: tuple[str, ...] = ()
    """Wake words, by name, that only end the answer that plays; asleep they do nothing."""
    wake_while_speaking: Literal["talk", "stop"] = "talk"
    """What any other wake word does to an answer that plays: interrupt it and listen to what is
    said along with it, or only end it, as a stop word does."""
    longest_s: Annotated[float, "10 to 3600"] = 900.0
    """A conversation that lasts longer is ended, whoever is speaking."""
    approval_s: Annotated[float, "5 to 120"] = 20.0
    """A tool that asks for a press is refused after this long without one."""
    answer_timeout_s: Annotated[float, "3 to 120"] = 30.0
    """An answer that has not begun, or not gone on, for this long is given up."""
    utterance_timeout_s: Annotated[float, "5 to 300"] = 60.0
    """One utterance that the provider finds no end of may last this long."""
    trouble_s: Annotated[float, "0.5 to 60"] = 4.0
    """How long a trouble that passes is shown before the speaker is asleep again."""
    journal_transcripts: bool = False
    """Whether the journal tells what was said, on both sides."""
    silent_microphone_s: Annotated[float, "1 to 30"] = 3.0
    """A microphone that delivers nothing for this long is opened anew, then reported lost."""


@dataclass(frozen=True)
class History:
    """What a new session is told of the conversation before it."""

    minutes: Annotated[float, "0 to 120"] = 5.0
    """Woken again within this time the conversation goes on; 0: it never does."""
    items: Annotated[int, "0 to 100"] = 12
    """At most so many of the last things that either side said, ..."""
    characters: Annotated[int, "0 to 100000"] = 6000
    """... and at most so many characters of them: they are paid for with each answer."""


@dataclass(frozen=True)
class BargeIn:
    """What it takes to be heard over the answer."""

    evidence: Literal["auto", "both", "provider"] = "auto"
    """Who must have heard a person before the answer stops: `provider` alone, or `both` it and
    our own gate; `auto` is both wherever the echo driver can hear through our own voice."""
    opens_ms: Annotated[int, "20 to 500"] = 40
    """So long the echo driver must be sure of a voice before the gate opens and the answer gets
    quieter."""
    hang_ms: Annotated[int, "0 to 2000"] = 300
    """The gate stays open for this long behind a voice: people pause."""
    preroll_ms: Annotated[int, "0 to 1000"] = 160
    """Sound before the gate opened that is sent first: the first syllable is not lost."""
    insists_ms: Annotated[int, "200 to 10000"] = 1200
    """Whoever is heard over the answer for this long stops it, whatever the provider hears."""
    talks_on_ms: Annotated[int, "300 to 20000"] = 1200
    """Speech that only the provider heard is a person's if it goes on for this long after the
    answer has ended; longer than the silence that ends an utterance for the provider."""
    cold_ms: Annotated[int, "0 to 10000"] = 1000
    """So much of our own sound must have been heard before the echo driver is believed."""
    duck_db: Annotated[float, "0 to 60"] = 12.0
    """How much quieter the answer gets while somebody may be speaking over it."""


@dataclass(frozen=True)
class Volume:
    """How loud the speaker is, and how finely that is set."""

    db: Annotated[float, "-60 to 0"] = -6.0
    """The volume when the speaker starts for the first time; later it is as it was left."""
    step_db: Annotated[float, "0.5 to 12"] = 3.0
    """One press of a volume button or one click of the knob."""
    lowest_db: Annotated[float, "-60 to 0"] = -42.0
    """It is not turned down below this: silence is what mute is for."""


@dataclass(frozen=True)
class Gestures:
    """What a press means, by how it is done."""

    double_ms: Annotated[int, "100 to 1000"] = 350
    """A second press within this is a double press."""
    long_ms: Annotated[int, "200 to 5000"] = 800
    """A press held this long is a long press."""
    hold_ms: Annotated[int, "0 to 2000"] = 250
    """A press held this long is a hold, where the button also has a meaning for a short press."""


@dataclass(frozen=True)
class Session:
    """What the provider is asked for, in every session."""

    model: str = "gpt-realtime-2.1-mini"
    """The model's name; for Azure the deployment's."""
    voice: str = "marin"
    """The provider's name of a voice."""
    speed: Annotated[float, "0.25 to 1.5"] = 1.0
    """How fast the voice speaks."""
    instructions: str = (
        "You are a helpful voice assistant in a smart speaker. Answer in one to three short "
        "sentences, in the language of the person who speaks to you."
    )
    """What the assistant is told about itself."""
    instructions_file: str = ""
    """A text file that replaces `instructions`."""
    noise_reduction: Literal["near_field", "far_field", "off"] = "far_field"
    """The provider's own clean-up; a speaker in a room is far_field."""
    transcription: str = "gpt-transcribe"
    """The model that writes down what the user says (priced per minute); "" for none."""
    turn_detection: Literal["server_vad", "semantic_vad"] = "server_vad"
    """Who decides that an utterance has ended: loudness, or the words."""
    vad_threshold: Annotated[float, "0 to 1"] = 0.6
    """server_vad: higher needs clearer speech; raise it beside a television."""
    prefix_padding_ms: Annotated[int, "0 to 2000"] = 300
    """server_vad: sound kept before the detected start."""
    silence_duration_ms: Annotated[int, "100 to 5000"] = 600
    """server_vad: silence that ends an utterance."""
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    """semantic_vad: how soon it decides that the user has finished."""
    max_output_tokens: Annotated[int, "1 to 4096"] = 2048
    """The longest answer, a bound on its cost; a minute of speech is 1200."""
    audio: Literal["pcm", "pcmu", "pcma"] = "pcm"
    """How sound travels: 16 bits at 24 kHz, or telephone sound at 8 kHz, a sixth of the traffic
    (G.711, mu-law and A-law)."""


@dataclass(frozen=True)
class Abilities:
    """What a provider can do, as its dialect knows."""

    truncates: bool = True
    """It can be told how much of an answer was heard."""
    deletes: bool = True
    """An item can be taken out of the conversation."""
    cancels: bool = True
    """It can be told to stop making an answer."""
    detects_turns: bool = True
    """It hears when an utterance begins and ends."""
    recalls: bool = True
    """What was said before can be put into a new session."""
    announces: bool = True
    """It says something word for word when asked to."""
    asks_leave: bool = True
    """It waits for somebody's leave before it has a tool of a server in the internet called."""
    bills_minutes: bool = False
    """An open line costs, whether anybody speaks or not."""


@dataclass(frozen=True)
class ToolSpec:
    """A tool as the model is told of it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """A JSON Schema of the arguments, an object."""


@dataclass(frozen=True)
class RemoteTools:
    """A server of tools in the internet (MCP), which the provider calls, not this box."""

    server_label: str
    """What the model calls the server."""
    server_url: str
    """Its address, https://..."""
    allowed_tools: tuple[str, ...] = ()
    """The names of its tools that may be called; they must be listed."""
    require_approval: Literal["never", "button"] = "never"
    """Whether somebody is asked before each call, and allows it by a press of a button."""
