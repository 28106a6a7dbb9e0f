"""The sample layout of the paper's corpus (StreamAudio-2M): a stream cut into turns, a WAV file a turn.

{"id", "stream_scene_type", "num_turns", "turns": [{"user", "assistant", "emotion", "scene_type", "audio_path"}]}, as
the README of xzf-thu/Audio-Interaction shows it; `assistant` is SILENCE where the model is to stay silent. We add
`instruction` where a stream has one.

What the layout cannot hold, and what `read` puts in its place:

- where in a turn an utterance or sound lies: the audible part of the turn's audio;
- the end of the evidence: that of the audible part, where the label rule then gives the turn's last chunk (clock
  "endpoint"; for a turn without words, or where that fails, "end"); else the latest one that gives it (clock "end");
- what kind of sound was answered: an event with the label "unknown"; sounds that were left alone are lost;
- roles, speakers, licences, gains, delays, tool sets, rooms: empty, or `licence` as the caller states it;
- acts: `write` makes {"name", "arguments"} JSON of a call, and `read` takes such an answer for an act.

Their emotion stands in front of the reply; a response of ours has none, so that of the user is written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from data_builder.clips import audible
from data_builder.schema import CHUNK, DELAY_MS, Response, Sample, SoundEvent, Speech, due_chunk
from data_builder.shards import write_json
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

SILENCE: Final = "<no need to response>"
KEYS: Final = ("user", "assistant", "emotion", "scene_type", "audio_path")
TO_PAPER: Final = {"neutral": "normal", "calm": "normal", "happy": "happy", "sad": "sad", "angry": "angry"}
TO_PAPER_AFRAID: Final = "urgent"  # the nearest of their six: happy, sad, angry, surprise, normal, urgent
FROM_PAPER: Final = {"normal": "neutral", "happy": "happy", "sad": "sad", "angry": "angry", "urgent": "afraid"}
MAX_JSON: Final = 16 << 20
MAX_TURNS: Final = 1_000
MAX_SAMPLES: Final = 600 * SR
MADE_OF: Final = "StreamAudio-2M"

Pcm = NDArray[np.int16]


def safe_name(text: str) -> str:
    """A file name of letters, digits, '.', '_' and '-'; one that had to be changed gets a hash of the old one."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".-")[:100]
    return name if name == text and name else f"{name or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def write(meta: dict[str, Any], pcm: Pcm, folder: Path) -> Path:
    """Write a sample (JSON form and audio [N]) under `folder`: `lay_out` and its JSON, whose path is returned."""
    body = lay_out(meta, pcm, folder)
    out = folder / f"{safe_name(str(meta['id']))}.json"
    write_json(out, body)
    return out


def lay_out(meta: dict[str, Any], pcm: Pcm, folder: Path) -> dict[str, Any]:
    """Write the WAV files of a sample under `folder`; returns its JSON in the paper's layout.

    Raises DataError where two responses are due in one chunk, or one after the end of the audio.
    """
    name, group = safe_name(str(meta["id"])), safe_name(str(meta["subtask"]))
    place = str((meta.get("scenario") or {}).get("place") or meta["ability"] or "unknown")
    cuts = _cuts(meta, len(pcm))
    kept = _kept(meta, len(cuts))
    (folder / group / name).mkdir(parents=True, exist_ok=True)
    turns = []
    start = 0
    for k, (end, response) in enumerate(cuts):
        path = f"{group}/{name}/turn_{k}.wav"
        heard = [s for s in meta["speech"] if start < s["offset"] <= end and s.get("role", "user") != "television"]
        emotions = [s.get("emotion", "neutral") for s in heard if s["addressed"]]
        turn = {
            "user": " ".join(s["text"] or s.get("heard", "") for s in heard).strip(),
            "assistant": _answer(response),
            "emotion": _emotion(emotions[-1] if emotions else "neutral"),
            "scene_type": place,
            "audio_path": path,
        }
        length = end - start
        if kept:
            turn |= {key: kept[k][key] for key in ("emotion", "scene_type")}
            length = min(length, int(kept[k]["samples"]))
        sf.write(folder / path, pcm[start : start + length], SR, format="WAV", subtype="PCM_16")
        turns.append(turn)
        start = end
    scene = (meta.get("scenario") or {}).get("stream_scene_type") or place
    body = {"id": meta["id"], "stream_scene_type": scene, "num_turns": len(turns), "turns": turns}
    if meta["instruction"]:
        body["instruction"] = meta["instruction"]
    return body


