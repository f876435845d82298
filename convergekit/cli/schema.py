"""The command `schema`: the JSON Schema of events, for programs in any language."""

from __future__ import annotations

import json

import typer

from convergekit.schemas.rows import event_schema


def schema_command() -> None:
    """Print the JSON Schema of an event: a row that validates is taken whole."""
    # Not through the console, which would wrap it; in ASCII, which any encoding writes alike.
    typer.echo(json.dumps(event_schema(), indent=2))
