"""The recipe for dbt: its project is built by dbt itself, in this process, with DuckDB."""

from __future__ import annotations

import shutil

import pytest

import convergekit as ck
from tests.recipes.nights import FIRST, RECIPES, SECOND, shop, stitched, without_aliases

pytestmark = pytest.mark.recipes


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a function that builds the project, and returns what became of each node."""
    from dbt.cli.main import dbtRunner

    settings = shop(tmp_path) | {"WAREHOUSE": str(tmp_path / "warehouse.duckdb")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    project = tmp_path / "project"
    shutil.copytree(RECIPES / "dbt", project)
    monkeypatch.chdir(project)

    def run() -> dict[str, str]:
        done = dbtRunner().invoke(["build"])
        assert done.exception is None
        return {one.node.name: str(one.status) for one in done.result}

    return run


def test_the_models_say_what_the_store_says(build, tmp_path):
    store = ck.open_store(tmp_path / "store")
    store.add(f"{tmp_path}/exports/{FIRST}/*")
    store.add(f"{tmp_path}/exports/{SECOND}/*")
    assert set(build().values()) == {"success", "pass"}
    expected = stitched(tmp_path).events
    orders = expected[expected["event_name"] == "Placed Order"]
    import duckdb

    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as warehouse:
        found = warehouse.table("orders_by_source").df().set_index("utm_source")
        events = warehouse.table("events").df()
    counts = orders["profile.utm_source"].fillna("(none)").value_counts()
    assert found["orders"].to_dict() == counts.to_dict()
    assert len(counts) > 2
    assert float(found["revenue"].sum()) == pytest.approx(
        orders["properties.total_price"].sum(), abs=0.005
    )
    assert sorted(events["profile_id"]) == sorted(expected["profile_id"])


def test_a_finding_of_high_severity_fails_the_build(build, tmp_path):
    without_aliases(tmp_path, FIRST)
    ck.open_store(tmp_path / "store").add(f"{tmp_path}/exports/{FIRST}/*")
    statuses = build()
    assert statuses.pop("no_finding_of_high_severity") == "fail"
    assert set(statuses.values()) == {"success", "pass"}
