"""The base tier: a speech encoder of transformers, BEATs and any language model that we know, put together of a folder
(`soundflow.tiers.base_config`). The rest is nano's: one audio position a chunk, the same loop, the same training.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from soundflow import niceness
from soundflow.decide.backbones.backbone import Backbone
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.context import Context
from soundflow.decide.lalm import Lalm
from soundflow.decide.policy import Calibration
from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.perceiver import Perceiver
from soundflow.perceive.projector import Projector, tag_embeddings
from soundflow.perceive.senses import NoWords, Senses, SoundOf, SpeechOf, WordsSense
from soundflow.perceive.tags import TagCalibration
from soundflow.perceive.thresholds import Thresholds
from soundflow.perceive.vad import VoiceActivity
from soundflow.row import Model
from soundflow.tiers import checkpoint, hub, nano, room
from soundflow.tiers.base_config import CONFIG, BaseConfig, Place
from soundflow.tiers.level import LevelActivity

if TYPE_CHECKING:
    from soundflow.perceive.beats import Beats, BeatsEncoder
    from soundflow.perceive.encoder import EncoderSpec, StreamEncoder

DECISION_WORDS: Final = (" silent", " speak", " act")
UNTRAINED_BIAS: Final = (2.0, 0.0, -1.0)
"""With which training begins, too."""
NAMES: Final = "class_labels_indices.csv"
_MACHINE_ID: Final = re.compile(r"/[a-z]/\w+")


def load(
    folder: Path,
    dtype: torch.dtype | None = None,
    device: str = "cpu",
    eight_bit: bool = False,
    word_threads: int = 1,
    perceiver: Perceiver | None = None,
) -> Model:
    """Put a folder of the tier together.

    Args:
        dtype: of the language model; None is bfloat16 where the processor or GPU has it. Encoders run in float32.
        device: of language model and encoders, as of `soundflow.tiers.nano.load`.
        eight_bit: the language model's matrices in int8, where this machine's CPU multiplies them and config.json does
            not say how it is quantised.
        word_threads: recognitions at once.
        perceiver: one that somebody made (`hearing` makes one): the encoders are not loaded then.

    Raises:
        WeightsError: a part is missing, or a file is not what it should be.
        ConfigError: a wrong key of config.json, or an adapter that was trained for another length of chunk.
    """
    config, on = BaseConfig.read(folder), nano.device_of(device)
    saved = trained(folder, config)
    perceiver = perceiver or hearing(folder, words_worker(config, word_threads), device)
    place = hub.find(config.lm, folder)
    kind: Any = str(dtype or _dtype(on)).removeprefix("torch.")
    quantise: Any = config.quantise or ("int8" if nano.in_int8(eight_bit, on) else None)
    llama = Backbone(str(place), kind, quantise, str(on)).load(saved.deltas if saved else None)
    context = Context.load(place / "tokenizer.json")
    lalm = _lalm(folder, llama, context, outline(folder, config), saved, config.cache_tokens)
    room.check(lalm, context, place, f"{folder / CONFIG}: cache_tokens")
    calibration = saved.calibration if saved else Calibration()
    return Model("base", config.chunk_samples, perceiver, lalm, context, calibration)


def hearing(folder: Path, executor: Executor | None = None, device: str = "cpu") -> Perceiver:
    """The perceiver of a folder; `executor` as of `soundflow.tiers.kit.Kit.hearing`, errors as of `load`."""
    config = BaseConfig.read(folder)
    fitted = folder / "tags.json"
    tags = TagCalibration.load(fitted) if fitted.is_file() else None
    senses = _senses(folder, config, executor, device, tags.thresholds if tags else Thresholds())
    return Perceiver(senses, config.chunk_samples, tags)


def words_worker(config: BaseConfig, threads: int) -> Executor | None:
    """Recognises beside the step; None where there are no words."""
    return ThreadPoolExecutor(threads, "words", niceness.give_way, (niceness.WORDS,)) if config.words else None


def outline(folder: Path, config: BaseConfig) -> tuple[EncoderSpec, EncoderSpec]:
    """Of sound and speech encoder, without their weights; ConfigError as of `sound_encoder` and `speech_encoder`."""
    from soundflow.perceive.beats import Beats

    return _beats(folder, config, _named(folder, config, Beats.outline)).spec, _speech_spec(folder, config)


def trained(folder: Path, config: BaseConfig) -> checkpoint.Checkpoint | None:
    """What training left in the folder. ConfigError where it was for another length of chunk."""
    if not (folder / "adapter.json").is_file():
        return None
    saved = checkpoint.load(folder)
    if saved.chunk_ms != config.chunk_ms:
        raise ConfigError(f"{folder}: chunk_ms {saved.chunk_ms} was expected, as of its adapter; got {config.chunk_ms}")
    if saved.calibration.branch_weight:
        raise ConfigError(f"{folder / 'calibration.json'}: branch_weight 0 was expected: only nano has an alert branch")
    return saved


def sound_encoder(folder: Path, config: BaseConfig, device: str = "cpu") -> BeatsEncoder:
    """BEATs of the folder. ConfigError where it cannot name sounds, WeightsError as of `Beats.load`."""
    return _beats(folder, config, sound_model(folder, config).to(nano.device_of(device)))


def sound_model(folder: Path, config: BaseConfig) -> Beats:
    """The weights of `sound_encoder`, with AudioSet's display names in the place of its ids.

    Raises:
        ConfigError: the classes have ids or numbers only, and there is no table of their names: neither as `labels` of
            config.json nor as `class_labels_indices.csv` beside the checkpoint.
    """
    from soundflow.perceive.beats import Beats

    return _named(folder, config, Beats.load)


def _named(folder: Path, config: BaseConfig, read: Callable[[Path], Beats]) -> Beats:
    path = _sole(hub.find(config.sound, folder), ("*.safetensors", "*.pt", "*.pth"), "a checkpoint of BEATs")
    beats = read(path)
    if not beats.labels:
        raise ConfigError(f"{path}: a checkpoint that names sounds (fine-tuned on AudioSet) was expected")
    if any(_MACHINE_ID.fullmatch(x) for x in beats.labels) or beats.labels[0].isdecimal():
        table = folder / config.sound_labels if config.sound_labels else path.parent / NAMES
        beats.labels = _display_names(table, beats.labels)
    return beats


def _beats(folder: Path, config: BaseConfig, model: Beats) -> BeatsEncoder:
    from soundflow.perceive.beats import BeatsEncoder, BeatsWindow

    window = BeatsWindow(config.sound_left_ms, config.sound_look_ahead_ms, config.sound_pool_ms)
    try:
        return BeatsEncoder(model, config.chunk_samples, window)
    except ConfigError as error:
        raise ConfigError(f"{folder / CONFIG}: sound: {error}") from error


def speech_encoder(folder: Path, config: BaseConfig, device: str = "cpu") -> StreamEncoder:
    """The speech encoder of the folder; errors as of `soundflow.perceive.encoders.load`."""
    from soundflow.perceive import encoders

    place, on = hub.find(config.speech, folder), nano.device_of(device)
    size, left, ahead = config.chunk_samples, config.speech_left_ms, config.speech_look_ahead_ms
    try:
        return encoders.load(place, size, left, ahead, torch.float32, on)
    except ConfigError:
        _speech_spec(folder, config)
        raise


def _speech_spec(folder: Path, config: BaseConfig) -> EncoderSpec:
    """Without weights. ConfigError as of `soundflow.perceive.encoders.outline`; of times it names file and key."""
    from soundflow.perceive import encoders

    place, size = hub.find(config.speech, folder), config.chunk_samples
    left, ahead, where = config.speech_left_ms, config.speech_look_ahead_ms, f"{folder / CONFIG}: speech"

    def refused(left: int | None, ahead: int | None) -> bool:
        try:
            encoders.outline(place, size, left, ahead)
        except ConfigError:
            return True
        return False

    try:
        return encoders.outline(place, size, left, ahead)
    except ConfigError as error:
        if refused(None, None):
            raise  # whatever the times are
        if left and not refused(0, ahead):
            fits = bisect_left(range(left), True, key=lambda ms: refused(ms, ahead)) - 1
            raise ConfigError(f"{where}: left_ms: at most {fits} was expected, got {left}") from error
        raise ConfigError(f"{where}: {error}") from error


def vad_file(folder: Path, place: Place) -> Path:
    """Silero's file of the folder. WeightsError where there is none, or several."""
    return _sole(hub.find(place, folder), ("*.onnx",), "Silero's ONNX file")


