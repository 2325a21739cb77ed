"""The reference: the least that a program must do, run as a process of its own.

    python -m tests.benches.bare_loop import        import what edged uses, and end
    python -m tests.benches.bare_loop listen        a wake word model on the microphone, no more
    python -m tests.benches.bare_loop converse URL  a conversation, no more

Each prints `ready` when it is. Device periods are 10 ms and the ALSA buffer behind them is what
PortAudio takes, as they are for edged.
"""

import asyncio
import base64
import importlib
import importlib.util
import json
import queue
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIBRARIES = (
    "asyncio",
    "gpiozero",
    "gpiozero.pins.mock",
    "msgspec",
    "numpy",
    "onnxruntime",
    "pyaudio",
    "systemd.daemon",
    "systemd.journal",
    "websockets.asyncio.client",
)
"""What a speaker needs whoever writes it: the libraries that `edged run` imports."""

WIRE_RATE, WAKE_RATE = 24_000, 16_000
PERIOD_S = 0.01
BLOCKS_IN_APPEND = 2

SESSION: Mapping[str, object] = {
    "type": "realtime",
    "output_modalities": ["audio"],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": WIRE_RATE},
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.6,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 600,
            },
        },
        "output": {"format": {"type": "audio/pcm", "rate": WIRE_RATE}, "voice": "marin"},
    },
}


async def converse(url: str) -> None:
    """Send every 20 ms captured, play every delta as it comes, be silent when somebody speaks."""
    import pyaudio
    from websockets.asyncio.client import connect

    loop = asyncio.get_running_loop()
    captured: asyncio.Queue[bytes] = asyncio.Queue()
    spool = bytearray()

    def capture(block: bytes, *_: object) -> tuple[None, int]:
        loop.call_soon_threadsafe(captured.put_nowait, block)
        return None, pyaudio.paContinue

    def play(_block: None, frames: int, *_: object) -> tuple[bytes, int]:
        piece = bytes(spool[: 2 * frames])
        del spool[: len(piece)]
        return piece.ljust(2 * frames, b"\0"), pyaudio.paContinue

    async def send() -> None:
        while True:
            sound = b"".join([await captured.get() for _ in range(BLOCKS_IN_APPEND)])
            audio = base64.b64encode(sound).decode()
            await line.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))

    headers = {"Authorization": "Bearer sk-bare"}
    async with connect(f"{url}?model=bare", additional_headers=headers, compression=None) as line:
        await line.send(json.dumps({"type": "session.update", "session": SESSION}))
        while json.loads(await line.recv())["type"] != "session.updated":
            pass
        sound = pyaudio.PyAudio()
        streams = [_open(sound, WIRE_RATE, capture), _open(sound, WIRE_RATE, play, playback=True)]
        _say_ready()
        sender = asyncio.create_task(send())
        answer = cut = ""
        async for message in line:
            event = json.loads(message)
            if event["type"] == "response.output_audio.delta":
                answer = event["response_id"]
                if answer != cut:
                    spool += base64.b64decode(event["delta"])
            elif event["type"] == "input_audio_buffer.speech_started":
                cut = answer
                spool.clear()
        sender.cancel()
        del streams


def listen() -> None:
    """Let the model hear the microphone; the loudspeaker is open and rests."""
    for library in LIBRARIES:
        importlib.import_module(library)
    import pyaudio

    model = Model()
    blocks: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def capture(block: bytes, *_: object) -> tuple[None, int]:
        blocks.put(block)
        return None, pyaudio.paContinue

    def silence(_block: None, frames: int, *_: object) -> tuple[bytes, int]:
        return bytes(2 * frames), pyaudio.paContinue

    sound = pyaudio.PyAudio()
    _open(sound, WAKE_RATE, capture)
    _open(sound, WIRE_RATE, silence, playback=True).stop_stream()
    _say_ready()
    frame = b""
    while True:
        frame += blocks.get()
        if len(frame) == 2 * Model.FRAME:
            model.score(frame)
            frame = b""


class Model:
    """openWakeWord's three networks in a row, as little round them as there can be."""

    FRAME = 1280

    def __init__(self) -> None:
        import numpy as np
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        spec = importlib.util.find_spec("openwakeword")
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent / "resources" / "models"
        self._mel, self._embedding, self._word = (
            onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), options)
            for name in ("melspectrogram", "embedding_model", "hey_jarvis_v0.1")
        )
        self._numpy = np
        self._sound = np.zeros((1, 480 + self.FRAME), np.float32)
        self._rows = np.zeros((76, 32), np.float32)
        self._embeddings = np.zeros((16, 96), np.float32)

    def score(self, frame: bytes) -> float:
        """The word's score after 80 ms more."""
        numpy = self._numpy
        fresh = numpy.frombuffer(frame, "<i2").astype(numpy.float32)
        self._sound = numpy.concatenate((self._sound[:, self.FRAME :], fresh[None]), axis=1)
        rows = _run(self._mel, self._sound).reshape(-1, 32) / 10 + 2
        self._rows = numpy.concatenate((self._rows[8:], rows[-8:]))
        embedding = _run(self._embedding, self._rows[None, :, :, None]).reshape(1, 96)
        self._embeddings = numpy.concatenate((self._embeddings[1:], embedding))
        return float(_run(self._word, self._embeddings[None])[0, 0])


def _say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def _run(network: Any, values: Any) -> Any:
    return network.run(None, {network.get_inputs()[0].name: values})[0]


def _open(sound: Any, rate: int, callback: Any, *, playback: bool = False) -> Any:
    return sound.open(
        rate=rate,
        channels=1,
        format=8,  # pyaudio.paInt16
        input=not playback,
        output=playback,
        frames_per_buffer=round(rate * PERIOD_S),
        stream_callback=callback,
    )


def main() -> None:
    """Do what the command line says."""
    match sys.argv[1:]:
        case ["import"]:
            for library in LIBRARIES:
                importlib.import_module(library)
            _say_ready()
        case ["listen"]:
            listen()
        case ["converse", url]:
            asyncio.run(converse(url))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
