"""Write a report to a file, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from convergekit.base.durable import real_path, whole_file
from convergekit.errors import AlreadyThereError, WriteError
from convergekit.report.document import make_document
from convergekit.report.markdown import markdown_of
from convergekit.report.page import page_of
from convergekit.report.workbook import workbook_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from convergekit.base.durations import Duration
    from convergekit.events.steps import StepLike
    from convergekit.report.about import About, Answering
    from convergekit.report.questions import Questions
    from convergekit.spend.result import Spend


def write_html(
    s: Answering,
    about: About,
    path: str | Path,
    questions: Questions | None = None,
    *,
    spend: pd.DataFrame | Spend | None = None,
    steps: Sequence[StepLike] | None = None,
    within: Duration = "7D",
    by: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a report as HTML. See `Stitched.to_html`."""
    place = _free(path, overwrite)
    document = make_document(s, about, questions, spend=spend, steps=steps, within=within, by=by)
    return _written(place, page_of(document).encode("utf-8"))


def write_excel(
    s: Answering,
    about: About,
    path: str | Path,
    questions: Questions | None = None,
    *,
    spend: pd.DataFrame | Spend | None = None,
    steps: Sequence[StepLike] | None = None,
    within: Duration = "7D",
    by: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a report as a workbook. See `Stitched.to_excel`."""
    place = _free(path, overwrite)
    document = make_document(s, about, questions, spend=spend, steps=steps, within=within, by=by)
    return _written(place, workbook_of(document))


def write_markdown(
    s: Answering,
    about: About,
    path: str | Path,
    questions: Questions | None = None,
    *,
    spend: pd.DataFrame | Spend | None = None,
    steps: Sequence[StepLike] | None = None,
    within: Duration = "7D",
    by: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a report as Markdown. See `Stitched.to_markdown`."""
    place = _free(path, overwrite)
    document = make_document(s, about, questions, spend=spend, steps=steps, within=within, by=by)
    return _written(place, markdown_of(document).encode("utf-8"))


def _free(path: str | Path, overwrite: bool) -> Path:
    """Return where to write, before anything is computed."""
    place = real_path(path)
    try:
        is_there = place.exists()
    except OSError as error:
        # Such as a name that is too long.
        raise WriteError(
            f"{place} cannot be written: {error.strerror}. Give another path."
        ) from error
    if is_there and not overwrite:
        raise AlreadyThereError(f"{place} is there already; overwrite=True replaces it.")
    return place


def _written(place: Path, content: bytes) -> Path:
    with whole_file(place) as file:
        file.write(content)
    return place
