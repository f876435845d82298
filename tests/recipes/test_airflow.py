"""The recipe for Airflow: its DAG is run by dag.test(), in this process, without a scheduler."""

from __future__ import annotations

import os
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import convergekit as ck
from tests.recipes.nights import FIRST, RECIPES, SECOND, shop, stitched, without_aliases

pytestmark = pytest.mark.recipes
FILE = RECIPES / "airflow" / "convergekit_nightly.py"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A shop, and an Airflow of its own: it is set up when it is imported, and once."""
    folder = tmp_path_factory.mktemp("airflow")
    program = Path(sys.executable).with_name("convergekit")
    settings = {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(FILE.parent),
        "CONVERGEKIT": str(program),
        **shop(folder),
    }
    with pytest.MonkeyPatch.context() as patched:
        for name, value in settings.items():
            patched.setenv(name, value)
        from airflow.utils.db import initdb

        initdb()
        yield folder


def run(day: str) -> dict[str, str]:
    """Run the night after a day, and return what became of each task."""
    dag = runpy.run_path(str(FILE))["check"].dag
    night = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1, hours=3)
    done = dag.test(logical_date=night)
    return {one.task_id: str(one.state) for one in done.get_task_instances()} | {
        "dag": str(done.state)
    }


def test_a_night_is_stitched_and_a_bad_one_fails_and_is_not_added(home):
    assert run(FIRST) == dict.fromkeys(("check", "add", "watch", "dag"), "success")
    without_aliases(home, SECOND)
    assert run(SECOND) == {
        "check": "failed",
        **dict.fromkeys(("add", "watch"), "upstream_failed"),
        "dag": "failed",
    }
    found = ck.open_store(home / "store").stitched()
    os.remove(home / "exports" / SECOND / "events.parquet")
    expected = stitched(home)
    assert list(found.events["profile_id"]) == list(expected.events["profile_id"])
