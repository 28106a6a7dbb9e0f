"""The nano tier: Moonshine tiny, Silero, YAMNet and SmolLM2-135M with our adapter, on two CPU cores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from soundflow import int8, niceness
from soundflow.clock import chunk_samples
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.context import Context
from soundflow.decide.lalm import Lalm
from soundflow.errors import ConfigError, WeightsError
from soundflow.loop import Model
from soundflow.perceive.named import FILE, NamedSounds
from soundflow.perceive.own import OwnSounds
from soundflow.perceive.perceiver import Parts, Perceiver
from soundflow.perceive.projector import Projector, tag_embeddings
from soundflow.perceive.sound import labels
from soundflow.tiers import checkpoint, weights

ADAPTER = Path(__file__).parent / "nano_adapter"
SOUND_WIDTH, SPEECH_WIDTH = 1024, 288
CACHE_TOKENS = 256


def parts(branch: Path | None = None) -> Parts:
    """Folders and files of the pretrained parts, with our `branch`; WeightsError where the tier was not pulled."""
    vad = weights.part("vad") / "silero_vad_16k_op15.onnx"
    return Parts(asr=weights.part("asr"), vad=vad, sound=weights.part("sound") / "yamnet.tflite", branch=branch)


def load(
    chunk_ms: int | None = None,
    adapter: Path | None = None,
    threads: int = 1,
    dtype: torch.dtype | None = None,
    eight_bit: bool = False,
    word_threads: int = 1,
    device: str = "cpu",
    perceiver: Perceiver | None = None,
) -> Model:
    """Put the tier together.

    Args:
        chunk_ms: refused where it is not the length that the adapter was trained for.
        adapter: folder of a checkpoint; None is the one that ships with the package.
        threads: of torch, for the LALM. One leaves the other core to words and replies; two are slower beside them.
        dtype: of the LALM; None is bfloat16 where the processor or GPU has it.
        eight_bit: the matrices of LALM and sound encoder in int8, where this machine's CPU multiplies them
            (`soundflow.int8`).
        word_threads: recognitions at once.
        device: of LALM and sound encoder: cpu, cuda, cuda:N; auto is a GPU where there is one.
        perceiver: one that somebody made (`hearing` makes one); `word_threads` says nothing then.

    Raises:
        WeightsError: the tier was not pulled, or a file is not what it should be.
        ConfigError: a wrong chunk length or adapter field, or a GPU that is not there.
    """
    folder = adapter or ADAPTER
    saved = checkpoint.load(folder)
    if chunk_ms is not None and chunk_ms != saved.chunk_ms:
        raise ConfigError(f"--chunk-ms {saved.chunk_ms} was expected: the adapter was trained for it; got {chunk_ms}")
    on = device_of(device)
    torch.set_num_threads(threads)
    lm = weights.part("lm")
    perceiver = perceiver or hearing(folder, eight_bit, word_threads, device)
    llama = Decoder.load(lm, dtype or _dtype(on), saved.deltas)
    if in_int8(eight_bit, on):
        llama.to_int8()
    if on.type != "cpu":
        llama.to_device(on)
    context = Context.load(lm / "tokenizer.json")
    named = tag_embeddings(llama.embed.weight.float(), [context.encode(label) for label in perceiver.labels])
    projector = Projector(named, SOUND_WIDTH, SPEECH_WIDTH)
    try:
        projector.load_state_dict(saved.projector)
    except RuntimeError as error:
        raise WeightsError(f"{folder}: the projector does not fit ({error})") from error
    lalm = Lalm(llama, projector, saved.decision_in, saved.decision_out, saved.bias, CACHE_TOKENS)
    return Model("nano", chunk_samples(saved.chunk_ms), perceiver, lalm, context, saved.calibration)


def hearing(
    adapter: Path | None = None, eight_bit: bool = False, word_threads: int = 1, device: str = "cpu"
) -> Perceiver:
    """The perceiver of the tier; arguments and errors as of `load`."""
    folder = adapter or ADAPTER
    saved, branch, on = checkpoint.load(folder), checkpoint.branch(folder), device_of(device)
    if saved.calibration.branch_weight and branch is None:
        raise WeightsError(f"{folder}: alert.safetensors was expected, as calibration.json gives the branch a weight")
    worker = ThreadPoolExecutor(word_threads, "words", niceness.give_way, (niceness.WORDS,))
    own, named = OwnSounds.load(folder), heads(folder)
    made = Perceiver(parts(branch), chunk_samples(saved.chunk_ms), saved.tags, worker, own, named)
    if in_int8(eight_bit, on):
        made.to_int8()
    if on.type != "cpu":
        made.to_device(on)
    return made


def heads(adapter: Path) -> NamedSounds | None:
    """The heads that name sounds beside an adapter. WeightsError where they are broken, or of another encoder."""
    found = NamedSounds.load(adapter)
    if found is not None and (width := found.weight.shape[1]) != SOUND_WIDTH:
        raise WeightsError(f"{adapter / FILE}: heads over {SOUND_WIDTH} numbers were expected, got {width}")
    return found


def heard(adapter: Path | None = None) -> tuple[tuple[str, ...], OwnSounds, int, frozenset[str]]:
    """What `hearing` will say of itself, without loading it: labels, taught sounds, samples of a chunk, labels with a
    head."""
    folder = adapter or ADAPTER
    size = chunk_samples(checkpoint.load(folder).chunk_ms)
    return labels(parts().sound), OwnSounds.load(folder), size, headed(folder)


def headed(adapter: Path) -> frozenset[str]:
    """Labels that the heads beside an adapter name."""
    found = heads(adapter)
    return found.labels if found else frozenset()


def in_int8(wanted: bool, on: torch.device) -> bool:
    """Whether matrices are to be in int8 there."""
    return wanted and on.type == "cpu" and int8.available()


def device_of(name: str) -> torch.device:
    """`name` as in `load`. ConfigError where there is no such device."""
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    try:
        found = torch.device("cuda" if name == "auto" else name)
    except RuntimeError as error:
        raise ConfigError(f"device: auto, cpu, cuda or cuda:N was expected, got {name!r}") from error
    count = torch.cuda.device_count() if found.type == "cuda" else 0
    if (found.index or 0) >= count:
        raise ConfigError(f"device {name!r}: a GPU was expected, torch sees {count} of CUDA here")
    return found


def _dtype(on: torch.device) -> torch.dtype:
    if on.type == "cpu":
        return checkpoint.host_dtype()
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
