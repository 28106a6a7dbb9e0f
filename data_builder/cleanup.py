"""Clip clean-up: silence cut, noise profile, denoise, core location, spectral smoothing, boundary normalisation.

Our reading of the clean-up that the paper names before it composes its streams. Each step is a pure function of
[N] float32 at 16 kHz; `clean` runs those that are switched on and reports what each did.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from data_builder.clips import FRAME, FloatArray, fade
from data_builder.stft import WINDOW, ComplexArray, inverse, level_db, powers, transform
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

LONGEST_S: Final = 600.0  # clean-up holds the spectrogram of a whole clip: about 1 MB a second
NOTHING_DB: Final = -100.0  # below this a frame is digital silence, no noise to learn from
AUDIBLE_DB: Final = -70.0  # below this a frame is silence, whatever the rest of the clip is
QUIETEST: Final = 10.0  # percentile of the frames' power that the noise is looked for at
SPREAD: Final = 2.0  # frames up to this many times that power are noise too, else its mean would come out too low
CONTRAST_DB: Final = 6.0  # a clip whose quietest frames are less below its sound has no noise of its own to tell
RAIL: Final = 0.999  # of full scale, from where on a sample counts as clipped
MOST_GAIN_DB: Final = 40.0


@dataclass(frozen=True, slots=True)
class Cleanup:
    """Which steps run, and how.

    `silence_db`: a frame this far below the strongest is silence. `gain_floor_db`: no cell of the spectrogram is
    lowered further. `over`: how many times the profile a cell must exceed before any of it stays. `core_share`: of the
    energy over the noise, that the core holds. `lead_s`, `tail_s`: how far the core may reach out over what is still
    above the noise. `level_db`: RMS wanted, None for the peak alone; the peak is the upper bound of both.
    Speech whose words are known wants `core` off: its faint ends hold words but little energy.
    """

    silence: bool = True
    denoise: bool = False
    core: bool = True
    smooth: bool = False
    boundary: bool = True
    silence_db: float = 50.0
    over: float = 3.0
    gain_floor_db: float = -18.0
    core_share: float = 0.95
    lead_s: float = 0.2
    tail_s: float = 0.5
    smooth_share: float = 0.5
    fade_s: float = 0.005
    peak: float = 0.8
    level_db: float | None = None

    def __post_init__(self) -> None:
        spans: dict[str, tuple[float, float]] = {
            "silence_db": (10.0, 100.0), "over": (1.0, 10.0), "gain_floor_db": (-60.0, 0.0), "core_share": (0.5, 0.999),
            "lead_s": (0.0, 5.0), "tail_s": (0.0, 5.0), "smooth_share": (0.0, 1.0), "fade_s": (0.0, 1.0),
            "peak": (0.01, 1.0), "level_db": (-80.0, 0.0),
        }  # fmt: skip
        for name, (low, high) in spans.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ConfigError(f"clean-up: {name}: expected {low:g} to {high:g}, got {value!r}")


@dataclass(frozen=True, slots=True)
class Profile:
    """Spectral floor of a clip: [257] mean power of its quietest frames, their level and how far the sound is above.

    `usable`: there are quiet frames that are not the sound itself.
    """

    power: NDArray[np.float32]
    floor_db: float
    contrast_db: float

    @property
    def usable(self) -> bool:
        return self.floor_db > NOTHING_DB and self.contrast_db >= CONTRAST_DB


@dataclass(frozen=True, slots=True)
class Report:
    """What `clean` did. Levels in dBFS, `steps` those that ran and found something to do.

    `head_s`, `tail_s`: silence cut. `snr_*_db`: level of the sound over the quietest frames. `core_at_s`: where the
    core begins in the clip as given, `core_s`: how long it is. `rough_*_db`: mean step between neighbouring bins.
    `clipped`: share of the samples given that lie at full scale.
    """

    steps: tuple[str, ...]
    seconds_in: float
    seconds_out: float
    head_s: float = 0.0
    tail_s: float = 0.0
    floor_db: float = -120.0
    snr_before_db: float = 0.0
    snr_after_db: float = 0.0
    core_at_s: float = 0.0
    core_s: float = 0.0
    rough_before_db: float = 0.0
    rough_after_db: float = 0.0
    dc: float = 0.0
    gain_db: float = 0.0
    clipped: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def frame_powers(x: FloatArray) -> NDArray[np.float64]:
    """[F] mean square of 10 ms frames about the clip's mean; a last frame that is not full counts what it holds."""
    centred = x - np.float32(x.mean(dtype=np.float64))
    starts = np.arange(0, len(x), FRAME)
    sums = np.add.reduceat(np.square(centred, dtype=np.float64), starts)
    return np.asarray(sums / np.minimum(FRAME, len(x) - starts), dtype=np.float64)


