"""Files of a repository on the Hugging Face hub: the one place that downloads them, and which of them a part needs.

Weights come as safetensors or ONNX, the rest is text: nothing that could run code. Many repositories hold the same
weights several times (other precisions, ONNX, the author's own format); only those that are read are fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Final

from soundflow.errors import WeightsError

HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")
REVISION: Final = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`name in wanted`: whether a file is, by its path in the repository or folder. Patterns are `fnmatch`'s over the
    whole path, so that `*` stands for folders, too; what `left` matches is not wanted whatever `taken` says."""

    taken: tuple[str, ...]
    left: tuple[str, ...] = ("*/*",)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and _any(path, self.taken) and not _any(path, self.left)


_SAME_AGAIN: Final = ("*/*", "consolidated*", "adapter_*", "model.fp32*", "model.fp16*")
"""Other formats and precisions of the same weights: in folders of their own (onnx/, original/), as Mistral names them
(consolidated.safetensors), as transformers' variants (openai/whisper-large-v3 has model.fp32-00001-of-00002)."""
LM: Final = Wanted(
    (
        *("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer.json"),
        *("tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "LICENSE*"),
    ),
    _SAME_AGAIN,
)
SPEECH: Final = Wanted(
    ("*.safetensors", "config.json", "preprocessor_config.json", "processor_config.json", "LICENSE*"), _SAME_AGAIN
)
WORDS: Final = Wanted(("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin", "LICENSE*"))


def one_file(path: str, beside: Iterable[str] = ()) -> Wanted:
    """That file alone, with those of the names `beside` it that are there, and a licence."""
    folder = PurePosixPath(path).parent
    return Wanted((*(escape(str(x)) for x in (path, *(folder / name for name in beside))), "LICENSE*"), ("LICENSE*/*",))


def download(name: str, revision: str | None, wanted: Wanted, folder: Path | None = None) -> Path:
    """Fetch what is wanted of a repository and is not here yet -> where it lies, by the paths of the repository.

    Args:
        name: owner/name.
        revision: a branch, tag or commit; None is the default branch.
        folder: None is the hub's own cache.

    Raises:
        WeightsError: no such repository, one that asks for an account, nothing in it that is wanted, or no network.
    """
    from huggingface_hub import list_repo_files, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    # Its client raises the errors of whichever HTTP library it was built on; they share the bases of its own error.
    failures: tuple[type[Exception], ...] = (OSError, ValueError, *HfHubHTTPError.__bases__)
    said = f"{name}@{revision}" if revision else name
    try:
        names = list_repo_files(name, revision=revision)
        files = [path for path in names if path in wanted]
        if not files:
            raise WeightsError(f"{said}: one of {', '.join(wanted.taken)} was expected, got {_some(names)}")
        exact = [escape(path) for path in files]
        found = Path(snapshot_download(name, revision=revision, allow_patterns=exact, local_dir=folder))
    except LocalEntryNotFoundError as error:
        raise WeightsError(f"{said}: cannot be fetched: {error}") from error
    except GatedRepoError as error:
        raise WeightsError(f"{said}: asks for an account with access to it (HF_TOKEN): {error}") from error
    except HfHubHTTPError as error:
        raise WeightsError(f"{said}: a model of the hub was expected: {error}") from error
    except failures as error:
        raise WeightsError(f"{said}: cannot be fetched: {type(error).__name__}: {error}") from error
    if absent := [path for path in files if not (found / path).is_file()]:  # its client lets a lost network pass
        raise WeightsError(f"{said}: cannot be fetched: {_some(absent)} did not come")
    return found


def cached(name: str, revision: str | None, wanted: Wanted) -> Path | None:
    """Where `download` left a repository in the hub's own cache; asks nobody. None where not all of it is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    taken, left = list(wanted.taken), list(wanted.left)
    try:
        return Path(
            snapshot_download(
                name, revision=revision, allow_patterns=taken, ignore_patterns=left, local_files_only=True
            )
        )
    except LocalEntryNotFoundError:
        return None


def _any(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "nothing"
