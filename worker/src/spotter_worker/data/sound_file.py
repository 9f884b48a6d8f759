"""Owns reading one sound file: WAV or FLAC of any usual sample format, to mono floats at the wanted rate; and back.

libsndfile does the decoding (it knows every PCM width, float, A-law and what else lies in WAV files); what it lets pass
silently, cut-off files above all, is looked for here.
"""

from __future__ import annotations

import base64
import io
import math
import struct
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch

from .unreadable_file import UnreadableFileError

SUFFIXES = {".wav", ".wave", ".flac"}
# What a WAV says whose writer never came back to fill in the length.
UNKNOWN_SIZES = {0, 0xFFFFFFFF}


@dataclass(frozen=True)
class SoundFacts:
    sample_rate: int
    seconds: float


def look_at_sound(path: Path) -> SoundFacts:
    """The header only; a file that is no sound, or was cut off, is a ValueError."""
    import soundfile

    try:
        facts = soundfile.info(str(path))
    # libsndfile raises what it raises for broken files; each means the same to the user.
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise UnreadableFileError(path, "a sound", error) from error
    if facts.frames == 0:
        raise UnreadableFileError(path, "a sound", "it has no samples")
    _refuse_cut_wav(path)
    return SoundFacts(facts.samplerate, facts.frames / facts.samplerate)


def read_sound(path: Path, sample_rate: int, max_seconds: float) -> torch.Tensor:
    """(num_samples,) float32, about -1…1: channels averaged, resampled, the first `max_seconds`."""
    import soundfile

    facts = look_at_sound(path)
    wanted = min(
        math.ceil(max_seconds * facts.sample_rate), round(facts.seconds * facts.sample_rate)
    )
    try:
        samples, _ = soundfile.read(str(path), frames=wanted, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise UnreadableFileError(path, "a sound", error) from error
    if len(samples) < wanted:
        raise UnreadableFileError(
            path, "a sound", f"it ends after {len(samples)} of {wanted} samples"
        )
    if not numpy.isfinite(samples).all():
        raise UnreadableFileError(path, "a sound", "it holds samples that are no numbers")
    mono = samples.mean(axis=1)
    if facts.sample_rate != sample_rate:
        mono = _resample(mono, facts.sample_rate, sample_rate)
    return torch.from_numpy(numpy.ascontiguousarray(mono, dtype=numpy.float32))


def encode_wav(samples: torch.Tensor, sample_rate: int) -> str:
    """(num_samples,), about -1…1, as base64 of a WAV of 16 bits, which every browser plays."""
    whole = (samples.detach().float().cpu().clamp(-1, 1) * 32767).round().to(torch.int16)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(whole.numpy().astype("<i2").tobytes())
    return base64.b64encode(written.getvalue()).decode()


def _resample(samples: numpy.ndarray, have: int, want: int) -> numpy.ndarray:
    # Only where rates differ: importing scipy's signal part costs half a second of a start.
    from scipy.signal import resample_poly

    shared = math.gcd(have, want)
    resampled: numpy.ndarray = resample_poly(samples, want // shared, have // shared)
    return resampled


def _refuse_cut_wav(path: Path) -> None:
    """libsndfile reads what is left of a WAV that was cut off, and says nothing."""
    with open(path, "rb") as file:
        head = file.read(8)
    if head[:4] != b"RIFF" or len(head) < 8:
        return
    said = struct.unpack("<I", head[4:])[0]
    there = path.stat().st_size - 8
    # Some writers forget the padding byte of the last part.
    if said not in UNKNOWN_SIZES and said > there + 1:
        raise UnreadableFileError(
            path, "a sound", f"it was cut off: {there + 8} of {said + 8} bytes are there"
        )
