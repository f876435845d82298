"""JupyterLab on this machine, and a Chromium to use it with; tests skip where one is missing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHOTS = Path(__file__).parents[2] / ".artefacts" / "browser"
PATIENCE = 60
# The paper and the ink of outputs in JupyterLab's themes.
THEMES = {"light": ("#ffffff", "rgba(0, 0, 0, 0.87)"), "dark": ("#111111", "#ffffff")}
SETTINGS = {
    "notification": {"fetchNews": "false", "checkForUpdates": False},
    "themes": {"theme": "JupyterLab Light"},
}


@pytest.fixture(scope="session")
def chromium():
    pytest.importorskip(
        "playwright.sync_api", reason="needs Playwright: pip install --group browser"
    )
    if browser_path() is None:
        pytest.skip("needs Chromium: apt install chromium, or name one with BROWSER_PATH=")
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    pytest.importorskip("jupyterlab", reason="needs JupyterLab: pip install --group browser")
    with open_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


def browser_path():
    """Where the system's browser is, if it has one."""
    return os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def open_browser():
    """A browser of the system, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=browser_path(), args=as_root)
        yield browser
        browser.close()


@contextlib.contextmanager
def open_lab(home):
    """A JupyterLab that listens on this machine alone and keeps its files to itself."""
    lab = Lab(home)
    lab.set_theme("JupyterLab Light")
    with (home / "log").open("w") as log:
        server = subprocess.Popen(lab.command(), stdout=log, stderr=log, env=lab.environment())
        try:
            lab.wait_for(server)
            yield lab
        finally:
            server.terminate()
            server.wait(PATIENCE)


class Lab:
    """A JupyterLab server: its files, its settings, its address."""

    def __init__(self, home):
        self.home = home
        self.notebooks = home / "notebooks"
        self.notebooks.mkdir()
        self.url = ""

    def command(self):
        return [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--IdentityProvider.token="),
            f"--ServerApp.root_dir={self.notebooks}",
        ]

    def environment(self):
        own = {name: str(self.home / name) for name in ("config", "data", "runtime", "settings")}
        return os.environ | {
            "JUPYTER_CONFIG_DIR": own["config"],
            "JUPYTER_DATA_DIR": own["data"],
            "JUPYTER_RUNTIME_DIR": own["runtime"],
            "JUPYTERLAB_SETTINGS_DIR": own["settings"],
        }

    def set_theme(self, theme):
        folder = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in (SETTINGS | {"themes": {"theme": theme}}).items():
            (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values))

    def wait_for(self, server):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            # The file is written before the server listens.
            with contextlib.suppress(OSError, ValueError):
                for found in (self.home / "runtime").glob("jpserver-*.json"):
                    self.url = json.loads(found.read_text())["url"]
                    with urllib.request.urlopen(f"{self.url}api/status", timeout=PATIENCE):
                        return
            assert server.poll() is None, (self.home / "log").read_text()
            time.sleep(0.2)
        raise AssertionError((self.home / "log").read_text())

    def write(self, name, *cells):
        """Write a notebook of these cells, and return its address."""
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": kernel, "language_info": {"name": "python"}},
        )
        nbformat.write(notebook, self.notebooks / name)
        return f"{self.url}lab/tree/{name}?reset"
