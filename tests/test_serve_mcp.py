"""MCP, held to the SDK's own client: over stdio with a process, over HTTP with a real server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import jsonschema
import mcp_types
import pytest
from conftest import ROOT, Cli
from mcp import MCPError
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from serving import Served, serving
from tiny import QUESTION, UNKNOWN, left, tiny, wait_until

from dragtor.schema import ANSWER_SCHEMA, EXCERPT_SCHEMA, HITS_SCHEMA, SOURCES_SCHEMA
from dragtor.serve.mcp import ARGUMENTS, PATH, RESULTS, WRITING_RESULTS

TINY = {
    "DRAGTOR_LLM_MODEL": "smollm2-135m",
    "DRAGTOR_LLM_THREADS": "1",
    "DRAGTOR_LLM_ANSWER_TOKENS": "40",
    "DRAGTOR_ANSWER_CONTEXT_TOKENS": "200",
    "DRAGTOR_ANSWER_REWRITE": "false",
    "DRAGTOR_ANSWER_READER": "none",
}
Talk = Callable[[Client], Awaitable[None]]


@pytest.fixture(scope="module")
def folder(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mcp") / "library"
    shutil.copytree(sample_library, made)
    return made


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(folder, tiny()) as found:
        yield found


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, **TINY, "DRAGTOR_HOME": str(folder)}


def program(*more: str) -> list[str]:
    return [sys.executable, "-m", "dragtor", "mcp", *more]


def over_stdio(folder: Path, talk: Talk, *more: str) -> None:
    """Talk to a process of `dragtor mcp`."""
    command, *arguments = program(*more)
    how = StdioServerParameters(
        command=command, args=arguments, env=environment(folder), cwd=str(ROOT)
    )

    async def run() -> None:
        async with Client(stdio_client(how)) as client:
            await talk(client)

    anyio.run(run)


@asynccontextmanager
async def http_client(served: Served, mode: str = "auto", **headers: str) -> Any:
    sent = {"authorization": f"Bearer {served.token}", **headers}
    async with (
        httpx2.AsyncClient(headers=sent, timeout=120) as http,
        Client(streamable_http_client(served.url + PATH, http_client=http), mode=mode) as client,
    ):
        yield client


def over_http(served: Served, talk: Talk, mode: str = "auto") -> None:
    async def run() -> None:
        async with http_client(served, mode) as client:
            await talk(client)

    anyio.run(run)


async def called(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives; its text is the same JSON."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    found: dict[str, Any] = result.structured_content  # type: ignore[assignment]
    (text,) = result.content
    assert isinstance(text, mcp_types.TextContent)
    assert json.loads(text.text) == found
    return found


async def refused(client: Client, name: str, **arguments: Any) -> str:
    result = await client.call_tool(name, arguments)
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, mcp_types.TextContent)
    return text.text


async def a_look_around(client: Client) -> None:
    """Everything that a client may do and that needs no language model."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == set(RESULTS)
    for name, tool in tools.items():
        assert tool.output_schema == RESULTS[name]
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint
        assert tool.description
        takes = tool.input_schema["properties"]
        assert {n: each["description"] for n, each in takes.items()}.items() <= ARGUMENTS.items()
        assert not {"context", "path", "file", "folder"} & set(takes)
    sources = await called(client, "list_sources")
    jsonschema.validate(sources, SOURCES_SCHEMA)
    hits = await called(client, "search", query="A2 pulley", k=3)
    jsonschema.validate(hits, HITS_SCHEMA)
    assert len(hits["hits"]) == 3
    answer = await called(client, "quotes", question=QUESTION)
    jsonschema.validate(answer, ANSWER_SCHEMA)
    assert answer["grounded"]
    cited = answer["citations"][0]
    part = await called(
        client,
        "read_document",
        document_id=cited["document_id"],
        start=cited["start"],
        characters=cited["end"] - cited["start"],
    )
    jsonschema.validate(part, EXCERPT_SCHEMA)
    assert part["text"] == cited["quote"]
    assert part["next"] == cited["end"]
    unknown = await called(client, "quotes", question=UNKNOWN, source=sources["sources"][0]["id"])
    assert not unknown["grounded"]


