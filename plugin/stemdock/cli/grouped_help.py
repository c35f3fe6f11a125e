"""Commands whose help lists the options in groups with titles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEFAULT_TITLE: Final = "Options"
_REST_TITLE: Final = "Other options"


class GroupedCommand(click.Command):
    """A command whose help lists the options in groups.

    Example:
        >>> @click.command("convert", cls=GroupedCommand, groups={"Files": ("output", "overwrite")})
    """

    def __init__(self, *arguments: Any, groups: Mapping[str, Sequence[str]], **values: Any) -> None:
        """Checks the groups.

        Args:
            arguments: As of `click.Command`.
            groups: For each title the names of the option's parameters, in the order of the help.
                Options without a group follow in a last one.
            values: As of `click.Command`.

        Raises:
            ValueError: A group names an option that the command does not have, or an option is in two groups.
        """
        super().__init__(*arguments, **values)
        self.groups: Final = groups
        grouped = [name for names in groups.values() for name in names]
        wrong = set(grouped) - {param.name for param in self.params if isinstance(param, click.Option)}
        wrong |= {name for name in grouped if grouped.count(name) > 1}
        if wrong:
            raise ValueError(f"unknown or repeated options in groups: {', '.join(sorted(wrong))}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes one section for each group."""
        for title, params in option_groups(self, ctx):
            with formatter.section(title):
                formatter.write_dl([record for param in params if (record := param.get_help_record(ctx))])


def option_groups(command: click.Command, context: click.Context) -> list[tuple[str, list[click.Option]]]:
    """The options in a command's help, grouped under their titles.

    A command without groups has one group, "Options".
    """
    shown = {
        param.name: param
        for param in command.get_params(context)
        if isinstance(param, click.Option) and not param.hidden
    }
    if not isinstance(command, GroupedCommand):
        return [(_DEFAULT_TITLE, list(shown.values()))] if shown else []
    groups = [(title, [shown.pop(name) for name in names]) for title, names in command.groups.items()]
    return [*groups, (_REST_TITLE, list(shown.values()))] if shown else groups