def _senses(folder: Path, config: BaseConfig, executor: Executor | None, device: str, thresholds: Thresholds) -> Senses:
    sound = sound_encoder(folder, config, device)
    vad: VoiceActivity = LevelActivity()
    if config.vad:
        vad = VoiceActivity(vad_file(folder, config.vad))
    words: WordsSense = NoWords()
    if config.words:
        from soundflow.perceive.moonshine import Moonshine
        from soundflow.perceive.words import WordsChannel, WordsConfig

        heard = WordsConfig(speech_floor=thresholds.speech_floor)
        words = WordsChannel(Moonshine(hub.find(config.words, folder)), heard, executor)
    return Senses(vad, SoundOf(sound), SpeechOf(speech_encoder(folder, config, device)), words, sound.spec.labels)


def _lalm(
    folder: Path,
    llama: Decoder,
    context: Context,
    heard: tuple[EncoderSpec, EncoderSpec],
    saved: checkpoint.Checkpoint | None,
    cache_tokens: int,
) -> Lalm:
    """Trained, or as training begins: tags are heard as their names, and a decision is silence unless one is sure."""
    table = llama.embed.weight.float()
    sound, speech = heard
    named = tag_embeddings(table, [context.encode(x) for x in sound.labels])
    projector = Projector(named, sound.width, speech.width)
    if saved is None:
        words = [context.encode(word) for word in DECISION_WORDS]
        read: Tensor = tag_embeddings(table, words)
        written = tag_embeddings(llama.head.weight, words).cpu()
        return Lalm(llama, projector, read, written, torch.tensor(UNTRAINED_BIAS), cache_tokens)
    try:
        projector.load_state_dict(saved.projector)
    except RuntimeError as error:
        raise WeightsError(f"{folder}: the projector does not fit ({error})") from error
    width = llama.config.width
    if saved.decision_in.shape[-1] != width or saved.decision_out.shape[-1] != width:
        raise WeightsError(f"{folder}: decision rows of {width} were expected, got {saved.decision_in.shape[-1]}")
    return Lalm(llama, projector, saved.decision_in, saved.decision_out, saved.bias, cache_tokens)


def _sole(place: Path, patterns: tuple[str, ...], what: str) -> Path:
    """The file itself, or the only one of its kind in a folder."""
    if place.is_file():
        return place
    for pattern in patterns:
        found = sorted(place.glob(pattern))
        if len(found) == 1:
            return found[0]
        if found:
            raise WeightsError(f"{place}: one file was expected as {what}, got {', '.join(x.name for x in found)}")
    raise WeightsError(f"{place}: {what} was expected ({', '.join(patterns)})")


def _display_names(path: Path, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Names of AudioSet's ids (/m/09x0r), or of class numbers, by AudioSet's own table: index, mid, display_name."""
    if not path.is_file():
        raise ConfigError(f"{path}: AudioSet's table of names was expected, as the classes are {ids[0]!r}, {ids[-1]!r}")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        named = {row[key]: row["display_name"] for row in rows for key in ("mid", "index")}
        return tuple(named[x] for x in ids)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{path}: index, mid and display_name of every class were expected ({error})") from error


def _dtype(on: torch.device) -> torch.dtype:
    if on.type == "cpu":
        return checkpoint.host_dtype()
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
