"""The bounds of serving, in one place: every queue, payload and wait has one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """max_sessions: over all protocols. max_client_sessions: of one client (address or token).

    max_frame_bytes: one message of any protocol. backlog_s: audio of one session that waits to be heard; more is
    dropped, oldest kept. outbox: outputs that wait for one client. outbox_bytes: the same in bytes of encoded frames.
    frames_per_s: messages of one connection, over ten seconds; half of it never waits; what all
    connections send over that comes at twice this rate. handshake_s: until the first message of a protocol that
    has one. idle_s: a connection that sends nothing is closed. resume_s: a session whose socket was lost is kept.
    drain_s: how long open sessions may go on when the server stops.
    """

    max_sessions: int = 64
    max_client_sessions: int = 64
    max_frame_bytes: int = 4 * 1024 * 1024
    backlog_s: float = 10.0
    outbox: int = 1024
    outbox_bytes: int = 8 * 1024 * 1024
    frames_per_s: float = 200.0
    handshake_s: float = 10.0
    idle_s: float = 300.0
    resume_s: float = 30.0
    drain_s: float = 10.0
