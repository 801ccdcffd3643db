"""What is no note: chucks, squeaks, thumps, scrapes; and the way from pickup to converter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from improvbox.hearing.frontend import INNER_RATE_HZ as RATE

Rng = np.random.Generator


def chuck(rng: Rng) -> np.ndarray:
    """Muted strings hit: a noise burst through the pickup's band."""
    t = _time(rng.uniform(0.02, 0.2))
    band = sorted([rng.uniform(80, 1500), rng.uniform(1600, 9000)])
    sos = butter(int(rng.integers(1, 3)), band, "band", fs=RATE, output="sos")
    return sosfilt(sos, rng.standard_normal(len(t)) * np.exp(-t / rng.uniform(0.003, 0.03)))


def squeak(rng: Rng) -> np.ndarray:
    """Fingers along a wound string: a rough narrow band on a glide."""
    t = _time(rng.uniform(0.03, 0.3))
    rough = np.convolve(rng.standard_normal(len(t)), np.ones(30) / 30, "same")
    f = rng.uniform(500, 3800) * 2 ** (rng.uniform(-1.2, 1.2) * t / t[-1]) * (1 + rng.uniform(0.02, 0.25) * rough)
    turns = np.cumsum(f) / RATE
    tone = sum(np.sin(2 * np.pi * turns * k) / k for k in range(1, int(rng.integers(2, 5))))
    return (tone * (0.3 + rng.random(len(t))) + rng.uniform(0, 0.7) * rng.standard_normal(len(t))) * np.hanning(len(t))


def scrape(rng: Rng) -> np.ndarray:
    """A pick along the windings: clicks at a changing rate, ringing shortly."""
    t = _time(rng.uniform(0.1, 0.5))
    rate = rng.uniform(60, 900) * 2 ** (rng.uniform(-1.5, 1.5) * t / t[-1])
    clicks = np.diff(np.floor(np.cumsum(rate) / RATE), prepend=0) * rng.random(len(t))
    band = sorted([rng.uniform(200, 1500), rng.uniform(1600, 8000)])
    return sosfilt(
        butter(1, band, "band", fs=RATE, output="sos"), clicks + 0.02 * rng.standard_normal(len(t))
    ) * np.hanning(len(t))


def thump(rng: Rng) -> np.ndarray:
    """The body knocked, a cable touched."""
    t = _time(rng.uniform(0.03, 0.2))
    low = np.sin(2 * np.pi * rng.uniform(35, 160) * t * np.exp(-t * rng.uniform(0, 4))) * np.exp(
        -t / rng.uniform(0.008, 0.05)
    )
    return low + 0.2 * rng.standard_normal(len(t)) * np.exp(-t / 0.003)


def click(rng: Rng) -> np.ndarray:
    """A pick on a string that does not sound."""
    return rng.standard_normal(500) * np.exp(-_time(500 / RATE)[:500] / rng.uniform(0.0005, 0.006))


NOISES: tuple[Callable[[Rng], np.ndarray], ...] = (chuck, chuck, squeak, squeak, scrape, thump, click)


def add_noises(rng: Rng, sound: np.ndarray, count: int, loudest_db: float, muted: list[np.ndarray]) -> None:
    """Adds `count` noises at random places, in place; peaks `loudest_db` - 24 .. `loudest_db`."""
    for _ in range(count):
        pick = int(rng.integers(len(NOISES) + (len(muted) > 0)))
        noise = NOISES[pick](rng) if pick < len(NOISES) else muted[rng.integers(len(muted))][:6000]
        start = int(rng.integers(0, len(sound) - len(noise)))
        gain = 10 ** ((loudest_db - rng.uniform(0, 24)) / 20)
        sound[start : start + len(noise)] += noise * (gain / (np.abs(noise).max() + 1e-9))


