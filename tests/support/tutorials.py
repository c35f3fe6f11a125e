"""Documents that are run: their files are written, their commands executed, their outputs compared.

Conventions:
    A line with nothing but a name in backquotes and a colon, before a code block, makes the block a file.
    A `console` block shows commands after `$ ` and below each what it prints. A command without any
    output shown must succeed. A shown line of three dots stands for any lines.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_BLOCK = re.compile(r"(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A code block."""

    file: str
    """Name of the file that it shows; empty if it shows none."""
    language: str
    text: str


def section(document: Path, heading: str) -> str:
    """What is below a heading, up to the next of the same level."""
    text = document.read_text("utf-8")
    found = re.search(rf"^(##+) {re.escape(heading)}\n(.*?)(?=^\1 |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{document.name} has no section {heading}"
    return found[2]


def blocks_of(text: str) -> Iterator[Block]:
    """All code blocks, in their order."""
    for file, language, body in _BLOCK.findall(text):
        yield Block(file=file, language=language, text=body)


def commands_of(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a `console` block, and the output shown below it."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def is_shown(output: str, shown: str) -> bool:
    """Whether an output is the one shown."""
    pattern = "".join(
        "(?s:.*)" if line == "...\n" else re.escape(line) for line in shown.splitlines(keepends=True)
    )
    return re.fullmatch(pattern, output) is not None


class Reader:
    """A reader at a shell in a folder, who does what a document says.

    `pip install` puts packages into a folder of the reader's own, without a network.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.home = folder / "home"
        site, tools = folder / "site", folder / "tools"
        for each in (self.folder, self.home, site, tools):
            each.mkdir()
        python = shlex.quote(sys.executable)
        options = "--quiet --no-deps --no-index --no-build-isolation --disable-pip-version-check"
        for name, command in {
            "python": f'{python} "$@"',
            "plugin-cli": f'{python} -m stemdock "$@"',
            "pip": f"{python} -m pip install {options} --root-user-action=ignore --target {site} .",
        }.items():
            tool = tools / name
            tool.write_text(f"#!/bin/sh\nexec {command}\n")
            tool.chmod(0o755)
        self._environment: Mapping[str, str] = {
            **os.environ,
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(site),
            "STEMDOCK_MODELS": str(folder / "models"),
        }

    def follow(self, text: str) -> None:
        """Writes every file of a section and runs every command, in their order."""
        for block in blocks_of(text):
            if block.file:
                self.write(block)
            elif block.language == "console":
                for command, shown in commands_of(block):
                    self.run(command, shown)

    def write(self, block: Block) -> None:
        """Writes the file that a block shows."""
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")

    def run(self, command: str, shown: str = "") -> None:
        """Runs a command, and compares what it prints with what is shown."""
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self._environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        if shown:
            assert is_shown(done.stdout, shown), f"$ {command}\n{done.stdout}\nand not\n{shown}"
        fails = shown.startswith("error:")
        assert (done.returncode != 0) == fails, f"$ {command}\nstatus {done.returncode}\n{done.stdout}"
