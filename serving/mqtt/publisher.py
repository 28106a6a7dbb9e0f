"""Publishes what sessions hear. `publish` is called with every output and returns at once; `run` does the rest."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import aiomqtt

from serving.ending import ended
from serving.handle import EngineInfo, Notice, Output
from serving.metrics import Metrics, NoMetrics
from serving.mqtt.broker import Broker
from serving.mqtt.discovery import EVENTS, Topics, config
from serving.mqtt.settings import MAX_ROOMS, MqttSettings, Room
from serving.mqtt.state import RoomState
from soundflow.errors import ConfigError
from soundflow.events import Action, DecisionEvent, ReplyDone

_LOG: Final = logging.getLogger(__name__)
TICK_S: Final = 0.5
GOODBYE_S: Final = 2.0
CANCEL_S: Final = 3.0
MAX_TEXT: Final = 512
SILENT: Final = "silent"


class MqttPublisher:
    """One connection to one broker, for all rooms.

    Args:
        dropped: is told how many events did not get out, each time.
        clock: monotonic seconds; tests give their own.

    Raises:
        ConfigError: a `ca` that cannot be read.
    """

    def __init__(
        self,
        broker: Broker,
        engine: EngineInfo,
        settings: MqttSettings | None = None,
        metrics: Metrics | NoMetrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or MqttSettings()
        self.dropped = 0
        self.connected = False
        self._broker, self._engine, self._clock = broker, engine, clock
        self._metrics = metrics or NoMetrics()
        self._tls = broker.context()
        self._topics = Topics(self.settings)
        self._rooms: dict[str, Room] = {}
        self._states: dict[str, RoomState] = {}
        self._last: dict[str, str] = {}
        self._unannounced: dict[str, None] = {}
        self._events: deque[tuple[str, str]] = deque()
        self._wake = asyncio.Event()
        for room in self.settings.rooms:
            self._add(room)

    def publish(self, room: str, output: Output) -> None:
        """See one output of a session in `room`. Never waits, never raises for what comes."""
        known = self._rooms.get(room)
        if known is None:
            if len(self._rooms) >= MAX_ROOMS:
                self._drop(1)
                return
            known = self._add(Room(room))
        quiet = known.quiet()
        self._states[room].take(output, self._clock(), quiet)
        event = None if quiet else self._event(room, output)
        if event is not None:
            if len(self._events) >= self.settings.queue:
                self._events.popleft()
                self._drop(1)
            self._events.append((self._topics.state(room, EVENTS), json.dumps(event, ensure_ascii=False)))
        self._wake.set()

    def _add(self, room: Room) -> Room:
        self._rooms[room.name], self._states[room.name] = room, RoomState(self.settings)
        self._unannounced[room.name] = None
        return room

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._metrics.dropped("mqtt", count)

    def _event(self, room: str, output: Output) -> dict[str, Any] | None:
        """The event that an output is, where it is one."""
        texts = self.settings.texts
        match output:
            case ReplyDone():
                return {"event_type": "announcement", **({"text": output.text[:MAX_TEXT]} if texts else {})}
            case DecisionEvent():
                before, self._last[room] = self._last.get(room, SILENT), output.decision
                if output.decision in (SILENT, before):
                    return None
                p = round(output.p.get(output.decision, 0.0), 3)
                return {"event_type": "decision", "decision": output.decision, "probability": p}
            case Action():
                arguments = {"arguments": output.arguments} if texts else {}
                return {"event_type": "action", "name": output.name, "confirm": output.confirm, **arguments}
            case Notice():
                return {"event_type": "notice", "code": output.code}
            case _:
                return None

    async def run(self) -> None:
        """Until cancelled. A broker that is lost is tried again after growing waits; events wait meanwhile."""
        task = asyncio.create_task(self._forever(), name="mqtt")
        try:
            await asyncio.wait({task})
        finally:
            await ended(task, CANCEL_S)

    async def _forever(self) -> None:
        wait = self.settings.retry_s
        while True:
            began = self._clock()
            try:
                await self._session()
            except (aiomqtt.MqttError, OSError) as error:
                _LOG.warning("mqtt: %s is lost (%s), next try in %.1f s", self._broker, str(error), wait)
            if self._clock() - began > self.settings.retry_max_s:
                wait = self.settings.retry_s
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(2 * wait, self.settings.retry_max_s)

    async def _session(self) -> None:
        settings = self.settings
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user or None,
            password=self._broker.password or None,
            tls_context=self._tls,
            identifier=f"soundflow-{settings.device_id}",
            will=aiomqtt.Will(self._topics.availability, "offline", qos=1, retain=True),
            timeout=settings.timeout_s,
            keepalive=settings.keepalive_s,
            max_queued_incoming_messages=16,
            logger=logging.getLogger(f"{__name__}.paho"),
        )
        async with client:
            try:
                await client.subscribe(self._topics.birth, qos=1)
                await self._put(client, self._topics.availability, "online", retain=True)
                self._begin_again()
                self.connected = True
                _LOG.info("mqtt: connected to %s", self._broker)
                await self._send(client, asyncio.create_task(self._follow(client), name="mqtt in"))
            finally:
                self.connected = False
                with suppress(aiomqtt.MqttError):
                    await client.publish(self._topics.availability, "offline", qos=1, retain=True, timeout=GOODBYE_S)

    def _begin_again(self) -> None:
        """Announce all rooms and say all states once more."""
        self._unannounced = dict.fromkeys(self._rooms)
        for state in self._states.values():
            state.forget()
        self._wake.set()

    async def _follow(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if message.topic.matches(self._topics.birth) and message.payload == b"online" and not message.retain:
                _LOG.info("mqtt: Home Assistant has started")
                self._begin_again()

    async def _send(self, client: aiomqtt.Client, follow: asyncio.Task[None]) -> None:
        """Publish what is due, for as long as `follow` reads."""
        follow.add_done_callback(lambda _: self._wake.set())
        try:
            while not follow.done():
                self._wake.clear()
                await self._publish_due(client)
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK_S):
                        await self._wake.wait()
        finally:
            await ended(follow, CANCEL_S)

    async def _publish_due(self, client: aiomqtt.Client) -> None:
        for name in tuple(self._unannounced):
            payload = config(self._rooms[name], self.settings, self._engine)
            await self._put(client, self._topics.config(name), payload, retain=True)
            self._unannounced.pop(name, None)
        for name, state in tuple(self._states.items()):
            for key, payload in state.due(self._clock()).items():
                await self._put(client, self._topics.state(name, key), payload)
        while self._events:
            await self._put_event(client, self._events.popleft())

    async def _put_event(self, client: aiomqtt.Client, event: tuple[str, str]) -> None:
        try:
            await self._put(client, *event)
        except aiomqtt.MqttError:
            if len(self._events) < self.settings.queue:
                self._events.appendleft(event)
            else:
                self._drop(1)
            raise

    async def _put(self, client: aiomqtt.Client, topic: str, payload: str, retain: bool = False) -> None:
        await client.publish(topic, payload, qos=1, retain=retain)


def publisher(
    url: str,
    engine: EngineInfo,
    settings: MqttSettings | None = None,
    metrics: Metrics | NoMetrics | None = None,
    user: str = "",
    password: str = "",
) -> MqttPublisher:
    """From a URL: see `Broker.parse`. ConfigError where it is none; the password is in no message."""
    if not url:
        raise ConfigError("mqtt url: expected one, got nothing")
    return MqttPublisher(Broker.parse(url, user, password), engine, settings, metrics)
