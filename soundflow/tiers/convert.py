"""The language model's GGUF file as safetensors, done once at `soundflow models pull`.

Runs as a child process (`python -m soundflow.tiers.convert GGUF FOLDER`): the 1.5 GB it needs and the chatter of the
libraries end with it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import soundflow
from soundflow.errors import WeightsError

_LAST_LINES = 4


def tensors_sha256(path: Path) -> str:
    """Hash of names, types, shapes and values of a safetensors file, in name order: the same for any container layout.

    Raises:
        WeightsError: not a safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    digest = hashlib.sha256()
    try:
        with safe_open(str(path), framework="numpy") as tensors:
            for name in sorted(tensors.keys()):
                value = tensors.get_tensor(name)
                digest.update(f"{name} {value.dtype} {value.shape}\n".encode())
                digest.update(value.tobytes())
    except SafetensorError as error:
        raise WeightsError(f"{path}: expected a safetensors file: {error}") from error
    return digest.hexdigest()


def convert(gguf: Path, folder: Path) -> None:
    """Write model.safetensors (fp16, tied embeddings), config, tokenizer and chat template of a Llama-class GGUF.

    Run it in a process of its own: it lowers the log level of transformers. `run` does.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    # transformers prefers what lies beside the GGUF (an older config or tokenizer), so it gets a folder without that.
    alone = folder / "source"
    alone.mkdir()
    (alone / gguf.name).symlink_to(gguf.resolve())
    read = AutoModelForCausalLM.from_pretrained(alone, gguf_file=gguf.name, dtype=torch.float32)
    config = read.config
    # The file is plain fp16 from here on; with this key transformers would look for the GGUF again.
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = LlamaForCausalLM(config)
    model.load_state_dict(read.state_dict())
    model.to(torch.float16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(alone, gguf_file=gguf.name).save_pretrained(folder)
    shutil.rmtree(alone)


def run(gguf: Path, folder: Path) -> None:
    """`convert` in a child process.

    Raises:
        WeightsError: it failed; the message holds the last lines it printed.
    """
    root = str(Path(soundflow.__file__).parents[1])
    path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p)
    command = [sys.executable, "-m", "soundflow.tiers.convert", str(gguf), str(folder)]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        tail = " | ".join((done.stderr or done.stdout).strip().splitlines()[-_LAST_LINES:])
        memory = " (stopped by the system: it needs about 1.5 GB of free memory)" if done.returncode < 0 else ""
        raise WeightsError(
            f"converting {gguf.name} failed with status {done.returncode}{memory}: {tail or 'no output'}; "
            "check that torch, transformers and gguf are installed, then pull again"
        )


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
