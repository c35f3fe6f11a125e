"""The silence that keeps the time of decoded frames."""

from __future__ import annotations

import pytest

from stemdock.audio.ffmpeg.log import DecodedFrame
from stemdock.audio.ffmpeg.timeline import Timeline

RATE = 44100
FRAME = 1024


def silences(
    starts: list[int | None],
    *,
    errors: frozenset[int] = frozenset(),
    longest: int = 1 << 40,
    has_times: bool = True,
    has_video: bool = True,
) -> list[int]:
    """The silence before each frame; `errors` are the indices of frames behind an error."""
    frames: list[DecodedFrame | None] = [
        DecodedFrame(start=start, length=FRAME, sample_rate=RATE, after_error=index in errors)
        for index, start in enumerate(starts)
    ]
    timeline = Timeline(RATE, longest, has_times=has_times, has_video=has_video)
    placed = [
        timeline.place(frame, following)
        for frame, following in zip(frames, [*frames[1:], None], strict=True)
        if frame
    ]
    assert timeline.position == sum(placed) + FRAME * len(starts)
    return placed


GAP = 10 * FRAME


@pytest.mark.parametrize(("starts", "expected"), [
    ([0, FRAME, 2 * FRAME], [0, 0, 0]),
    ([0, FRAME + GAP, 2 * FRAME + GAP], [0, GAP, 0]),
    # One late time that the next frame does not confirm, as at long blocks of Vorbis.
    ([0, FRAME + GAP, 2 * FRAME], [0, 0, 0]),
    # The first frame behind a hole has a time that is too late.
    ([0, FRAME + GAP + 500, 2 * FRAME + GAP, 3 * FRAME + GAP], [0, GAP, 0, 0]),
    # Times rounded to milliseconds.
    ([0, FRAME + 30, 2 * FRAME - 30, 3 * FRAME + 44], [0, 0, 0, 0]),
    # The clock is set back, and goes on from there.
    ([0, FRAME, 0, FRAME, 2 * FRAME], [0, 0, 0, 0, 0]),
    ([None, None, None], [0, 0, 0]),
    ([GAP, GAP + FRAME], [GAP, 0]),
])  # fmt: skip
def test_where_silence_goes(starts: list[int | None], expected: list[int]) -> None:
    assert silences(starts) == expected


def test_a_lost_frame_is_replaced_only_if_an_error_confirms_it() -> None:
    starts: list[int | None] = [0, 2 * FRAME, 3 * FRAME]
    assert silences(starts) == [0, 0, 0]
    assert silences(starts, errors=frozenset({1})) == [0, FRAME, 0]


def test_silence_never_exceeds_the_announced_length() -> None:
    starts: list[int | None] = [0, 10**9, 10**9 + FRAME]
    assert silences(starts, longest=10 * RATE) == [0, 0, 0]


def test_times_that_ffmpeg_only_counts_do_not_matter() -> None:
    assert silences([0, FRAME + GAP, 2 * FRAME + GAP], has_times=False) == [0, 0, 0]


def test_sound_without_a_picture_starts_at_once() -> None:
    starts: list[int | None] = [GAP, GAP + FRAME]
    assert silences(starts, has_video=False) == [0, 0]
    assert silences(starts, has_video=False, errors=frozenset({0})) == [GAP, 0]
