"""convergekit: identity resolution and funnels for e-commerce event exports.

>>> import convergekit as ck
>>> s = ck.stitch(ck.simulate_store().events)

`read_events` reads exports and `stitch` resolves identities; the `Stitched` that it returns has
funnels, attribution and reports: ``help(ck.Stitched)``. `check_up` audits your tracking,
`open_store` keeps profiles up to date, and `simulate_store` simulates events to try it all on.
"""

import lazy_loader

# The names and their modules are in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# The one place that says the version: pyproject.toml reads it from here.
__version__ = "0.1.0"