def _cuts(meta: dict[str, Any], n: int) -> list[tuple[int, dict[str, Any] | None]]:
    """(end, response) of each turn: it ends with the chunk of a response, or where a turn that was read had ended."""
    chunk = meta.get("chunk", CHUNK)
    due: dict[int, dict[str, Any]] = {}
    for r in meta["responses"]:
        end = (r["due_chunk"] + 1) * chunk
        if end > n or end in due:
            raise DataError(
                f"responses: expected one a chunk inside {n} samples, got one in chunk {r['due_chunk']}",
                str(meta["id"]),
            )
        due[end] = r
    return [(end, due.get(end)) for end in sorted({*due, *_read_ends(meta), n})]


def _read_ends(meta: dict[str, Any]) -> list[int]:
    kept, chunk = (meta.get("scenario") or {}).get("turns"), meta.get("chunk", CHUNK)
    ends = [0]
    for turn in kept if isinstance(kept, list) else ():
        ends.append(ends[-1] + -(-int(turn["samples"]) // chunk) * chunk)
    return ends[1:] if ends[-1] == meta["samples"] else []


def _kept(meta: dict[str, Any], turns: int) -> list[dict[str, Any]]:
    """What `read` kept of the turns that a sample was read from."""
    kept = (meta.get("scenario") or {}).get("turns")
    return kept if isinstance(kept, list) and len(kept) == turns else []


def _emotion(ours: str) -> str:
    return TO_PAPER_AFRAID if ours == "afraid" else TO_PAPER.get(ours, "normal")


def _answer(response: dict[str, Any] | None) -> str:
    if response is None:
        return SILENCE
    if response["kind"] == "act":
        return json.dumps(response["call"], ensure_ascii=False, sort_keys=True)
    return str(response["text"])


def _call(answer: str) -> dict[str, Any] | None:
    try:
        call = json.loads(answer) if answer.startswith("{") else None
    except ValueError:
        return None
    if not isinstance(call, dict) or set(call) != {"name", "arguments"}:
        return None
    return call if isinstance(call["name"], str) and isinstance(call["arguments"], dict) else None


def read(
    path: Path, split: str = "train", licence: str = "not stated"
) -> tuple[list[dict[str, str]], dict[str, Any], Pcm]:
    """(turns, JSON form of a sample of schema 2, audio int16 [N]) of a JSON file.

    N is a whole number of chunks: a turn that is not is filled up with zeros, so that its response is due in its last
    chunk. A stream may be shorter or longer than `soundflow data check` allows. Raises DataError that names file and
    key for bad JSON, missing keys or audio, paths that leave the folder, wrong rates.
    """
    if not path.is_file():
        raise DataError("expected a JSON file, got none", str(path))
    if path.stat().st_size > MAX_JSON:
        raise DataError(f"expected at most {MAX_JSON} bytes, got {path.stat().st_size}", str(path))
    return parse(path.read_bytes(), path.parent, str(path), split, licence)


def read_lines(
    path: Path, split: str = "train", licence: str = "not stated"
) -> Iterator[tuple[list[dict[str, str]], dict[str, Any], Pcm]]:
    """As `read`, of each line of a JSON Lines file."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_JSON + 1), b""), 1):
            where = f"{path}:{number}"
            if len(line) > MAX_JSON:
                raise DataError(f"expected lines of at most {MAX_JSON} bytes", where)
            if line.strip():
                yield parse(line, path.parent, where, split, licence)


def parse(
    body: bytes, folder: Path, where: str, split: str, licence: str
) -> tuple[list[dict[str, str]], dict[str, Any], Pcm]:
    """As `read`, of JSON whose audio lies under `folder`; `where` names it in errors."""
    stream, turns = _checked(body, where)
    audio = [_audio(folder, t["audio_path"], f"{where}: turns[{k}].audio_path") for k, t in enumerate(turns)]
    if sum(map(len, audio)) > MAX_SAMPLES:
        raise DataError(f"turns: expected at most {MAX_SAMPLES / SR:.0f} s, got more", where)
    first = PurePosixPath(turns[0]["audio_path"]).parts
    group = first[0] if len(first) > 1 else "paper"
    name = str(stream.get("id") or Path(where).stem)
    sample = Sample(safe_name(name), 0, split, group, "", True, 0, str(stream.get("instruction", "")))
    pieces: list[Pcm] = []
    for k, (turn, piece) in enumerate(zip(turns, audio, strict=True)):
        _add_turn(sample, k, turn, piece, licence)
        pieces += [piece, np.zeros(-len(piece) % CHUNK, dtype=np.int16)]
        sample.samples += len(piece) + len(pieces[-1])
    sample.negative = not sample.responses
    sample.licences = [licence]
    sample.mix = {"bed": "unknown"}
    kept = [{"emotion": t["emotion"], "scene_type": t["scene_type"], "samples": len(a)}
            for t, a in zip(turns, audio, strict=True)]  # fmt: skip
    scene = str(stream.get("stream_scene_type") or turns[0]["scene_type"])
    sample.scenario = {
        "origin": "paper_layout",
        "place": turns[0]["scene_type"],
        "stream_scene_type": scene,
        "turns": kept,
    }
    return turns, sample.to_dict(), np.concatenate(pieces)


def _checked(body: bytes, where: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
    try:
        stream = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise DataError(f"expected JSON: {err}", where) from err
    rows = stream.get("turns") if isinstance(stream, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_TURNS:
        raise DataError(f"key 'turns': expected a list of 1 to {MAX_TURNS} turns, got {str(rows)[:60]}", where)
    told = stream.get("num_turns", len(rows))
    if told != len(rows):
        raise DataError(f"key 'num_turns': expected {len(rows)}, got {told!r}", where)
    for k, row in enumerate(rows):
        for key in KEYS:
            value = row.get(key) if isinstance(row, dict) else None
            if not isinstance(value, str) or (key in ("assistant", "audio_path") and not value):
                raise DataError(f"key 'turns[{k}].{key}': expected a string, got {str(value)[:60]!r}", where)
    return stream, [{key: row[key] for key in KEYS} for row in rows]


def _audio(folder: Path, name: str, where: str) -> Pcm:
    """Audio [N] of a turn. Raises DataError for a path that leaves `folder`, and for what is not 16 kHz mono."""
    pure = PurePosixPath(name)
    bad = pure.is_absolute() or ".." in pure.parts or re.search(r"[\x00-\x1f\\]|^[A-Za-z]:", name)
    if bad or not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise DataError(f"expected a relative path inside {folder}, got {name!r}", where)
    if not (folder / name).is_file():
        raise DataError(f"expected audio at {folder / name}, got none", where)
    try:
        with sf.SoundFile(folder / name) as file:
            if file.samplerate != SR or file.channels != 1:
                raise DataError(f"expected {SR} Hz mono, got {file.samplerate} Hz, {file.channels} channels", where)
            if not 0 < file.frames <= MAX_SAMPLES:
                raise DataError(f"expected 1 to {MAX_SAMPLES} samples, got {file.frames}", where)
            audio = file.read(dtype="int16")
    except (sf.LibsndfileError, OSError) as err:
        raise DataError(f"expected an audio file: {err}", where) from err
    if not len(audio):
        raise DataError(f"expected audio in {name!r}, got none", where)
    return np.asarray(audio, dtype=np.int16)


def _add_turn(sample: Sample, k: int, turn: dict[str, str], piece: Pcm, licence: str) -> None:
    """Append a turn that begins at the present end of `sample`: its item, its response or why there is none."""
    start, source = sample.samples, f"paper:{turn['audio_path']}"
    sample.sources.append({"source": source, "licence": licence, "dataset": MADE_OF, "speaker": ""})
    answered, words = turn["assistant"] != SILENCE, turn["user"]
    if not answered and not words:
        return
    try:
        onset, offset = audible(piece.astype(np.float32) / np.float32(32768))
    except DataError:  # digital silence
        onset, offset = 0, len(piece)
    onset, offset = start + onset, start + offset
    name = f"{'s' if words else 'e'}{k}"
    last = (start + len(piece) - 1) // CHUNK
    evidence, delay, clock = _evidence(offset, start + len(piece), last, bool(words))
    if words:
        emotion = FROM_PAPER.get(turn["emotion"], "neutral")
        role = "user" if answered else "bystander"
        sample.speech.append(
            Speech(name, onset, offset, words, source, answered, "", 0.0, licence, emotion=emotion, role=role)
        )
    else:
        sample.events.append(
            SoundEvent(name, "unknown", "event", onset, offset, min(evidence, offset), 0.0, source, licence, "context")
        )
    if not answered:
        sample.avoid.append({"id": name, "onset": onset, "offset": offset, "reason": "no response in the paper's turn"})
        return
    call = _call(turn["assistant"])
    kind, text = ("act", "") if call else ("speak", turn["assistant"])
    sample.responses.append(Response(kind, evidence, last, delay, name, clock, text, call))


def _evidence(offset: int, end: int, last: int, words: bool) -> tuple[int, int, str]:
    """(end of the evidence, delay in ms, clock) by which a response is due in chunk `last`, the turn's last one."""
    for clock in ("endpoint", "end") if words else ("end",):
        for delay in range(DELAY_MS[0], DELAY_MS[1] + 1):
            if due_chunk(offset, delay, clock) == last:
                return offset, delay, clock
    delay = DELAY_MS[0]
    return min(end, (last + 1) * CHUNK - 1 - delay * SR // 1000), delay, "end"
