"""What a project plays: items through takes, tracks and folders to the master."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from support.reaper_model.objects import Item, Project, Track

STEREO_PAN = 5


def played(project: Project, times: np.ndarray) -> np.ndarray:
    """Stereo sound at the master at times in the project; fades, FX and sends are left out."""
    parents = project.parents()
    tracks = {track.guid: track for track in project.tracks}
    total = np.zeros((len(times), 2))
    for track in project.tracks:
        chain = [track]
        while parent := parents[chain[-1].guid]:
            chain.append(tracks[parent])
        if not _is_soloed(project, chain):
            continue
        items = [item for item in track.items if item.take and _plays(track, item)]
        sound = sum((_item_sound(item, times, project.pan_law) for item in items), np.zeros((1, 2)))
        for link in chain:
            sound = _through(link, sound, project.pan_law)
        total += sound
    return total


def _is_soloed(project: Project, chain: list[Track]) -> bool:
    """Whether solo leaves a track audible. A solo reaches the tracks inside its folder."""
    soloed = [track for track in project.tracks if track.values["I_SOLO"]]
    return not soloed or any(track in soloed for track in chain)


def _plays(track: Track, item: Item) -> bool:
    in_lanes = track.values["I_FREEMODE"] == 2
    return not item.values["B_MUTE"] and not (in_lanes and item.values["C_LANEPLAYS"] == 0)


def _item_sound(item: Item, times: np.ndarray, pan_law: float) -> np.ndarray:
    inside = times - item.values["D_POSITION"]
    sound = item.sole_take.sound(item, inside)
    sound = np.repeat(sound, 2, axis=1) if sound.shape[1] == 1 else sound[:, :2]
    sound = np.where(((inside >= 0) & (inside < item.values["D_LENGTH"]))[:, None], sound, 0)
    take = item.sole_take.values
    return _balance(sound * item.values["D_VOL"] * take["D_VOL"], take, pan_law)


def _through(track: Track, sound: np.ndarray, pan_law: float) -> np.ndarray:
    """A track's fader strip, on the way to its folder or the master."""
    values = track.values
    if values["B_MUTE"] or not values["B_MAINSEND"]:
        return np.zeros_like(sound)
    if values["I_PANMODE"] == STEREO_PAN:
        middle, side = sound.mean(axis=1), (sound[:, 0] - sound[:, 1]) / 2 * values["D_WIDTH"]
        sound = np.stack([middle + side, middle - side], axis=1)
    return _balance(sound * values["D_VOL"] * (-1 if values["B_PHASE"] else 1), values, pan_law)


def _balance(sound: np.ndarray, values: dict[str, float], pan_law: float) -> np.ndarray:
    """Pan as balance; the pan law is the gain in the centre, and a negative one means the project's."""
    pan = values["D_PAN"]
    centre = pan_law if values["D_PANLAW"] < 0 else values["D_PANLAW"]
    gain = centre + (1 - centre) * abs(pan)
    return sound * [gain * min(1, 1 - pan), gain * min(1, 1 + pan)]
