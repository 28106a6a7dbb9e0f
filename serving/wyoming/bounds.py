"""The bounds of one Wyoming server."""

from __future__ import annotations

from dataclasses import dataclass

from serving.limits import Limits


@dataclass(frozen=True, slots=True)
class Bounds:
    """header_bytes: the JSON line of an event. data_bytes: the JSON behind it. payload_bytes: the audio behind that.

    frame_s: from the first byte of an event to its last. idle_s: between events. write_s: until a client that does not
    read is given up. answer_s: for a transcript after the audio's end, and for handling a sentence. confirm_s: how long
    a risky act waits for the yes; `waiting` of them at once.
    connections: at once, over all peers; peer_connections: of one address.
    events_per_s: what one connection may send, over `burst` events; more waits in its socket.
    text_chars: one sentence to handle. speak_chars: one text to speak, streamed or not.
    """

    header_bytes: int = 64 * 1024
    data_bytes: int = 256 * 1024
    payload_bytes: int = 4 * 1024 * 1024
    frame_s: float = 10.0
    idle_s: float = 300.0
    write_s: float = 10.0
    answer_s: float = 30.0
    confirm_s: float = 60.0
    waiting: int = 16
    connections: int = 64
    peer_connections: int = 64
    events_per_s: float = 200.0
    burst: int = 2000
    text_chars: int = 4_000
    speak_chars: int = 20_000

    @classmethod
    def of(cls, limits: Limits) -> Bounds:
        """What the limits of the whole server mean here."""
        return cls(
            payload_bytes=limits.max_frame_bytes,
            idle_s=limits.idle_s,
            connections=limits.max_sessions,
            peer_connections=limits.max_client_sessions,
            events_per_s=limits.frames_per_s,
            burst=max(1, int(10 * limits.frames_per_s)),
        )