async def resources_and_prompts(client: Client) -> None:
    hits = await called(client, "search", query="A2 pulley", k=1)
    identity = hits["hits"][0]["document_id"]
    (template,) = (await client.list_resource_templates()).resource_templates
    assert template.uri_template.startswith("dragtor://document/{")
    (content,) = (await client.read_resource(f"dragtor://document/{identity}")).contents
    assert isinstance(content, mcp_types.TextResourceContents)
    assert hits["hits"][0]["text"].splitlines()[0] in content.text
    for wrong in ("0123456789abcdef", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "x"):
        with pytest.raises(MCPError):
            await client.read_resource(f"dragtor://document/{wrong}")
    prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
    assert set(prompts) == {"cite", "plan"}
    cite = await client.get_prompt("cite", {"question": "Does tape {help}?"})
    plan = await client.get_prompt("plan", {"goal": "climb again", "weeks": "6"})
    for made, text in ((cite, "Does tape {help}?"), (plan, "climb again. Of 6 weeks.")):
        (message,) = made.messages
        assert isinstance(message.content, mcp_types.TextContent)
        assert text in message.content.text
        assert "`quotes`" in message.content.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_over_http(served: Served, mode: str) -> None:
    async def talk(client: Client) -> None:
        await a_look_around(client)
        await resources_and_prompts(client)

    over_http(served, talk, mode)
    wait_until(lambda: not left(served))


def test_an_answer_over_http(served: Served) -> None:
    async def talk(client: Client) -> None:
        answer = await called(client, "ask", question=QUESTION)
        jsonschema.validate(answer, ANSWER_SCHEMA)

    over_http(served, talk)