def silence_cut(x: FloatArray, below_db: float) -> tuple[int, int]:
    """[start, end) between silence at both ends; all of a clip that is nothing else."""
    power = frame_powers(x)
    limit = max(float(power.max()) * 10 ** (-below_db / 10), 10 ** (AUDIBLE_DB / 10))
    loud = np.flatnonzero(power > limit)
    if not len(loud):
        return 0, len(x)
    return int(loud[0]) * FRAME, min(len(x), (int(loud[-1]) + 1) * FRAME)


def noise_profile(x: FloatArray) -> Profile:
    """The spectral floor, out of the quietest frames that are not digital silence."""
    spectra = np.square(np.abs(transform(x)))[3:-3]  # without the frames that reach into the padding
    power = powers(spectra)
    heard = np.flatnonzero(power > 10 ** (NOTHING_DB / 10))
    if len(heard) < 10:
        return Profile(np.zeros(WINDOW // 2 + 1, dtype=np.float32), -120.0, 0.0)
    quiet = heard[power[heard] <= SPREAD * np.percentile(power[heard], QUIETEST)]
    floor = float(power[quiet].mean())
    sound = float(power[power > power.max() / 100].mean())
    contrast = 10 * float(np.log10(sound / floor))
    return Profile(spectra[quiet].mean(axis=0, dtype=np.float64).astype(np.float32), level_db(floor), contrast)


def denoise(x: FloatArray, profile: Profile, over: float, gain_floor_db: float) -> FloatArray:
    """[N] with the noise of `profile` lowered by at most `gain_floor_db`.

    The power that decides is averaged over 72 ms and 94 Hz and the gain again over 24 ms and 94 Hz, so that no lone
    cell opens (which would ring). A profile that is not usable leaves the clip as it is.
    """
    if not profile.usable:
        return x.copy()
    spectra = transform(x)
    power = uniform_filter(np.square(np.abs(spectra)), size=(9, 3), mode="nearest")
    lowest = 10 ** (gain_floor_db / 20)
    kept = 1.0 - over * profile.power / np.maximum(power, 1e-20)
    gain = uniform_filter(np.sqrt(np.maximum(kept, lowest * lowest)), size=(3, 3), mode="nearest")
    return inverse(np.asarray(spectra * np.maximum(gain, np.float32(lowest)), dtype=np.complex64), len(x))


def core(x: FloatArray, share: float, lead_s: float, tail_s: float) -> tuple[int, int]:
    """[start, end) of the event: the shortest stretch with `share` of the energy over the noise, reaching out.

    It reaches out over frames still 6 dB above the noise, by at most `lead_s` and `tail_s`. All of a clip whose
    loudest frame is not well above its quietest ones.
    """
    power = frame_powers(x)
    floor = float(np.percentile(power, QUIETEST))
    contrast = 10 ** (CONTRAST_DB / 10)
    if float(power.max()) <= max(10 ** (AUDIBLE_DB / 10), contrast * floor):
        return 0, len(x)
    total = np.concatenate([[0.0], np.cumsum(np.maximum(power - 2 * floor, 0.0))])
    ends = np.searchsorted(total, total[:-1] + share * total[-1])  # len(total) where too little is left
    lengths = np.where(ends < len(total), ends - np.arange(len(ends)), len(total))
    first = int(lengths.argmin())
    last = int(ends[first])
    above = power > contrast * floor
    earliest = max(0, first - int(lead_s * SAMPLE_RATE_HZ / FRAME))
    latest = min(len(power), last + int(tail_s * SAMPLE_RATE_HZ / FRAME))
    while first > earliest and above[first - 1]:
        first -= 1
    while last < latest and above[last]:
        last += 1
    return first * FRAME, min(len(x), last * FRAME)


def roughness_db(spectra: ComplexArray) -> float:
    """Mean step in dB between neighbouring bins of [F, 257], cells below -100 dBFS taken as that."""
    db = 10 * np.log10(np.square(np.abs(spectra)) / WINDOW**2 + 1e-10)
    return float(np.abs(np.diff(db, axis=1)).mean())


def smooth(x: FloatArray, share: float) -> FloatArray:
    """[N] whose magnitudes are mixed with their mean over three bins by `share`; each frame keeps energy and phase."""
    spectra = transform(x)
    size = np.abs(spectra)
    mixed = (1 - share) * size + share * uniform_filter(size, size=(1, 3), mode="nearest")
    energy = np.sum(size * size, axis=1) / np.maximum(np.sum(mixed * mixed, axis=1), 1e-20)
    scaled = mixed * np.sqrt(energy)[:, None] / np.maximum(size, 1e-20)
    return inverse(np.asarray(spectra * scaled, dtype=np.complex64), len(x))


def boundary(x: FloatArray, fade_s: float, peak: float, rms_db: float | None) -> tuple[FloatArray, float, float]:
    """[N] without DC, faded at both ends, at the level wanted; the DC removed and the gain in dB.

    What is left of a clip that held nothing but DC or silence is not amplified.
    """
    dc = float(x.mean(dtype=np.float64))
    y = fade(np.asarray(x - np.float32(dc), dtype=np.float32), int(fade_s * SAMPLE_RATE_HZ))
    top = float(np.abs(y).max())
    rms = float(np.sqrt(np.mean(np.square(y, dtype=np.float64))))
    if top < 1e-4:
        return y, dc, 0.0
    gain = peak / top
    if rms_db is not None:
        gain = min(gain, 10 ** (rms_db / 20) / rms)
    gain = min(gain, 10 ** (MOST_GAIN_DB / 20))
    return np.clip(y * np.float32(gain), -peak, peak).astype(np.float32), dc, 20 * float(np.log10(gain))


def clean(x: FloatArray, config: Cleanup | None = None) -> tuple[FloatArray, Report]:
    """[N] float32 at 16 kHz -> the clip after the steps that `config` switches on, and what they did.

    With every step off the samples come back as they were, bit for bit. Raises DataError for a clip that is empty, too
    long, of another type or shape, or not finite.
    """
    config = config or Cleanup()
    most = int(LONGEST_S * SAMPLE_RATE_HZ)
    if x.ndim != 1 or x.dtype != np.float32 or not 0 < len(x) <= most:
        raise DataError(f"clean-up: expected 1 to {most} float32 samples, got shape {x.shape} of {x.dtype}")
    if not np.isfinite(x).all():
        raise DataError("clean-up: expected finite samples, got NaN or infinity")
    did: dict[str, float] = {"clipped": float(np.mean(np.abs(x) >= RAIL)), "seconds_in": len(x) / SAMPLE_RATE_HZ}
    steps: list[str] = []
    y, at = x.copy(), 0
    if config.silence:
        start, end = silence_cut(y, config.silence_db)
        did |= {"head_s": start / SAMPLE_RATE_HZ, "tail_s": (len(y) - end) / SAMPLE_RATE_HZ}
        steps += ["silence"] * (end - start < len(y))
        y, at = y[start:end], start
    profile = noise_profile(y)
    did |= {"floor_db": profile.floor_db, "snr_before_db": profile.contrast_db, "snr_after_db": profile.contrast_db}
    if config.denoise and profile.usable:
        y = denoise(y, profile, config.over, config.gain_floor_db)
        did["snr_after_db"] = noise_profile(y).contrast_db
        steps.append("denoise")
    if config.core:
        start, end = core(y, config.core_share, config.lead_s, config.tail_s)
        steps += ["core"] * (end - start < len(y))
        y, at = y[start:end], at + start
    did |= {"core_at_s": at / SAMPLE_RATE_HZ, "core_s": len(y) / SAMPLE_RATE_HZ}
    if config.smooth:
        did["rough_before_db"] = roughness_db(transform(y))
        y = smooth(y, config.smooth_share)
        did["rough_after_db"] = roughness_db(transform(y))
        steps.append("smooth")
    if config.boundary:
        y, did["dc"], did["gain_db"] = boundary(y, config.fade_s, config.peak, config.level_db)
        steps.append("boundary")
    did["seconds_out"] = len(y) / SAMPLE_RATE_HZ
    return np.ascontiguousarray(y), Report(steps=tuple(steps), **did)
