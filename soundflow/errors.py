"""Every error that SoundFlow raises at a boundary. Each says what was expected, what came, and where."""

from __future__ import annotations


class SoundflowError(Exception):
    """Base of all. `code` is the stable name used in `error` events."""

    code = "soundflow_error"


class ConfigError(SoundflowError):
    """A setting, option, tool file or checkpoint field is wrong; the message names file and key."""

    code = "bad_config"


class AudioFormatError(SoundflowError):
    """The audio cannot be read: truncated, not audio, NaN, wrong rate, empty, too long."""

    code = "bad_audio"


class DataError(SoundflowError):
    """A corpus or shard row is wrong; `sample_id` names it."""

    code = "bad_data"

    def __init__(self, message: str, sample_id: str = "") -> None:
        super().__init__(f"{sample_id}: {message}" if sample_id else message)
        self.sample_id = sample_id


class WeightsError(SoundflowError):
    """Weights are missing, unverified or unsafe; the message says what to do."""

    code = "bad_weights"


class CapacityError(SoundflowError):
    """A stated bound (queue, sessions, tokens, payload) would be passed."""

    code = "capacity"


class StreamClosedError(SoundflowError):
    """Audio was pushed into a stream that has been closed."""

    code = "stream_closed"
