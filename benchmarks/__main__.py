"""Measure anew what the documentation says: ``python -m benchmarks [WORD ...]``, or ``make bench``.

Under every block of figures in ``docs/`` stands the command that printed it. This runs these
commands, one after the other, and puts what they print, and the date, in place of what stands
there. With words, only commands that contain one of them: ``python -m benchmarks stitch_peers``.
All of them take hours; keep the machine free of other work meanwhile.
"""

from __future__ import annotations

import argparse
import datetime
import re
import shlex
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent
#: A block of figures, and below it the command that printed them and when.
_BLOCK = re.compile(
    r"(?P<open>```text\n)(?P<printed>(?:(?!```).)*)"
    r"(?P<between>```\n(?:(?!```).)*?Printed by\s+`)(?P<command>python -m benchmarks\.[^`]+)"
    r"(?P<on>`\s+on\s+)(?P<date>\d{1,2}\s\w+\s\d{4})",
    re.DOTALL,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="of the commands to run; all if left out")
    words = parser.parse_args().words
    for page in sorted(_ROOT.glob("docs/*.md")):
        text = page.read_text(encoding="utf-8")
        for command in dict.fromkeys(found["command"] for found in _BLOCK.finditer(text)):
            if not words or any(word in command for word in words):
                print(f"\n{page.relative_to(_ROOT)}: {command}", flush=True)
                printed = run(command)
                text = replaced(page.read_text(encoding="utf-8"), command, printed)
                page.write_text(text, encoding="utf-8")


def run(command: str) -> str:
    """Return what the command prints, and show it as it comes."""
    words = [sys.executable, "-u", *shlex.split(" ".join(command.split()))[1:]]
    lines = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        sys.exit(f"{command} failed, and its page is as it was.")
    return "".join(lines)


def replaced(text: str, command: str, printed: str) -> str:
    """Return the page with other figures, and today's date, above a command."""
    today = datetime.date.today()
    date = f"{today.day} {today:%B %Y}"

    def block(found: re.Match[str]) -> str:
        if found["command"] != command:
            return found[0]
        return "".join([found["open"], printed, found["between"], command, found["on"], date])

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    main()
