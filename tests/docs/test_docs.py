"""The documents say what is there: commands and options, files, sections."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from stemdock.cli.main import cli
from stemdock.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
REFERENCE = ROOT / "docs" / "cli.md"
TUTORIAL = ROOT / "docs" / "writing-a-plugin.md"
"""It adds commands of its own; tests/docs runs all of it."""


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def test_the_reference_says_what_the_program_says() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "docs" / "reference.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, f"run ./dev docs: {checked.stdout}{checked.stderr} would change"


def test_the_man_page_is_one() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    page = ROOT / "docs" / "man" / "plugin-cli.1"
    set_page = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-P-c", page], capture_output=True, text=True, check=True
    )
    assert not set_page.stderr
    text = re.sub(r".\x08", "", set_page.stdout)
    assert re.search(r"^ +-b, --bit-depth ", text, re.MULTILINE)
    assert ".PP" not in text


def commands_in(text: str) -> Iterator[list[str]]:
    """Words of each call of the program, in shell blocks and in running text."""
    shells = {"", "console", "sh"}
    blocks = [body.replace("\\\n", " ") for language, body in FENCED.findall(text) if language in shells]
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", FENCED.sub("", text))
    for line in lines:
        words = shlex.split(line, comments=True) if re.match(r"(plugin-cli|stemdock) ", line) else []
        if words:
            yield words[1:]


def fault_of(words: list[str]) -> str:
    """What is wrong with a call of the program: a subcommand or an option that is not there."""
    context = click.Context(cli, info_name="plugin-cli", obj=load_plugins())
    command: click.Command = cli
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            child = command.get_command(context, word)
            if child is None:
                return f"{context.command_path} has no command {word}"
            context = click.Context(child, parent=context, info_name=word)
            command = child
        elif re.match(r"--?[a-zA-Z]", word):
            known = {
                name for each in command.get_params(context) for name in (*each.opts, *each.secondary_opts)
            }
            if word.partition("=")[0] not in known | {"-h", "--help"}:
                return f"{context.command_path} has no option {word}"
    return ""


@pytest.mark.parametrize("document", sorted({*DOCUMENTS} - {REFERENCE, TUTORIAL}), ids=name_of)
def test_the_commands_in_it_exist(document: Path) -> None:
    faults = [fault_of(words) for words in commands_in(document.read_text("utf-8"))]
    assert not list(filter(None, faults))


@pytest.mark.parametrize(
    "text",
    [
        "`plugin-cli seperate`",
        "```sh\nstemdock separate a.wav --bits 16\n```",
        "```\nplugin-cli audacity instal\n```",
        "```console\n$ plugin-cli reaper doctor --fast\n```",
        "1. Run\n\n   ```console\n   $ plugin-cli reaper instal\n   ```",
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str) -> None:
    (words,) = commands_in(text)
    assert fault_of(words)


def anchors_of(document: Path) -> set[str]:
    """The names under which GitHub finds the headings."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", document.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_its_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"`[^`\n]*`(?!\])", "", FENCED.sub("", document.read_text("utf-8")))
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path) if path else document
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert not broken
