"""`convergekit watch`: Markdown, and an exit code for cron."""

from __future__ import annotations

import pytest

import convergekit as ck
from tests.cli.test_cli import run  # noqa: F401 - a fixture
from tests.watching.test_watch import ORDERS, daily, events_of

pytest.importorskip("duckdb")
pytest.importorskip("statsmodels")

FILE = "[[number]]\nkind = 'events'\nevent = 'Placed Order'\nname = 'Orders'\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A store of which the last day has half of the orders, and the file of its numbers."""
    path = tmp_path_factory.mktemp("shop")
    ck.open_store(path / "store").add(events_of([*daily(98, 60), 20]))
    (path / "numbers.toml").write_text(FILE)
    return path


def asked(path):
    return "watch", path / "numbers.toml", "--store", path / "store"


def test_an_alarm_ends_with_one(run, shop):  # noqa: F811
    done = run(*asked(shop))
    assert done.returncode == 1
    found = ck.watch(ck.open_store(shop / "store"), ORDERS)
    assert done.stdout.rstrip() == found.to_markdown()
    assert done.stdout.startswith("**1 alarm: Orders 20 on 2026-06-07, expected ")
    assert "| Orders | Sun 2026-06-07 | 1 | 20 |" in done.stdout


def test_no_alarm_ends_with_nothing(run, shop):  # noqa: F811
    done = run(*asked(shop), "--until", "2026-06-06")
    assert (done.returncode, done.stdout.count("as expected")) == (0, 2)
    done = run(*asked(shop), "--until", "2026-06-08", "--days", "3")
    assert (done.returncode, done.stdout.count("| alarm |")) == (1, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.toml", "--store", "store"), "missing.toml cannot be read"),
        (("numbers.toml", "--store", "nowhere"), "no store at"),
        (("numbers.toml", "--store", "store", "--days", "0"), "days must be a number of days"),
        (("numbers.toml", "--store", "store", "--until", "soon"), "until must be a date"),
    ],
)
def test_what_cannot_be_watched_ends_with_two(run, shop, monkeypatch, arguments, said):  # noqa: F811
    monkeypatch.chdir(shop)
    done = run("watch", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
