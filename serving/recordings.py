"""Raw audio on disk, only where the configuration asks for it: FLAC files of one session each, kept for a stated time.

Writing happens on one thread, so that a slow disk never delays a step; what it cannot take in time is dropped and
counted.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from serving.config import Recordings as Settings
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError
from soundflow.types import FloatArray

log = logging.getLogger(__name__)
PENDING: Final = 4096
"""Pieces of audio that wait for the disk, over all sessions."""
SWEEP_S: Final = 300.0
_SAFE: Final = re.compile(r"[^A-Za-z0-9_-]")
_Job = tuple["Recording", FloatArray | None]


class Recording:
    """The file of one session."""

    def __init__(self, path: Path, owner: Recordings) -> None:
        self.path, self._owner = path, owner
        self.file: soundfile.SoundFile | None = None
        self.failed = False

    def push(self, pcm: FloatArray) -> None:
        self._owner.put((self, pcm))

    def close(self) -> None:
        self._owner.put((self, None))


class Recordings:
    """Writes and removes. `dropped(count)` is told of pieces that came too fast. The folder is readable by its owner
    only.

    Raises:
        ConfigError: the folder cannot be made.
    """

    def __init__(self, settings: Settings, dropped: Callable[[str, int], None] = lambda kind, count: None) -> None:
        assert settings.folder is not None
        self._folder, self._settings, self._dropped = settings.folder, settings, dropped
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(f"recordings.folder: {self._folder} cannot be made ({error.strerror})") from error
        self._jobs: queue.Queue[_Job | None] = queue.Queue(PENDING)
        self._files: set[Recording] = set()
        self._thread = threading.Thread(target=self._work, name="recordings", daemon=True)
        self._thread.start()

    def start(self, session: str) -> Recording:
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        name = _SAFE.sub("_", session)[:64]
        return Recording(self._folder / f"{stamp}_{name}.flac", self)

    def put(self, job: _Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._dropped("recording", 1)

    def close(self, wait_s: float = 5.0) -> None:
        """Finish what waits, for `wait_s` at most."""
        try:
            self._jobs.put(None, timeout=wait_s)
        except queue.Full:
            log.warning("recordings were cut short: the disk is too slow")
            return
        self._thread.join(wait_s)

    def sweep(self, now: float | None = None) -> int:
        """Remove what is older than keep_h, then the oldest until max_mb is kept -> how many files."""
        now = time.time() if now is None else now
        busy = {r.path for r in self._files}
        found = sorted(
            ((p.stat().st_mtime, p.stat().st_size, p) for p in self._folder.glob("*.flac") if p not in busy),
            reverse=True,
        )
        kept, removed = 0, 0
        for modified, size, path in found:
            kept += size
            if now - modified > self._settings.keep_h * 3600 or kept > self._settings.max_mb * 1_000_000:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _work(self) -> None:
        due = 0.0
        while True:
            try:
                job = self._jobs.get(timeout=SWEEP_S)
            except queue.Empty:
                job = ()  # type: ignore[assignment]
            if job is None:
                break
            if job:
                self._write(*job)
            if time.monotonic() >= due:
                due = time.monotonic() + SWEEP_S
                try:
                    self.sweep()
                except OSError:
                    log.exception("old recordings could not be removed")
        for recording in list(self._files):
            self._write(recording, None)

    def _write(self, recording: Recording, pcm: FloatArray | None) -> None:
        try:
            if pcm is None:
                self._files.discard(recording)
                if recording.file is not None:
                    recording.file.close()
                    recording.file = None
                return
            if recording.failed:
                return
            if recording.file is None:
                recording.path.touch(mode=0o600)
                recording.file = soundfile.SoundFile(recording.path, "w", SAMPLE_RATE_HZ, 1, "PCM_16", format="FLAC")
                self._files.add(recording)
            recording.file.write(np.clip(pcm, -1.0, 1.0))
        except (OSError, RuntimeError):
            recording.failed = True
            self._dropped("recording", 1)
            log.exception("a recording failed and ends here")