def test_over_stdio_with_progress(folder: Path) -> None:
    told: list[str] = []

    async def heard(done: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async def talk(client: Client) -> None:
        assert client.server_info.name == "dragtor"
        await a_look_around(client)
        await resources_and_prompts(client)
        result = await client.call_tool("ask", {"question": QUESTION}, progress_callback=heard)
        assert not result.is_error, result.content
        jsonschema.validate(result.structured_content, ANSWER_SCHEMA)

    over_stdio(folder, talk)
    assert any(text.startswith("“") for text in told)


def test_nothing_but_frames_goes_to_stdout(folder: Path) -> None:
    """Bad lines and unknown calls too; closing stdin ends the process."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    calls = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {
            "id": 2,
            "method": "tools/call",
            "params": {"name": "search", "arguments": {"query": "a"}},
        },
        {"id": 3, "method": "tools/call", "params": {"name": "nothing", "arguments": {}}},
        {"id": 4, "method": "unheard/of"},
    ]
    lines = [json.dumps({"jsonrpc": "2.0", **call}) for call in calls]
    lines[2:2] = ["no json", "{}", "[]", ""]
    with subprocess.Popen(
        program(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(folder),
        cwd=ROOT,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.flush()
        answered: list[int] = []
        while not {1, 2, 3, 4} <= set(answered):
            frame = json.loads(process.stdout.readline())
            assert frame["jsonrpc"] == "2.0"
            answered.append(frame.get("id") or 0)
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(20) == 0
        assert "Traceback" not in (process.stderr.read() if process.stderr else "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nothing_is_left(folder: Path, tmp_path: Path, number: int) -> None:
    with subprocess.Popen(
        program(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(folder) | {"TMPDIR": str(tmp_path)},
        cwd=ROOT,
    ) as process:
        wait_until(lambda: list(tmp_path.glob("dragtor-mcp-*/jobs.db")), 60)
        time.sleep(3)  # it waits for a line
        process.send_signal(number)
        assert process.wait(20) == 130
    assert not list(tmp_path.glob("dragtor-mcp-*"))


def test_errors_are_told_with_what_mends_them(served: Served) -> None:
    async def talk(client: Client) -> None:
        assert "the query is empty (try: " in await refused(client, "search", query=" ")
        assert "k must be 1 to 50" in await refused(client, "search", query="a", k=0)
        assert "is no date" in await refused(client, "quotes", question="a", after="soon")
        assert "is missing" in await refused(client, "quotes", question=" ")
        for path in ("/etc/passwd", "../../etc/passwd", "file:///etc/passwd", "", "A" * 9000):
            assert "is no id" in await refused(client, "read_document", document_id=path)
            if path:
                assert "is no id" in await refused(client, "quotes", question="a", source=path)
        nobody = await refused(client, "read_document", document_id="0123456789abcdef")
        assert "0123456789abcdef" in nobody
        assert "0 or more" in await refused(client, "read_document", document_id="abcd", start=-1)
        assert "validation error" in await refused(client, "search")
        assert "Unknown tool" in await refused(client, "add_source", url="https://example.org")

    over_http(served, talk)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_the_guard_stands_before_it(served: Served, headers: dict[str, str], status: int) -> None:
    assert served.post(PATH, {}, headers=headers).status == status
    assert served.post(PATH, {}, token="").status == 401
    assert served.ask("GET", PATH).status == 405


def test_bodies_that_are_no_call(served: Served) -> None:
    accept = {"accept": "application/json, text/event-stream"}
    for body in (b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000):
        reply = served.ask(
            "POST", PATH, body, headers=accept | {"content-type": "application/json"}
        )
        assert 400 <= reply.status < 500, body
        assert b"Traceback" not in reply.body


def test_a_client_that_hangs_up_ends_its_question(served: Served) -> None:
    wait_until(lambda: not left(served))

    async def run() -> None:
        with anyio.move_on_after(60):
            async with http_client(served) as client:
                await called(client, "quotes", question=QUESTION)  # all is warm
                with anyio.move_on_after(0.3):
                    await client.call_tool("ask", {"question": QUESTION})

    anyio.run(run)
    wait_until(lambda: not left(served))


def test_writing_is_allowed_by_an_option_only(sample_library: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(sample_library, folder)

    async def talk(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == set(RESULTS) | set(WRITING_RESULTS)
        added, gone = tools["add_source"].annotations, tools["remove_source"].annotations
        assert added is not None
        assert gone is not None
        assert (added.read_only_hint, added.destructive_hint) == (False, False)
        assert (gone.read_only_hint, gone.destructive_hint) == (False, True)
        for path in ("/etc/passwd", "file:///etc/passwd", "notes.md", "ftp://e.org/x"):
            assert "http or https" in await refused(client, "add_source", url=path)
        local = await called(client, "add_source", url="http://127.0.0.1:9/secret")
        assert [each["code"] for each in local["failed"]] == ["blocked_url"]
        sources = (await called(client, "list_sources"))["sources"]
        removed = await called(client, "remove_source", source_id=sources[0]["id"])
        assert removed["sources"] == sources[:1]
        left = (await called(client, "list_sources"))["sources"]
        assert sources[0]["id"] not in {source["id"] for source in left}

    over_stdio(folder, talk, "--allow-write")


def test_the_command_says_what_installs_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "mcp"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    run = cli("mcp")
    assert (run.code, run.out) == (4, "")
    assert 'try: pip install "dragtor[mcp]"' in run.err


def test_the_server_says_so_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "mcp"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    with serving(tmp_path / "library", tiny()) as served:
        reply = served.post(PATH)
        assert reply.status == 501
        assert reply.json["hint"] == 'pip install "dragtor[mcp]"'


def test_an_empty_library_is_told(tmp_path: Path) -> None:
    async def talk(client: Client) -> None:
        assert (await called(client, "list_sources"))["sources"] == []
        assert "there is no library" in await refused(client, "search", query="a")
        assert "there is no library" in await refused(client, "quotes", question="a")

    over_stdio(tmp_path / "none", talk)
    assert not (tmp_path / "none").exists()  # its jobs are kept elsewhere, and only for a while
