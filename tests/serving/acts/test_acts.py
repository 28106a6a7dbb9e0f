"""Acts through real MCP servers: streamable HTTP and stdio."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from mcp.types import Tool as McpTool

from serving.acts import ActingEngine, ActLimits, ActRunner, McpServer
from serving.acts.catalog import accept
from serving.acts.engine import says_yes
from serving.acts.runner import Taken
from serving.handle import Call, SessionSpec
from soundflow.errors import ConfigError, DataError
from soundflow.events import Action, ReplyDone
from tests.serving.acts.home_server import LIGHTS, free_port, http
from tests.serving.fake_engine import FakeEngine, FakeHandle

WAIT_S = 5.0
ALLOWED = ("set_*", "lock_door", "reset_scene", "fail", "slow", "long_text", "anything", "stop")
STDIO = (sys.executable, "-W", "ignore", "-m", "tests.serving.acts.home_server")
FAST = ActLimits(call_s=3.0, retry_s=0.05, retry_max_s=0.2, refresh_s=5.0)


@asynccontextmanager
async def running(runner: ActRunner, ready: bool = True) -> AsyncIterator[ActRunner]:
    task = asyncio.create_task(runner.run())
    try:
        if ready:
            assert await runner.ready(WAIT_S), runner.servers
        yield runner
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def over_http(test: Callable[[ActRunner], Awaitable[Any]], limits: ActLimits = FAST, **options: Any) -> Any:
    async def run() -> Any:
        async with http(free_port(), "s3cret") as url:
            server = McpServer("home", url, token="s3cret", **{"allow": ALLOWED, **options})
            async with running(ActRunner([server], limits)) as runner:
                return await test(runner)

    return asyncio.run(run())


async def result_of(handle: FakeHandle) -> str:
    async with asyncio.timeout(WAIT_S):
        while not handle.results:
            await asyncio.sleep(0.01)
    return handle.results[-1][1]


def call(name: str, arguments: dict[str, Any] | None = None, confirm: bool = False) -> Call:
    return Call("call_1", name, json.dumps(arguments or {}), confirm)


def session(name: str = "s") -> FakeHandle:
    return FakeHandle(name, SessionSpec())


def test_tools_are_listed_filtered_and_marked(caplog: pytest.LogCaptureFixture) -> None:
    async def test(runner: ActRunner) -> dict[str, bool]:
        return {tool.name: tool.confirm for tool in runner.tools}

    caplog.set_level(logging.INFO, "serving.acts")
    tools = over_http(test, confirm=("set_*",))
    assert tools == {
        "set_light": True,  # the pattern
        "lock_door": True,  # the rule of docs/tools.md
        "reset_scene": True,  # it calls itself destructive
        **dict.fromkeys(("fail", "slow", "long_text", "stop"), False),
    }
    assert "anything is left out" in caplog.text
    assert "value.type: expected" in caplog.text
    assert "1 tools are not in its allow list" in caplog.text
    assert "s3cret" not in caplog.text


def test_nothing_is_allowed_that_is_not_named() -> None:
    async def test(runner: ActRunner) -> Any:
        return runner.tools, runner.take(session(), call("set_light", {"room": "hall", "state": "on"}))

    assert over_http(test, allow=()) == ((), Taken.NOT_OURS)


def test_a_call_is_carried_out_beside_the_caller() -> None:
    async def test(runner: ActRunner) -> str:
        handle = session()
        LIGHTS.clear()
        assert runner.take(handle, call("set_light", {"room": "kitchen", "state": "on"})) is Taken.RUNNING
        assert handle.results == []
        return await result_of(handle)

    assert over_http(test) == "The kitchen light is on."
    assert LIGHTS == {"kitchen": "on"}


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("fail", {}, "the bulb is broken"),
        ("slow", {}, "gave no answer within 0.5 s"),
        ("set_light", {"room": "garden", "state": "on"}, "bad arguments"),
        ("set_light", {"room": "hall"}, "bad arguments"),
    ],
)
def test_what_goes_wrong_is_a_result_that_says_so(name: str, arguments: dict[str, Any], said: str) -> None:
    async def test(runner: ActRunner) -> str:
        handle = session()
        runner.take(handle, call(name, arguments))
        return await result_of(handle)

    assert said in json.loads(over_http(test, ActLimits(call_s=0.5)))["error"]


def test_a_long_result_is_cut() -> None:
    async def test(runner: ActRunner) -> str:
        handle = session()
        runner.take(handle, call("long_text"))
        return await result_of(handle)

    assert over_http(test) == "x" * FAST.result_chars


def test_a_risky_call_waits_for_a_yes() -> None:
    async def test(runner: ActRunner) -> list[str]:
        yes, no = session("a"), session("b")
        assert runner.take(yes, call("lock_door", {"state": "lock"})) is Taken.ASKED
        assert runner.take(no, call("lock_door", {"state": "unlock"})) is Taken.ASKED
        await asyncio.sleep(0.1)
        assert yes.results == no.results == []
        with pytest.raises(DataError, match="got 2"):
            runner.confirm("call_1", True)
        runner.confirm("call_1", True, "a")
        runner.confirm("call_1", False)
        with pytest.raises(DataError, match="got 0"):
            runner.confirm("call_1", True, "a")
        return [await result_of(yes), await result_of(no)]

    done, declined = over_http(test)
    assert done == "The door is locked."
    assert json.loads(declined) == {"error": "not done: the user said no"}


def test_a_trusted_tool_needs_no_yes_and_a_call_may_still_ask_for_one() -> None:
    async def test(runner: ActRunner) -> list[Taken]:
        plain = runner.take(session(), call("lock_door", {"state": "lock"}))
        return [plain, runner.take(session(), call("lock_door", {"state": "lock"}, confirm=True))]

    assert over_http(test, trust=("lock_door",)) == [Taken.RUNNING, Taken.ASKED]


def test_without_a_yes_in_time_it_is_not_done() -> None:
    async def test(runner: ActRunner) -> str:
        handle = session()
        runner.take(handle, call("lock_door", {"state": "lock"}))
        return await result_of(handle)

    said = over_http(test, ActLimits(confirm_s=0.1))
    assert json.loads(said) == {"error": "not done: nobody confirmed it within 0.1 s"}


def test_calls_are_bounded() -> None:
    async def test(runner: ActRunner) -> tuple[list[Taken], str, str]:
        handles = [session(str(i)) for i in range(4)]
        taken = [runner.take(h, call("slow")) for h in handles]
        risky = [session(f"r{i}") for i in range(3)]
        for handle in risky:
            runner.take(handle, call("lock_door", {"state": "lock"}))
        return taken, await result_of(handles[3]), await result_of(risky[0])

    limits = ActLimits(running=2, waiting=1, unconfirmed=2, call_s=5.0)
    taken, refused, pushed_out = over_http(test, limits)
    assert taken == [Taken.RUNNING] * 3 + [Taken.REFUSED]
    assert "too many acts" in refused
    assert "too many calls" in pushed_out


def test_a_server_that_comes_late_goes_and_comes_back() -> None:
    async def run() -> None:
        port = free_port()
        server = McpServer("home", f"http://127.0.0.1:{port}/mcp", allow=("set_light",))
        light = call("set_light", {"room": "hall", "state": "on"})
        async with running(ActRunner([server], FAST), ready=False) as runner:
            assert not await runner.ready(0.3)
            assert runner.tools == ()
            assert runner.servers["home"]
            for _ in range(2):
                async with http(port):
                    assert await runner.ready(WAIT_S)
                    handle = session()
                    assert runner.take(handle, light) is Taken.RUNNING
                    assert await result_of(handle) == "The hall light is on."
                lost = session()
                runner.take(lost, light)
                assert "error" in json.loads(await result_of(lost))
                async with asyncio.timeout(WAIT_S):
                    while runner.tools:
                        await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_wrong_token_is_told_and_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> dict[str, str]:
        async with http(free_port(), "right") as url:
            server = McpServer("home", url, token="wr0ng", allow=("*",))
            async with running(ActRunner([server], FAST), ready=False) as runner:
                assert not await runner.ready(0.5)
                return runner.servers

    caplog.set_level(logging.DEBUG, "serving.acts")
    assert asyncio.run(run())["home"]
    assert "lost" in caplog.text
    assert "wr0ng" not in caplog.text
    assert "wr0ng" not in repr(McpServer("home", "http://a/", token="wr0ng", env={"K": "wr0ng"}))


def test_a_program_that_speaks_stdio_acts_and_is_started_again() -> None:
    async def run() -> list[str]:
        server = McpServer("home", command=STDIO, allow=ALLOWED)
        async with running(ActRunner([server], FAST), ready=False) as runner:
            assert await runner.ready(20.0), runner.servers
            first, crash, second = session(), session(), session()
            runner.take(first, call("set_light", {"room": "hall", "state": "off"}))
            said = [await result_of(first)]
            runner.take(crash, call("stop"))
            said.append(await result_of(crash))
            async with asyncio.timeout(WAIT_S):
                while runner.tools:
                    await asyncio.sleep(0.01)
            assert await runner.ready(20.0), runner.servers
            runner.take(second, call("set_light", {"room": "hall", "state": "on"}))
            return [*said, await result_of(second)]

    first, crash, second = asyncio.run(run())
    assert first == "The hall light is off."
    assert "error" in json.loads(crash)
    assert second == "The hall light is on."


def test_a_program_that_does_not_exist_is_told() -> None:
    async def run() -> str:
        async with running(ActRunner([McpServer("x", command=("/no/such",))], FAST), ready=False) as runner:
            assert not await runner.ready(0.3)
            return runner.servers["x"]

    assert "No such file" in asyncio.run(run())


def test_an_engine_that_acts() -> None:
    """The client sees the action and what is said of it; a risky call is asked about, and `tool_result` answers."""

    async def test(runner: ActRunner) -> tuple[list[str], list[str]]:
        inner = FakeEngine()
        engine = ActingEngine(inner, runner)
        handle = await engine.open(SessionSpec(speak=False))
        assert handle.spec.tools == ()
        assert {t.name for t in inner.handles[0].spec.tools} == {t.name for t in runner.tools}
        light = call("set_light", {"room": "hall", "state": "on"})
        door = Call("call_2", "lock_door", '{"state": "lock"}', False)
        mine = Call("call_3", "my_own", "{}", False)
        inner.handles[0].emit(Action(t=0.0, name="set_light", arguments={}, confirm=False), light, door, mine)
        seen, said = [], []
        async with asyncio.timeout(WAIT_S):
            async for output in handle.outputs():
                seen.append(type(output).__name__)
                if isinstance(output, Call) and output.confirm:
                    handle.tool_result(output.id, '{"confirm": true}')
                if isinstance(output, ReplyDone):
                    said.append(output.text)
                if len(said) == 2:
                    await handle.close()
        assert sorted(r for _, r in inner.handles[0].results) == ["The door is locked.", "The hall light is on."]
        handle.tool_result("call_3", "fine")
        return [s for s in seen if s in ("Action", "Call")], said

    seen, said = over_http(test)
    assert seen == ["Action", "Call", "Call"]
    assert said == ["Done.", "Done."]


def test_a_client_keeps_its_own_tool_of_the_same_name() -> None:
    async def test(runner: ActRunner) -> bool:
        inner = FakeEngine()
        own = next(t for t in runner.tools if t.name == "set_light")
        handle = await ActingEngine(inner, runner).open(SessionSpec(tools=(own,)))
        inner.handles[0].emit(call("set_light", {"room": "hall", "state": "on"}))
        output = await asyncio.wait_for(anext(aiter(handle.outputs())), WAIT_S)
        return isinstance(output, Call)

    assert over_http(test)


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ('{"confirm": true}', True),
        ("true", True),
        ("Yes.", True),
        ('"yes"', True),
        ("", False),
        ("{}", False),
        ('{"confirm": "true"}', False),
        ("1", False),
        ("yes, but later", False),
        ("[true]", False),
    ],
)
def test_only_a_plain_yes_is_one(text: str, yes: bool) -> None:
    assert says_yes(text) is yes


@pytest.mark.parametrize(
    "options",
    [
        {"name": "a b"},
        {"name": "a"},
        {"name": "a", "url": "http://x/", "command": ("y",)},
        {"name": "a", "url": "ftp://x/"},
        {"name": "a", "url": "http://user:pw@x/"},
        {"name": "a", "url": "http://x/", "token": "a b"},
    ],
)
def test_bad_settings_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="mcp server") as raised:
        McpServer(**options)
    assert "pw" not in str(raised.value)


def test_two_servers_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="different names"):
        ActRunner([McpServer("a", "http://x/"), McpServer("a", "http://y/")])


def test_home_assistants_tools_are_accepted() -> None:
    """The shape of its intents: strings, lists of enums, numbers with bounds."""
    text = {"type": "string"}
    turn_on = {
        "type": "object",
        "properties": {
            "name": text,
            "area": text,
            "floor": text,
            "domain": {"type": "array", "items": text},
            "device_class": {"type": "array", "items": {"type": "string", "enum": ["outlet", "switch", "tv"]}},
        },
    }
    light = {
        "type": "object",
        "properties": {"name": text, "color": text, "brightness": {"type": "integer", "minimum": 0, "maximum": 100}},
        "required": [],
    }
    offered = [
        McpTool(name="HassTurnOn", description="Turns on a device", input_schema=turn_on),
        McpTool(name="HassLightSet", description="Sets a light", input_schema=light),
        McpTool(name="GetLiveContext", description="State of the home", input_schema={"type": "object"}),
        McpTool(name="bad name", input_schema={"type": "object"}),
        McpTool(name="HassTurnOn", input_schema={"type": "object"}),
    ]
    tools, refused = accept(McpServer("ha", "http://x/", allow=("*",)), offered)
    assert [t.name for t in tools] == ["HassTurnOn", "HassLightSet", "GetLiveContext"]
    assert set(refused) == {"bad name", "HassTurnOn"}
