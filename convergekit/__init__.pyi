"""What the package offers: each name is imported from its module when it is first used."""

from .activity.retention import Retention
from .attribution.lift import AttributionLift
from .attribution.result import Attribution, CreditStory
from .attribution.without_campaign import WithoutCampaign
from .base.compiled import show_versions
from .certainty.result import AnswerBounds, FunnelBounds
from .change.result import Why
from .checking import check_up
from .checks.check_up import CheckUp
from .checks.plugged import TrackingCheck
from .customers.result import Customers
from .diagnostics.compare import ProfileComparison, compare_profiles
from .diagnostics.evaluation import Evaluation, evaluate
from .diagnostics.explain import Explanation
from .diagnostics.hindsight import Hindsight
from .diagnostics.orphans import Orphans
from .diagnostics.report import Report
from .diagnostics.what_if import WhatIf
from .errors import (
    AlreadyThereError,
    ColumnError,
    ConvergekitError,
    DamagedStoreError,
    EventError,
    NotOnThisEngine,
    ReadError,
    UnknownAliasError,
    UnknownNameError,
    WriteError,
)
from .events.money import money
from .events.steps import Exclusion, Step
from .experiments.power import ExperimentPower
from .experiments.result import Experiment
from .explore.columns import ColumnsExplorer, explore_columns
from .explore.explorer import Explorer
from .figures.description import Description
from .figures.figure import Figure
from .figures.frame import AnswerFrame, DrawnFrame
from .fixes.result import NextFix
from .funnels.funnel import funnel
from .funnels.group_test import FunnelTest
from .funnels.result import Funnel
from .funnels.times import TimeToConvert
from .identity.alias_rules import email_rule, phone_rule
from .identity.conditions import Did, FirstSeen
from .identity.plugged import alias_rule
from .identity.tables import StitchedEvents
from .journeys.differences import Differences
from .journeys.result import Journeys
from .marketing.matches import SpendMatches
from .marketing.result import Marketing
from .parts.result import StitchedParts
from .parts.tables import PartsTable
from .plugging import plug_ins
from .privacy.forget import Forgotten
from .readers import (
    Constant,
    Export,
    Further,
    ItemLines,
    SuggestedColumns,
    constant,
    read_events,
    register_export,
    suggest_columns,
)
from .reconcile.result import Reconciliation
from .schemas.frames import frame_schema
from .schemas.rows import event_schema
from .simulate.losses import TrackingLoss
from .simulate.mending import TrackingChange
from .simulate.store import SimulatedStore, simulate_store
from .spend.reading import read_spend
from .spend.result import Spend
from .stitched import Stitched
from .stitching import stitch
from .store import (
    Added,
    ForgottenInStore,
    Repaired,
    Status,
    Store,
    open_store,
    repair_store,
)
from .visits.channels import CHANNEL_RULES, ChannelRule
from .visits.detours import IGNORED_REFERRERS
from .visits.plugged import channel_rules
from .visits.rules import VISIT_PRESETS, VisitRules
from .watching.result import Watch
from .watching.watch import watch
from .writers.parquet import read_stitched

__all__ = [
    "CHANNEL_RULES",
    "IGNORED_REFERRERS",
    "VISIT_PRESETS",
    "Added",
    "AlreadyThereError",
    "AnswerBounds",
    "AnswerFrame",
    "Attribution",
    "AttributionLift",
    "ChannelRule",
    "CheckUp",
    "ColumnError",
    "ColumnsExplorer",
    "Constant",
    "ConvergekitError",
    "CreditStory",
    "Customers",
    "DamagedStoreError",
    "Description",
    "Did",
    "Differences",
    "DrawnFrame",
    "Evaluation",
    "EventError",
    "Exclusion",
    "Experiment",
    "ExperimentPower",
    "Explanation",
    "Explorer",
    "Export",
    "Figure",
    "FirstSeen",
    "Forgotten",
    "ForgottenInStore",
    "Funnel",
    "FunnelBounds",
    "FunnelTest",
    "Further",
    "Hindsight",
    "ItemLines",
    "Journeys",
    "Marketing",
    "NextFix",
    "NotOnThisEngine",
    "Orphans",
    "PartsTable",
    "ProfileComparison",
    "ReadError",
    "Reconciliation",
    "Repaired",
    "Report",
    "Retention",
    "SimulatedStore",
    "Spend",
    "SpendMatches",
    "Status",
    "Step",
    "Stitched",
    "StitchedEvents",
    "StitchedParts",
    "Store",
    "SuggestedColumns",
    "TimeToConvert",
    "TrackingChange",
    "TrackingCheck",
    "TrackingLoss",
    "UnknownAliasError",
    "UnknownNameError",
    "VisitRules",
    "Watch",
    "WhatIf",
    "Why",
    "WithoutCampaign",
    "WriteError",
    "alias_rule",
    "channel_rules",
    "check_up",
    "compare_profiles",
    "constant",
    "email_rule",
    "evaluate",
    "event_schema",
    "explore_columns",
    "frame_schema",
    "funnel",
    "money",
    "open_store",
    "phone_rule",
    "plug_ins",
    "read_events",
    "read_spend",
    "read_stitched",
    "register_export",
    "repair_store",
    "show_versions",
    "simulate_store",
    "stitch",
    "suggest_columns",
    "watch",
]
__version__: str
