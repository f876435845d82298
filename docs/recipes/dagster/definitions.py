"""Every night: check the day's exports, add them to the store, and watch its numbers."""

import dagster as dg

import convergekit as ck

DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01")


class Shop(dg.ConfigurableResource):
    """Where a shop's files are: a folder of exports a day, the store, and the numbers to watch."""

    exports: str
    store: str
    numbers: str

    def exports_of(self, day: str) -> str:
        """Return the pattern of a day's exports."""
        return f"{self.exports}/{day}/*"


@dg.asset(
    partitions_def=DAYS,
    # Exports with a finding of high severity are not added.
    check_specs=[dg.AssetCheckSpec("tracking", asset="exports", blocking=True)],
)
def exports(context: dg.AssetExecutionContext, shop: Shop) -> dg.MaterializeResult:
    """Check the day's exports."""
    found = ck.check_up(ck.read_events(shop.exports_of(context.partition_key)))
    severe = found.findings["severity"].eq("high").any()
    return dg.MaterializeResult(
        metadata={"check-up": dg.MetadataValue.md(found.to_markdown())},
        check_results=[dg.AssetCheckResult(check_name="tracking", passed=not severe)],
    )


@dg.asset(
    partitions_def=DAYS,
    deps=[exports],
    # One process writes to a store at a time: the pool's limit is 1.
    pool="convergekit_store",
    check_specs=[dg.AssetCheckSpec("numbers", asset="store")],
)
def store(context: dg.AssetExecutionContext, shop: Shop) -> dg.MaterializeResult:
    """Add the day's exports to the store, where they are stitched to those of the days before."""
    opened = ck.open_store(shop.store)
    added = opened.add(shop.exports_of(context.partition_key))
    watched = ck.watch(opened, shop.numbers, until=context.partition_key)
    return dg.MaterializeResult(
        metadata={"added": repr(added), "watch": dg.MetadataValue.md(watched.to_markdown())},
        check_results=[
            dg.AssetCheckResult(check_name="numbers", passed=len(watched.alarms) == 0),
        ],
    )


nightly = dg.define_asset_job("nightly", selection=[exports, store])

defs = dg.Definitions(
    assets=[exports, store],
    jobs=[nightly],
    schedules=[dg.build_schedule_from_partitioned_job(nightly, hour_of_day=3, minute_of_hour=10)],
    resources={
        "shop": Shop(
            exports=dg.EnvVar("EXPORTS"), store=dg.EnvVar("STORE"), numbers=dg.EnvVar("NUMBERS")
        )
    },
)
