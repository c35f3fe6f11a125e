"""The hooks through which a plug-in extends Stemdock.

A plug-in is a module (or object) with functions of these names, marked with `stemdock.hookimpl` and
published under the entry point group "stemdock". Most hooks return descriptions and do no work: listing
hosts contacts no editor, listing commands imports none of them. They return lists, not generators, so that
an error occurs inside the guarded call.

Example:
    >>> import stemdock
    >>> @stemdock.hookimpl
    ... def stemdock_models():
    ...     return [stemdock.ModelEntry(name="hpss", stems=(...), sample_rate=44100, version="1.0")]
    >>> @stemdock.hookimpl
    ... def stemdock_engine(entry):
    ...     return Engine() if entry.name == "hpss" else None
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.entries import BatchEngine, Check, CommandEntry, HostEntry, ModelDownload, ModelEntry
    from stemdock.types import Engine, Execution, SeparatedFile, Separation

hookspec = pluggy.HookspecMarker("stemdock")
hookimpl = pluggy.HookimplMarker("stemdock")


@hookspec
def stemdock_hosts() -> Sequence[HostEntry]:  # type: ignore[empty-body]
    """Audio editors that the plug-in connects to.

    `plugin-cli doctor` calls it. It must not contact the editor.
    """


@hookspec
def stemdock_checks() -> Sequence[Check]:  # type: ignore[empty-body]
    """Results of checking the plug-in's own files on this machine.

    `plugin-cli doctor` calls it. Models and hosts are checked without it.
    """


@hookspec
def stemdock_models() -> Sequence[ModelEntry]:  # type: ignore[empty-body]
    """Models that are ready to use.

    Stemdock calls it whenever a model is chosen by name and when models are listed.
    """


@hookspec
def stemdock_downloads() -> Sequence[ModelDownload]:  # type: ignore[empty-body]
    """Models that the plug-in can fetch, installed or not.

    Stemdock calls it when models are listed and when no installed model has the chosen name. It must not use
    the network.
    """


@hookspec
def stemdock_engine(entry: ModelEntry, execution: Execution, separation: Separation) -> Engine | None:
    """Loads a model.

    Stemdock calls it once for each separator. The first answer that is not None is used. If all plug-ins
    return None, Stemdock runs models that have a Spleeter card itself.

    Args:
        entry: The model. Its file has the sha256 of the entry, and a bandwidth has been put into its card.
        execution: Provider, precision and threads. An engine that cannot honour them raises
            `ProviderUnavailableError` or, for `n_threads`, uses its own number.
        separation: Options of the separation. Those that are not in `entry.options` have their default.

    Raises:
        StemdockError: The model cannot be loaded. The error reaches the user as it is; any other exception
            marks the plug-in as broken.
    """


@hookspec
def stemdock_commands() -> Sequence[CommandEntry]:  # type: ignore[empty-body]
    """Subcommands of plugin-cli.

    The command line calls it at every start, so it must be fast.
    """


@hookspec
def stemdock_batch_engines() -> Sequence[BatchEngine]:  # type: ignore[empty-body]
    """Ways to start workers for many songs, on this machine or on others.

    Stemdock calls it if one is chosen with --engine. It must not import the engine.
    """


@hookspec
def stemdock_separated(separated: SeparatedFile) -> None:
    """Observes a file whose stems have just been put in place.

    An error here is reported and does not undo the separation.

    Args:
        separated: The written files and what is known about them.
    """
