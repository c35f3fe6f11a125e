"""A model of Audacity 4 that runs the shipped effect in a JavaScript engine, with the real library."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
import quickjs

from support.audacity4.library import OK, Library

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

MODEL = Path(__file__).with_name("model.js")


@dataclass(kw_only=True)
class Track:
    """A track with audio from `start` on."""

    name: str
    sample_rate: int
    samples: NDArray[np.float32]
    """(length, channels)."""
    start: float = 0.0

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "sampleRate": self.sample_rate,
            "channelCount": self.samples.shape[1],
            "start": self.start,
            "end": self.start + len(self.samples) / self.sample_rate,
        }


@dataclass(kw_only=True)
class Outcome:
    state: str
    value: Any
    progress: list[tuple[float, str]]


@dataclass
class Audacity4:
    """One window with one project."""

    extension: Path
    """The folder of the installed extension."""
    library: Library | None
    tracks: list[Track] = field(default_factory=list)
    selection: tuple[float, float] = (0.0, 0.0)
    added: list[Track] = field(default_factory=list)
    """Tracks of edits that were committed."""
    n_commits: int = 0
    calls_on_other_threads: list[str] = field(default_factory=list)
    """Names; while one runs, Audacity draws its window."""

    def __post_init__(self) -> None:
        self._buffers: list[NDArray[np.float32] | None] = []
        self._writers: list[tuple[int, int, list[NDArray[np.float32]]]] = []
        self._routed: list[Track] = []
        self._done: SimpleQueue[tuple[int, dict[str, Any]]] = SimpleQueue()
        self._js = quickjs.Context()
        self._js.add_callable("bridge", self._bridge)
        self._js.eval(MODEL.read_text("utf-8"))
        (script,) = self.manifest["contributes"]["audacity.effects"]
        source = (self.extension / script["script"]).read_text("utf-8")
        self._js.eval(f"(function () {{ {source} }})()")

    @property
    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.extension / "manifest.json").read_text("utf-8"))
        return content

    def open_dialog(self) -> dict[str, dict[str, Any]]:
        """The parameters by id."""
        parameters = json.loads(self._js.eval("openDialog()"))
        return {parameter["id"]: parameter for parameter in parameters}

    def apply(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        on_poll: Callable[[], None] | None = None,
        stop_when: Callable[[str], bool] = lambda _: False,
    ) -> Outcome:
        """Applies the effect with the dialog's defaults and these settings, and waits for its end.

        Args:
            settings: By id.
            on_poll: Called 20 times a second.
            stop_when: Whether Cancel is clicked, by the text of the progress dialog.
        """
        defaults = {name: parameter["defaultValue"] for name, parameter in self.open_dialog().items()}
        self._routed = []
        self._call("apply", {**defaults, **(settings or {})})
        deadline = time.monotonic() + 120
        while (outcome := self._turn()).state == "running":
            assert time.monotonic() < deadline, outcome
            self._js.eval("poll()")
            if on_poll:
                on_poll()
            if outcome.progress and stop_when(outcome.progress[-1][1]):
                self._js.eval("stop()")
            time.sleep(0.05)
        return outcome

    def _turn(self) -> Outcome:
        """What the event loop does between two polls."""
        until = time.monotonic() + 0.05
        while time.monotonic() < until:
            while self._js.execute_pending_job():
                pass
            while not self._done.empty():
                self._call("settle", list(self._done.get()))
                while self._js.execute_pending_job():
                    pass
        return Outcome(**json.loads(self._js.eval("state()")))

    def _call(self, function: str, argument: object) -> None:
        self._js.eval(f"{function}({json.dumps(json.dumps(argument))})")

    def _bridge(self, text: str) -> str:
        name, *arguments = json.loads(text)
        try:
            return json.dumps({"value": getattr(self, f"_do_{name}")(*arguments)})
        except Exception as error:  # noqa: BLE001  the effect gets it as an error of Audacity
            return json.dumps({"error": str(error)})

    def _do_buffer(self, length: int) -> int:
        self._buffers.append(np.zeros(length, np.float32))
        return len(self._buffers) - 1

    def _do_release(self, ids: Sequence[int]) -> None:
        for each in ids:
            self._buffers[each] = None

    def _do_isReleased(self, each: int) -> bool:  # noqa: N802  as in JavaScript
        return self._buffers[each] is None

    def _arguments(self, values: Sequence[Any]) -> list[Any]:
        return [self._buffers[value["buffer"]] if isinstance(value, dict) else value for value in values]

    def _do_open(self, _: str) -> bool:
        return self.library is not None

    def _do_call(self, name: str, values: Sequence[Any]) -> Any:
        assert self.library
        answer = self.library.call(name, *self._arguments(values))
        if answer.status != OK:
            raise RuntimeError(answer.value or f"Native call failed ({answer.status})")
        return answer.value

    def _do_start(self, number: int, name: str, values: Sequence[Any]) -> None:
        self.calls_on_other_threads.append(name)

        def work() -> None:
            try:
                self._done.put((number, {"value": self._do_call(name, values)}))
            except RuntimeError as error:
                self._done.put((number, {"error": str(error)}))

        threading.Thread(target=work, daemon=True).start()

    def _do_selection(self) -> dict[str, Any]:
        start, end = self.selection
        tracks = [track.described() for track in self.tracks]
        return {"start": start, "end": end, "duration": end - start, "audioTracks": tracks}

    def _do_fill(self, index: int, at: int, ids: Sequence[int]) -> None:
        track = self.tracks[index]
        first = round(track.start * track.sample_rate)
        for channel, each in enumerate(ids):
            buffer = self._buffers[each]
            assert buffer is not None
            places = np.arange(at, at + len(buffer)) - first
            inside = (places >= 0) & (places < len(track.samples))
            buffer[inside] = track.samples[places[inside], channel]

    def _do_writer(self, n_channels: int, sample_rate: int) -> int:
        self._writers.append((n_channels, sample_rate, []))
        return len(self._writers) - 1

    def _do_write(self, writer: int, ids: Sequence[int]) -> None:
        block = np.stack([self._buffers[each] for each in ids], axis=1)  # type: ignore[misc]
        if not np.isfinite(block).all():
            raise ValueError("Audio contains non-finite samples")
        self._writers[writer][2].append(block)

    def _do_addTrack(self, writer: int, name: str, start: float) -> None:  # noqa: N802
        _, sample_rate, blocks = self._writers[writer]
        self._routed.append(
            Track(name=name, sample_rate=sample_rate, samples=np.concatenate(blocks), start=start)
        )

    def _do_commit(self) -> None:
        self.added += self._routed
        self.n_commits += 1
