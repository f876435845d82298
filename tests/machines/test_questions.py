"""Sixty questions are answered by the tools, in process and over stdio by the official client."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from convergekit.machines.session import Session
from tests.machines.calls import aliases_in
from tests.machines.questions import QUESTIONS, all_questions, expected
from tests.machines.stores import STEPS, stores

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def sessions():
    return [Session(store.s, store.spend) for store in stores()]


def test_sixty_questions_are_answered(sessions):
    asked = all_questions()
    assert len(asked) == 60
    wrong = []
    for place, one in asked:
        reply = sessions[place].ask(one.tool, one.given)
        assert not reply.is_error, reply.text
        found = one.found(json.loads(reply.text.partition("\n")[2])["answers"])
        if found != pytest.approx(expected(place, one.asked), rel=1e-9):
            wrong.append((place, one.asked, found, expected(place, one.asked)))
    assert wrong == []


def test_the_numbers_are_not_all_alike():
    places = range(len(stores()))
    found = {one.asked: {expected(place, one.asked) for place in places} for one in QUESTIONS}
    assert all(len(values) >= 3 for values in found.values()), found


@pytest.mark.slow
def test_the_official_client_is_answered_over_stdio(tmp_path):
    """The whole way: the command, the client of the SDK, and what the session is told."""
    mcp = pytest.importorskip("mcp")
    anyio = pytest.importorskip("anyio")
    from mcp.client.stdio import stdio_client

    exports = sorted(str(path) for path in DATA.iterdir() if path.suffix in (".jsonl", ".json"))
    parameters = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "convergekit.cli", "mcp", *exports],
        cwd=str(tmp_path),
        env={"PYTHONPATH": str(DATA.parent)},
    )
    with open(tmp_path.parent / "told.txt", "w", encoding="utf-8") as told:

        async def talk():
            async with (
                stdio_client(parameters, errlog=told) as (read, write),
                mcp.ClientSession(read, write) as client,
            ):
                await client.initialize()
                listed = await client.list_tools()
                asked = {"steps": STEPS, "within": "7D"}
                answers = [
                    await client.call_tool("overview", {}),
                    await client.call_tool("funnel", asked),
                    await client.call_tool("visits", {}),
                    await client.call_tool("nothing", {}),
                ]
                return listed, answers

        listed, answers = anyio.run(talk)
    assert len(listed.tools) == 14
    assert all(tool.annotations.read_only_hint for tool in listed.tools)
    assert [answer.is_error for answer in answers] == [False, False, False, True]
    # Nothing was written where it ran.
    assert list(tmp_path.iterdir()) == []
    import convergekit as ck

    s = ck.stitch(ck.read_events(exports))
    in_process = Session(s)
    for answer, (name, given) in zip(
        answers,
        [("overview", {}), ("funnel", {"steps": STEPS, "within": "7D"}), ("visits", {})],
        strict=False,
    ):
        text = answer.content[0].text
        assert aliases_in(s, text) == []
        assert text == in_process.ask(name, given).text
