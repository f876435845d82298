"""The server of the Model Context Protocol: stdio, tools alone. It needs the extra `mcp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import convergekit
from convergekit.errors import ConvergekitError
from convergekit.machines.session import NOTICE, Session

if TYPE_CHECKING:
    from mcp.server import Server

_INSTRUCTIONS = (
    "Answers about a shop's events, stitched into profiles. Ask overview first, for the exact "
    "names of events. Every number has what it is of: say it. Call check_answer before you answer. "
    f"{NOTICE}"
)


def server_of(session: Session) -> Server[Any]:
    """Return a server that answers from a session.

    Raises
    ------
    ConvergekitError
        The official SDK is not installed.
    """
    try:
        import anyio.to_thread
        from mcp import types
        from mcp.server import Server
    except ImportError as error:
        raise ConvergekitError(
            "convergekit mcp needs the official SDK of the Model Context Protocol: "
            "pip install 'convergekit[mcp]'."
        ) from error
    read_only = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)

    async def listed(_: Any, __: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=tool.name,
                    description=tool.about,
                    input_schema=tool.parameters,
                    annotations=read_only,
                )
                for tool in session.tools.values()
            ]
        )

    async def called(_: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        # One at a time, and the connection stays alive meanwhile.
        reply = await anyio.to_thread.run_sync(session.ask, asked.name, asked.arguments)
        content = [types.TextContent(type="text", text=reply.text)]
        return types.CallToolResult(content=list(content), is_error=reply.is_error)

    return Server(
        "convergekit",
        version=convergekit.__version__,
        instructions=_INSTRUCTIONS,
        on_list_tools=listed,
        on_call_tool=called,
    )


def serve(session: Session) -> None:
    """Answer over standard input and output until the agent leaves."""
    server = server_of(session)
    import anyio
    from mcp.server.stdio import stdio_server

    async def run() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(run)
