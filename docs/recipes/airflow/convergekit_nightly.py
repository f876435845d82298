"""Every night: check the day's exports, add them to the store, and watch its numbers."""

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronTriggerTimetable

SETTINGS = {
    # In an environment of its own, so that Airflow's pins do not concern it.
    "CONVERGEKIT": os.environ.get("CONVERGEKIT", "/opt/convergekit/bin/convergekit"),
    "EXPORTS": os.environ.get("EXPORTS", "/data/exports"),
    "STORE": os.environ.get("STORE", "/data/store"),
    "NUMBERS": os.environ.get("NUMBERS", "/data/numbers.toml"),
    # The run of the 1st at 03:10 is about the day before.
    "DAY": "{{ macros.ds_add(ds, -1) }}",
}


def step(task_id: str, command: str, **options) -> BashOperator:
    """Return a task that fails where the command's exit code is not 0."""
    return BashOperator(
        task_id=task_id,
        bash_command=command,
        env=SETTINGS,
        append_env=True,
        do_xcom_push=False,
        **options,
    )


with DAG(
    dag_id="convergekit_nightly",
    schedule=CronTriggerTimetable("10 3 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    # A day that is not added is missing for good: nights that were missed are made up for.
    catchup=True,
    # One process writes to a store at a time.
    max_active_runs=1,
):
    check = step("check", '"$CONVERGEKIT" check "$EXPORTS/$DAY"/* --fail-on high')
    add = step(
        "add",
        '"$CONVERGEKIT" add "$EXPORTS/$DAY"/* --store "$STORE"',
        # Somebody may have the store open.
        retries=2,
        retry_delay=timedelta(minutes=10),
    )
    watch = step("watch", '"$CONVERGEKIT" watch "$NUMBERS" --store "$STORE" --until "$DAY"')
    check >> add >> watch
