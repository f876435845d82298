"""The server: what is said where it cannot run, and what the SDK is told of the tools."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

import convergekit as ck
from convergekit.cli.app import app
from convergekit.machines.server import server_of
from convergekit.machines.session import Session
from tests.machines.stores import STEPS, stores


def test_without_the_sdk_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(ck.ConvergekitError, match=r"pip install 'convergekit\[mcp\]'"):
        server_of(Session(None))


def test_what_is_piped_in_is_not_an_export():
    done = CliRunner().invoke(app, ["mcp", "-"], input="{}")
    assert done.exit_code == 1
    assert isinstance(done.exception, ck.ConvergekitError)


def test_the_client_in_process_is_offered_tools_that_only_read():
    mcp = pytest.importorskip("mcp")
    anyio = pytest.importorskip("anyio")
    session = Session(stores()[0].s)

    async def talk():
        async with mcp.Client(server_of(session)) as client:
            return await client.list_tools(), await client.call_tool("funnel", {"steps": STEPS})

    listed, answer = anyio.run(talk)
    assert [tool.name for tool in listed.tools] == list(session.tools)
    for tool in listed.tools:
        assert tool.annotations.read_only_hint
        assert not tool.annotations.open_world_hint
        assert tool.input_schema == session.tools[tool.name].parameters
    found = json.loads(answer.content[0].text.partition("\n")[2])["answers"][0]
    assert found["numbers"][0] == {"name": "entered", "value": 60, "kind": "count", "of": None}
