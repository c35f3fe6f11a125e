"""Writes what `--help` says into docs/cli.md and the man page, or checks that it stands there.

python docs/reference.py           # or ./dev docs: writes the files
python docs/reference.py --check   # exit status 1, and the names of those that are not up to date
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemdock.cli.main import cli
from stemdock.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DOCS = Path(__file__).parent
PROGRAM = "plugin-cli"

OPENING = """\
<!-- Written by ./dev docs from the program itself: change the help texts, not this file. -->
# Command line

`plugin-cli` and `stemdock` are two names of one program. Results go to standard output, progress and messages
to standard error.
"""

EXIT_STATUS = (
    ("0", "Done."),
    ("1", "Failed: the message says why and what to do about it."),
    ("2", "Wrong usage."),
    ("3", "The audio editor does not run or does not answer."),
    ("4", "Nothing is selected in the audio editor."),
    ("130", "Interrupted; nothing half-written is left behind."),
    ("143", "Terminated; the same."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one command says of itself."""

    path: str
    """As it is typed."""
    usage: str
    paragraphs: Sequence[str]
    """Those that start with a backspace keep their lines, as click has it."""
    options: Sequence[tuple[str, str]]
    subcommands: Sequence[tuple[str, str]]


def pages(command: click.Command, context: click.Context) -> Iterator[Page]:
    """The command and, below it, all of its subcommands that are not hidden."""
    # Every command has --help, so the program's own speaks for all.
    shown = (each for each in command.get_params(context) if "--help" not in each.opts or not context.parent)
    records = (each.get_help_record(context) for each in shown)
    children = []
    if isinstance(command, click.Group):
        found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
        children = [(name, child) for name, child in found if child and not child.hidden]
    text = "\n\n".join(filter(None, (command.help, command.epilog)))
    yield Page(
        path=context.command_path,
        usage=" ".join((context.command_path, *command.collect_usage_pieces(context))),
        paragraphs=inspect.cleandoc(text).split("\n\n"),
        options=[(names, text) for names, text in filter(None, records) if text],
        subcommands=[(name, child.get_short_help_str(limit=1000)) for name, child in children],
    )
    for name, child in children:
        yield from pages(child, click.Context(child, parent=context, info_name=name))


def all_pages() -> list[Page]:
    """Those of the whole program."""
    context = click.Context(cli, info_name=PROGRAM, obj=load_plugins(), **cli.context_settings)
    return list(pages(cli, context))


def markdown(found: Sequence[Page]) -> str:
    """The reference as it stands in docs/cli.md."""
    lines = [OPENING, "Exit status:\n", *(f"- `{status}`: {text}" for status, text in EXIT_STATUS)]
    for page in found:
        lines += [f"\n## {page.path}\n", f"```text\n{page.usage}\n```\n"]
        for paragraph in page.paragraphs:
            verbatim = paragraph.startswith("\b")
            lines.append(f"```text\n{paragraph[2:]}\n```\n" if verbatim else f"{_markdown(paragraph)}\n")
        for name, text in page.subcommands:
            anchor = f"{page.path} {name}".replace(" ", "-")
            lines.append(f"- [`{name}`](#{anchor}): {_markdown(text)}")
        lines += ["", *(f"- `{names}`: {_markdown(text)}" for names, text in page.options)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def man_page(found: Sequence[Page]) -> str:
    """The reference as a man page, in the macros of man(7)."""
    root, *others = found
    lines = [
        '.\\" Written by ./dev docs from the program itself.',
        f'.TH PLUGIN\\-CLI 1 "" "stemdock {version("stemdock")}"',
        ".SH NAME",
        f"plugin\\-cli, stemdock \\- {_man(root.paragraphs[0].rstrip('.'))}",
        ".SH SYNOPSIS",
        "\n.br\n".join(_man(page.usage) for page in found if not page.subcommands),
        ".SH OPTIONS",
        *_man_terms(root.options),
        ".SH COMMANDS",
    ]
    for page in others:
        lines.append(f".SS {_man(page.path.removeprefix(PROGRAM + ' '))}")
        for i, paragraph in enumerate(page.paragraphs):
            text = f".nf\n{_man(paragraph[2:])}\n.fi" if paragraph.startswith("\b") else _man(paragraph)
            lines += [".PP", text] if i else [text]
        lines += _man_terms(page.options)
    lines += [".SH EXIT STATUS", *_man_terms(EXIT_STATUS)]
    return "\n".join(lines) + "\n"


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", text)


def _man(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", escaped, flags=re.MULTILINE)


def _man_terms(terms: Sequence[tuple[str, str]]) -> Iterator[str]:
    for term, text in terms:
        yield f".TP\n.B {_man(term)}\n{_man(text)}"


def main() -> int:
    """Writes or checks the files, as the module's text says."""
    found = all_pages()
    wanted = {
        DOCS / "cli.md": markdown(found),
        DOCS / "man" / "plugin-cli.1": man_page(found),
        DOCS / "man" / "stemdock.1": ".so man1/plugin-cli.1\n",
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        print(path.relative_to(DOCS.parent))
    if "--check" in sys.argv[1:]:
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
