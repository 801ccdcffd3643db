"""Which pitches a player would rather play, as a bias on the model's own opinion: voice leading and good manners."""

from __future__ import annotations

import numpy as np

from improvbox.band.ear import View
from improvbox.band.player import Player
from improvbox.band.roles import Role
from improvbox.band.scene import Scene
from improvbox.band.steering import Steering
from improvbox.events import BANDS, PlannedNote

_KEYS = np.arange(128)
_CLASS = _KEYS % 12
HOME = {"bass": 40.0, "mid": 59.0, "high": 74.0}  # where each band feels at home
ROOM = {"bass": 9.0, "mid": 9.0, "high": 8.0}  # semitones from home at which a pitch loses half a nat
LARGEST_LEAP = {"bass": 12, "mid": 9, "high": 9}  # semitones; a bass leaps octaves, a melody rarely more than a sixth
FORGOTTEN_S = 3.0  # after this long a pause any entry is a fresh start
KEEP_APART = 3  # semitones between neighbouring bands, below which they sound like one
REPEAT = 1.5  # nats against playing one pitch again, more for each time in a row
WORN = 0.25  # nats against a pitch for each time it is among the last ten
ECHO = 8.0  # nats by which the ends of the variation control pull to a quotation, or from one
SHARED_BAND = 0.4  # how far a player keeps out of the human's way when both are in one band


def register(scene: Scene, row: Role, low: int, high: int) -> tuple[int, int, float]:
    """(lowest, highest, home) pitch for now: a role that keeps away leaves the human's side of the register."""
    home = HOME[scene.name]
    away = row.away
    if away == 0.0 and scene.ear.band == scene.name:
        away = SHARED_BAND
    if away == 0.0 or "human" not in scene.listens_to:
        return low, high, home
    human = scene.ear.centre
    above = high - human >= human - low
    if away < 1.0:
        return low, high, home + away * (6.0 if above else -6.0)
    if above:
        low = min(high - 7, max(low, round(human) + 4))
    else:
        high = max(low + 7, min(high, round(human) - 4))
    return low, high, (low + high) / 2


def pitch_bias(scene: Scene, player: Player, low: int, high: int, home: float) -> np.ndarray:
    """float[128] to be added to the logits of the player's pitches, which lie in `low`..`high` around `home`."""
    told, last = player.told, player.last
    by_class = _harmony(scene, told, told.row)
    bias: np.ndarray = by_class[_CLASS] - 0.5 * ((_KEYS - home) / ROOM[scene.name]) ** 2
    if last is not None:
        outside = max(low - last.pitch, last.pitch - high, 0)
        _lead(bias, scene, player, last, outside)
        _echo(bias, scene, player, last)
        _tire(bias, player, last)
    _make_way(bias, scene)
    return bias


def _harmony(scene: Scene, told: Steering, row: Role) -> np.ndarray:
    air = scene.harmony()
    by_class = np.zeros(12)
    if air.any():
        by_class += row.fit * (0.45 - 0.25 * told.texture) * np.log(0.1 + air)
    if "human" in scene.listens_to:
        human = scene.view("human")
        by_class -= row.clash * scene.ear.risk(scene.now, _stays(scene, human))
        if human.key >= 0:
            by_class[human.key % 12] -= 0.4  # a part of its own is worth more than a doubling
    for _, view in scene.company():
        for interval in (1, 11):
            by_class[(view.key + interval) % 12] -= 1.5
        by_class[(view.key + 6) % 12] -= 0.4
    return by_class


def _stays(scene: Scene, human: View) -> float:
    """The chance that the human still holds the present note when the player's next one begins."""
    if not human.sounds(scene.now):
        return 0.3
    held = (scene.first - human.onset) / human.ioi
    return 0.9 if held < 0.7 else 0.4 if held < 1.3 else 0.8


def _lead(bias: np.ndarray, scene: Scene, player: Player, last: PlannedNote, outside: int) -> None:
    """Voice leading from the player's last note; `outside`: semitones it lies beyond where the player may be."""
    told = player.told
    distance = np.abs(_KEYS - last.pitch)
    bias -= 0.1 * np.maximum(distance - (7 if scene.name == "bass" else 4), 0)
    if scene.first - last.offset <= FORGOTTEN_S:
        largest = LARGEST_LEAP[scene.name] + (4 if told.order < 0.3 else 0)
        bias[distance > largest + outside] = -np.inf
    move = player.moves[-1] if player.moves else 0
    direction = np.sign(_KEYS - last.pitch)
    if abs(move) > 5:  # what leapt turns back by step
        bias[direction == np.sign(move)] -= 0.7
    leader = scene.leader
    against = told.row.contrary + 2.0 * told.texture - 0.8
    if leader.interval and against:
        bias[direction == np.sign(leader.interval)] -= against


def _echo(bias: np.ndarray, scene: Scene, player: Player, last: PlannedNote) -> None:
    """Low variation goes on as the human's line once went on from here; high variation goes elsewhere."""
    pull = ECHO * (0.5 - player.told.variation)
    if abs(pull) < 0.1 * ECHO or player.told.row.answers:
        return
    line = scene.ear.line
    found = line.matches(tuple(player.moves), most=6)
    if found:
        following = [step.interval for _, place in found for step in line.steps(place + 1, 1)]
    else:
        following = list(line.intervals(3))  # any of their last moves begins a quotation
    for interval in set(following):
        if 0 <= last.pitch + interval < len(bias):
            bias[last.pitch + interval] += pull if found else 0.5 * pull


def _tire(bias: np.ndarray, player: Player, last: PlannedNote) -> None:
    """What was just played again and again loses its charm, first of all the same note."""
    run = 0
    for pitch in reversed(player.pitches):
        if pitch != last.pitch:
            break
        run += 1
    bias[last.pitch] -= REPEAT * (run - 0.5)
    for pitch in player.pitches:
        bias[pitch] -= WORN


def _make_way(bias: np.ndarray, scene: Scene) -> None:
    """No pile-ups on one key, no crossing of bands."""
    human = scene.view("human")
    if human.end > scene.now and human.key >= 0:
        bias[human.key] -= 1.5
    mine = BANDS.index(scene.name)
    for part, view in scene.company():
        other = BANDS.index(part)
        if other > mine:
            bias[max(0, view.key - KEEP_APART + 1) :] -= 2.5
        else:
            bias[: view.key + KEEP_APART] -= 2.5
