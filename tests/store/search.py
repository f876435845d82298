"""Search for batches after which a store differs from stitching everything: not part of the tests.

    python -m tests.store.search [--examples N]

tests/store/test_store.py runs the same checks on a few examples; this one on many.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from tests.store.store_cases import batches, check_after_each_batch, options


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=300)
    arguments = parser.parse_args()
    counter = itertools.count(1)

    with tempfile.TemporaryDirectory() as directory:

        @settings(
            max_examples=arguments.examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        )
        @given(batches(), options)
        def search(parts, chosen):
            path = Path(directory, f"{next(counter)}")
            check_after_each_batch(path, parts, chosen)
            shutil.rmtree(path)
            print(".", end="", flush=True)

        search()
    print(f"{next(counter) - 1} examples, no difference")


if __name__ == "__main__":
    main()