def through_chain(rng: Rng, sound: np.ndarray) -> np.ndarray:
    """Pickup, tone controls, amplifier, cabinet, room, compressor, level -45..-1 dBFS, hiss, hum: float32 in -1..1."""
    chance, u = rng.random, rng.uniform
    x = sound.astype(np.float64)
    if chance() < 0.3:
        delay = int(rng.integers(3, 40))
        x[delay:] -= u(0.2, 0.9) * x[:-delay].copy()
    for _ in range(int(rng.integers(0, 4))):
        x = lfilter(*_peaking(10 ** u(1.9, 3.95), u(0.4, 4), u(-14, 14)), x)
    if chance() < 0.3:
        x = lfilter(*butter(int(rng.integers(1, 3)), u(1500, 9000), fs=RATE), x)
    if chance() < 0.3:
        x = lfilter(*butter(1, u(40, 300), "high", fs=RATE), x)
    silent = np.abs(x).max() < 1e-3
    x /= np.abs(x).max() + 1e-6
    if chance() < 0.12:
        tail = rng.standard_normal(int(u(0.1, 0.5) * RATE))
        tail *= np.exp(-np.arange(len(tail)) / RATE / u(0.03, 0.12))
        x += fftconvolve(x, tail / np.sqrt((tail**2).sum()))[: len(x)] * 10 ** (u(-30, -12) / 20)
    if chance() < 0.15:
        x /= (_envelope(x, 0.01) + 0.03) ** u(0.2, 0.7)
        x /= np.abs(x).max() + 1e-9
    if chance() < 0.25:
        drive, bias = 10 ** (u(0, 30) / 20), u(-0.3, 0.3)
        x = np.tanh(drive * x + bias) - np.tanh(bias)
        x /= np.abs(x).max() + 1e-9
        if chance() < 0.5:
            x = lfilter(*butter(2, u(3000, 6000), fs=RATE), x)
    peak_db = u(-45, -28) if chance() < 0.12 else u(-32, -0.5)
    x = x * (0.0 if silent else 10 ** (peak_db / 20))
    hiss_db = u(-95, -46) if silent else u(-95, min(-46.0, peak_db - 22))
    x += _hiss(rng, len(x)) * 10 ** (hiss_db / 20)
    if chance() < 0.25:
        hum_db = u(-75, -36) if silent else u(-75, min(-38.0, peak_db - 16))
        x += _hum(rng, len(x)) * 10 ** (hum_db / 20)
    return np.clip(x, -1, 1).astype(np.float32)


def _hiss(rng: Rng, n: int) -> np.ndarray:
    noise = rng.standard_normal(n)
    if rng.random() < 0.6:
        noise = lfilter([1], [1, -rng.uniform(0.3, 0.97)], noise)
    return noise / noise.std()


def _hum(rng: Rng, n: int) -> np.ndarray:
    mains, t = rng.choice([50, 60]) * rng.uniform(0.998, 1.002), np.arange(n) / RATE
    return sum(
        rng.random() / k**0.5 * np.sin(2 * np.pi * mains * k * t + rng.uniform(0, 6)) for k in (1, 2, 3, 4, 5, 7, 9)
    )


def _envelope(x: np.ndarray, seconds: float) -> np.ndarray:
    pole = np.exp(-1 / (seconds * RATE))
    return lfilter([1 - pole], [1, -pole], np.abs(x))


def _peaking(hz: float, q: float, gain_db: float) -> tuple[np.ndarray, np.ndarray]:
    """A second-order equaliser band (R. Bristow-Johnson's cookbook)."""
    w = 2 * np.pi * hz / RATE
    alpha, a = np.sin(w) / 2 / q, 10 ** (gain_db / 40)
    return (
        np.array([1 + alpha * a, -2 * np.cos(w), 1 - alpha * a]) / (1 + alpha / a),
        np.array([1 + alpha / a, -2 * np.cos(w), 1 - alpha / a]) / (1 + alpha / a),
    )


def _time(seconds: float) -> np.ndarray:
    return np.arange(max(2, round(seconds * RATE))) / RATE
