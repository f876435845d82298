"""A built site on this machine's own address, and a Chromium that opens its pages and nothing else.

For docs/check_pages.py and docs/check_search.py.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: What to do without a browser.
NO_BROWSER = "install a Chromium (apt install chromium), or name one with BROWSER_PATH="


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Log nothing: what is missing is told by the page that asked for it."""

    def log_error(self, *args: Any) -> None:
        """Log nothing, as above."""


def browser_path() -> str | None:
    """Return where the browser of the system is, if it has one."""
    return os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, _BROWSERS)), None)


@contextlib.contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve a directory on this machine alone, and return its address."""
    handler = functools.partial(_Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextlib.asynccontextmanager
async def opened_browser() -> AsyncIterator[Any]:
    """Start the browser of the system."""
    # A build of the site alone does not need it.
    from playwright.async_api import async_playwright

    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=browser_path(), args=as_root)
        yield browser
        await browser.close()
