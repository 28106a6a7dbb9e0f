"""Networks under ONNX Runtime on the CPU that keep their weights in memory, and nothing of what they were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from soundflow.errors import WeightsError

_SHRINK: Final = ("memory.enable_memory_arena_shrinkage", "cpu:0")

Arena = Literal["kept", "shrunk", "none"]


class Network:
    """One model file. Thread-safe: sessions of ONNX Runtime may run from several threads.

    Its arena would keep the most that any run has ever wanted: 195 MB of a voice after a sentence of 40 words, 170 MB
    of a recogniser after 29 s of speech; plans of memory would be kept for every length of input. There are no plans
    here. What is done with the arena is told by `arena`:

    - "kept": as it is, for inputs of one length.
    - "shrunk": it gives back after each run what is free (onnxruntime.ai, "Memory consumption"), so all but what the
      last run's outputs lie in, 2 to 12 MB of a recogniser. A tenth more time of a voice.
    - "none": blocks come from the C library. A recogniser then stays within 0.6 MB over any lengths, for a tenth more
      of its time, less where the heap keeps blocks of a few megabytes (`serving/heap.py`).

    Args:
        what: the file should be, for the message.
        threads: of one run.
        arena: see above.

    Raises:
        WeightsError: no such file, or one that ONNX Runtime refuses.
    """

    def __init__(self, path: Path, what: str = "an ONNX model", threads: int = 1, arena: Arena = "shrunk") -> None:
        import onnxruntime

        if not path.is_file():
            raise WeightsError(f"{path}: {what} was expected, no such file; run `soundflow models pull nano`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = arena != "none"
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            # onnxruntime has no common base of its errors.
            raise WeightsError(f"{path}: {what} was expected, got a file it refuses: {error}") from error
        self._run_options: Any = None
        if arena == "shrunk":
            self._run_options = onnxruntime.RunOptions()
            self._run_options.add_run_config_entry(*_SHRINK)
        self.inputs = tuple(i.name for i in self._session.get_inputs())
        self.outputs = tuple(o.name for o in self._session.get_outputs())

    def run(self, names: Sequence[str] | None, inputs: Mapping[str, Any]) -> list[Any]:
        """The outputs of these names (None: all, in order), as `InferenceSession.run`."""
        found: list[Any] = self._session.run(names, inputs, self._run_options)
        return found
