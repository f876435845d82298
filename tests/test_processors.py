"""Answers do not depend on the machine; `tests.processors` finds it if they do."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convergekit.attribution.models import TouchpointPaths, Tuning, time_decay
from convergekit.base.rounding import six_digits
from tests import processors
from tests.effort import tries
from tests.processors import HERE, Machine

#: Prints every digit of what goes through logarithms, powers, BLAS, layouts and unstable sorts,
#: and the names of months.
ANSWERS = """
import pandas as pd
import convergekit as ck
pd.set_option("display.max_columns", None, "display.max_rows", None, "display.width", 10_000)
models = ["time_decay", "markov", "shapley"]
s = ck.stitch(ck.read_events("data/*"))
steps = ["PageView", "Added To Cart", "Placed Order"]
found = s.attribution("Placed Order", "total_price", models)
ordered = s.customers(currency="currency")
journeys = s.journeys(start="PageView", end="Placed Order")
google, meta = (
    s.funnel([ck.Step("PageView", where={"utm_source": name}), *steps[1:]], within="7D")
    for name in ("google", "meta")
)
with pd.option_context("display.float_format", repr):
    print(found.effects, found.credits[["row", "touch", "credit", "value"]])
    print(ordered.repeat_purchases(), google.compare(meta))
    print(journeys.times, journeys.differences(properties=["utm_source"]).table)
print(ordered._repr_html_())
print(s.hindsight("Placed Order", value="total_price").events)
for urn in ("urn:email:milo.duval37@example.com",):
    print(s.plot_profile_graph(urn).to_json(), s.profile(urn).plot().to_json())
many = pd.DataFrame({
    "event_name": "x", "timestamp": "2026-03-02",
    "aliases": [[f"urn:cookie:c{i % 7}", f"urn:token:t{i}", "urn:email:a"] for i in range(130)],
})
print(ck.stitch(many).plot_profile_graph("urn:email:a").to_json())
"""


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    found = processors.machines(tmp_path_factory.mktemp("locale"))
    return {machine.name: machine for machine in found}


def printed(machine: Machine, code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=machine.environment,
        cwd=processors.ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert not run.returncode, run.stderr
    return run.stdout


def test_answers_are_the_same_to_the_last_digit_on_another_machine(machines):
    assert printed(machines["another"], ANSWERS) == printed(HERE, ANSWERS)


def test_another_machine_has_less_and_computes_otherwise(machines):
    code = """
import locale, os, time
import numpy as np, pandas as pd
print(np.exp(0.3), np.linalg.inv(np.array([[3.0, 1.0], [1.0, 7.0]])).tolist(), np.exp2(-3.0))
print(np.argsort([1, 1, 0]), pd.Series([1, 1, 0]).sort_values().index.tolist())
print(np.argsort([1, 1, 0], kind="stable"), [0.1 + 0.2, 1 / 3, np.sqrt(2.0)])
print(os.cpu_count(), time.timezone, time.strftime("%B", time.gmtime(6_000_000)))
"""
    other = machines["another"]
    here, there = (printed(machine, code).splitlines() for machine in (HERE, other))
    assert here[0].split()[-1] == there[0].split()[-1] == "0.125"
    assert here[0].split()[0] != there[0].split()[0]
    assert there[1] == "[2 1 0] [2, 1, 0]"
    assert here[2] == there[2]
    cores, west_of_utc, month = there[3].split()
    assert cores == "1"
    assert west_of_utc == str(-13 * 3600) or machines["Pacific/Apia"].missing
    assert month == "März" or machines["german"].missing


def test_machines_of_less_than_this_processor_are_so(machines):
    code = (
        "from numpy._core._multiarray_umath import __cpu_dispatch__ as names, "
        "__cpu_features__ as has; print(*[name for name in names if has.get(name)])"
    )
    features = processors.numpy_features()
    there = [name for name, found in features.items() if found]
    for name, found in features.items():
        assert found is not (name in machines[f"numpy-without-{name}"].missing)
    available = [f"numpy-without-{name}" for name in there]
    for place in {0, len(there) - 1} if there else ():
        assert printed(machines[available[place]], code).split() == there[:place]
    cores = [m for m in machines.values() if m.name.startswith("openblas-")]
    used = [processors.openblas_core(m.name.split("-")[1]) for m in cores if not m.missing]
    assert cores
    assert processors.openblas_core() not in used
    assert len(set(used)) == len(used)


def test_what_the_processor_lacks_is_named_and_no_failure(monkeypatch, capsys):
    lacking = Machine("cray", missing="this processor has no vectors of 64")
    monkeypatch.setattr(processors, "machines", lambda scratch: [HERE, lacking])
    assert processors.main(["cray"]) == 0
    said = "cray: not available, this processor has no vectors of 64.\n"
    assert capsys.readouterr().out == said
    with pytest.raises(SystemExit):
        processors.main(["vax"])
    assert "vax is not known; there are here, cray" in capsys.readouterr().err


def test_a_notebook_that_prints_digits_of_the_processor_is_found(machines, tmp_path):
    pytest.importorskip("nbval")
    path = tmp_path / "digits.ipynb"
    cell = nbformat.v4.new_code_cell("import numpy as np\nfloat(np.exp(0.3))", execution_count=1)
    data = {"text/plain": repr(float(np.exp(0.3)))}
    cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    assert processors.notebooks(HERE, [path]).returncode == 0
    run = processors.notebooks(machines["other-digits"], [path])
    assert run.returncode == 1
    assert "Cell outputs differ" in run.stdout


@tries(30)
@given(st.integers(1, 10**7), st.integers(-30, 10), st.sampled_from([-4, -1, 1, 4]))
def test_last_digits_do_not_decide_how_a_short_number_is_rounded(number, power, steps):
    value = float(f"{number}e{power}")
    off = (np.float64(value).view(np.int64) + steps).view(np.float64)
    assert six_digits(float(off)) == six_digits(value) == pytest.approx(value, rel=5.1e-6)


def test_halves_are_right_to_the_last_digits():
    times = np.concatenate([np.arange(0, 60), np.linspace(0, 50, 301), [1e-9, 3000.0]])
    size = len(times)
    label = np.zeros(size, dtype=np.int64)
    none = np.zeros(size, dtype=bool)
    # The latest touch is the measure of all.
    journeys = TouchpointPaths(label, label, times, none, label[:0], label[:0], 1)
    found = time_decay(journeys, Tuning(half_life=1.0))
    exact = [float(Decimal(2) ** -Decimal(float(time))) for time in times]
    assert found.tolist()[:60] == exact[:60]
    assert found.tolist() == pytest.approx(exact, rel=4e-16)
