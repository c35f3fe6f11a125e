"""The hooks through which a plug-in extends Stemdock.

A plug-in is a module (or object) with functions of these names marked by `stemdock.hookimpl`,
published under the entry point group "stemdock". Hooks answer with descriptions and do no work:
listing hosts contacts no editor, listing commands imports none of them. They return lists, not
generators, so that whatever fails does so inside the guarded call.

Example:
    >>> import stemdock
    >>> @stemdock.hookimpl
    ... def stemdock_models():
    ...     return [stemdock.ModelEntry(card=..., path=..., sha256=...)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock.types import (
        Check,
        CommandEntry,
        Execution,
        HostEntry,
        MaskSession,
        ModelDownload,
        ModelEntry,
        SeparatedFile,
    )

hookspec = pluggy.HookspecMarker("stemdock")
hookimpl = pluggy.HookimplMarker("stemdock")


@hookspec
def stemdock_hosts() -> Sequence[HostEntry]:  # type: ignore[empty-body]
    """Audio editors that the plug-in connects to.

    Called by `plugin-cli doctor`. Must not contact the editor.
    """


@hookspec
def stemdock_checks() -> Sequence[Check]:  # type: ignore[empty-body]
    """What the plug-in finds wrong, or worth telling, about what it keeps on this machine.

    Called by `plugin-cli doctor`, which looks at offered models and at hosts on its own.
    """


@hookspec
def stemdock_models() -> Sequence[ModelEntry]:  # type: ignore[empty-body]
    """Models that are ready to use.

    Called whenever a model is chosen by name and when models are listed.
    """


@hookspec
def stemdock_downloads() -> Sequence[ModelDownload]:  # type: ignore[empty-body]
    """Models that the plug-in can fetch, whether or not they are installed.

    Called when models are listed and when a name is no installed model's. Must not use the network.
    """


@hookspec
def stemdock_session(path: Path, execution: Execution) -> MaskSession | None:
    """A network for a model, in place of the onnxruntime session.

    Called once when a separator is made; the first answer that is not None wins.

    Args:
        path: The model file, verified if its hash is known.
        execution: What the person asked for.
    """


@hookspec
def stemdock_commands() -> Sequence[CommandEntry]:  # type: ignore[empty-body]
    """Subcommands of plugin-cli.

    Called at every start of the command line, so it must be cheap.
    """


@hookspec
def stemdock_separated(separated: SeparatedFile) -> None:
    """Observes a file whose stems have just been put in place.

    What goes wrong here is reported and does not undo the separation.

    Args:
        separated: What was written, and where.
    """
