"""Install what Binder and Colab do into an empty environment, and run the notebooks there.

python release/check_binder.py [NOTEBOOK...]

The environment has no more than .binder/requirements.txt names, so that what a notebook needs
beside it stops here. Needs the package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / ".binder" / "requirements.txt"
NOTEBOOKS = ROOT / "notebooks"


def main(names: Sequence[str]) -> None:
    """Run the notebooks of these names, or all, or stop at the first cell that raises."""
    with tempfile.TemporaryDirectory() as directory:
        install(Path(directory))
        # A kernel's specification of that environment; the client runs in ours.
        os.environ["JUPYTER_PATH"] = str(Path(directory, "env", "share", "jupyter"))
        for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
            if not names or notebook.name in names:
                NotebookClient(
                    nbformat.read(notebook, as_version=4),
                    timeout=600,
                    kernel_name="binder",
                    resources={"metadata": {"path": str(NOTEBOOKS)}},
                ).execute()
                print(f"{notebook.name} runs", flush=True)


def install(home: Path) -> None:
    """Make the environment and its kernel in a directory."""
    venv.create(home / "env")
    python = home / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    # Binder and Colab install from the root of the checkout.
    command = [*pip, "install", "--quiet", "-r", str(REQUIREMENTS)]
    subprocess.run(command, cwd=ROOT, check=True)
    kernel = ["-m", "ipykernel", "install", "--name", "binder", "--prefix", str(home / "env")]
    subprocess.run([str(python), *kernel], cwd=home, check=True)
    print(f"{REQUIREMENTS.relative_to(ROOT)}: installed into an empty environment", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
