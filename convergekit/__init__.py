"""convergekit: browser and server events become profiles, funnels and answers.

>>> import convergekit as ck
>>> s = ck.stitch(ck.simulate_store().events)

`read_events` reads exports, `stitch` makes a `Stitched` of them, which answers the questions:
``help(ck.Stitched)``. `check_up` says what is wrong with the tracking, `open_store` keeps profiles
up to date, and `simulate_store` is a store to try it all on.
"""

import lazy_loader

# The names and their modules are in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# The one place that says the version: pyproject.toml reads it from here.
__version__ = "0.1.0"
