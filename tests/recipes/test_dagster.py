"""The recipe for Dagster: its assets are materialized in this process, without a daemon."""

from __future__ import annotations

import runpy

import pytest

import convergekit as ck
from tests.recipes.nights import FIRST, RECIPES, SECOND, shop, stitched, without_aliases

pytestmark = pytest.mark.recipes


@pytest.fixture(scope="module")
def recipe():
    return runpy.run_path(str(RECIPES / "dagster" / "definitions.py"))


@pytest.fixture
def night(tmp_path, recipe, monkeypatch):
    """Return a function that materializes a day, as the recipe's own job does."""
    import dagster as dg

    for name, value in shop(tmp_path).items():
        monkeypatch.setenv(name, value)
    job = recipe["defs"].resolve_job_def("nightly")

    def run(day: str):
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(
                partition_key=day, instance=instance, raise_on_error=False
            )

    return run


def passed(done) -> dict[str, bool]:
    return {one.check_name: one.passed for one in done.get_asset_check_evaluations()}


def test_a_night_is_stitched_and_a_bad_one_is_not_added(night, tmp_path):
    done = night(FIRST)
    assert done.success
    assert passed(done) == {"tracking": True, "numbers": True}
    [checked] = done.asset_materializations_for_node("exports")
    assert checked.metadata["check-up"].value.startswith("**Check-up of 272 events: no findings**")
    without_aliases(tmp_path, SECOND)
    bad = night(SECOND)
    assert not bad.success
    assert passed(bad) == {"tracking": False}
    found = ck.open_store(tmp_path / "store").stitched()
    (tmp_path / "exports" / SECOND / "events.parquet").unlink()
    expected = stitched(tmp_path)
    assert list(found.events["profile_id"]) == list(expected.events["profile_id"])


def test_each_night_has_a_run_of_the_day_before(recipe):
    from datetime import UTC, datetime

    import dagster as dg

    schedule = recipe["defs"].resolve_schedule_def("nightly_schedule")
    assert schedule.cron_schedule == "10 3 * * *"
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, 16, 3, 10, tzinfo=UTC),
        repository_def=recipe["defs"].get_repository_def(),
    )
    [request] = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == FIRST
