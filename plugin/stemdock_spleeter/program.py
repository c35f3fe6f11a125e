"""The program `spleeter`: verbs, options, output and files of Spleeter 2.4.2.

Exit status: 0 done, 1 failed, 2 wrong usage, 20 deprecated option. With SPLEETER_STRICT=1, an error that
Spleeter foresaw ends the program with 0, as it does there.
"""

from __future__ import annotations

import logging
import signal
import sys
from typing import TYPE_CHECKING, Final

import click

from stemdock import CancelledError, StemdockError
from stemdock_spleeter import options as opt
from stemdock_spleeter.errors import SpleeterError, UncaughtError
from stemdock_spleeter.importing import install
from stemdock_spleeter.log import configure_logger, logger
from stemdock_spleeter.settings import is_strict

if TYPE_CHECKING:
    from collections.abc import Sequence

# numpy and onnxruntime are imported in functions, so that --help stays fast.

COMPATIBLE_VERSION: Final = "2.4.2"
"""The version of Spleeter whose behaviour this program has."""
_EXIT_FAILED: Final = 1
_EXIT_DEPRECATED: Final = 20
_EXIT_INTERRUPTED: Final = 130
_EXIT_TERMINATED: Final = 143


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"Spleeter Version: {COMPATIBLE_VERSION}")
        context.exit()


@click.group(no_args_is_help=True)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
    help="Print the version of Spleeter that this program stands for, and exit.",
)  # fmt: skip
def cli() -> None:
    """Spleeter's command, run by Stemdock."""


@cli.command(no_args_is_help=True)
@opt.FILES
@opt.options(opt.INPUTS, opt.ADAPTER, opt.BITRATE, opt.CODEC, opt.DURATION, opt.OFFSET, opt.OUTPUT)
@opt.options(opt.FORMAT, opt.MODEL, opt.MWF, opt.VERBOSE)
def separate(
    files: tuple[str, ...],
    deprecated_files: str | None,
    adapter: str,
    bitrate: str,
    codec: str,
    duration: float | None,
    offset: float,
    output_path: str,
    filename_format: str,
    params_filename: str,
    mwf: bool,
    verbose: bool,
) -> int:
    """Separate audio files."""
    configure_logger(verbose)
    if deprecated_files is not None:
        logger.error(
            "⚠️ -i option is not supported anymore, audio files must be supplied "
            "using input argument instead (see spleeter separate --help)"
        )
        return _EXIT_DEPRECATED
    from stemdock_spleeter.adapters import AudioAdapter  # noqa: PLC0415
    from stemdock_spleeter.separator import Separator  # noqa: PLC0415

    audio_adapter = AudioAdapter.get(adapter)
    separator = Separator(params_filename, MWF=mwf)
    n_failed = 0
    for file in files:
        try:
            separator.separate_to_file(
                file,
                output_path,
                audio_adapter=audio_adapter,
                offset=offset,
                duration=duration,
                codec=codec,
                bitrate=bitrate,
                filename_format=filename_format,
            )
        except SpleeterError as error:
            if is_strict():
                raise
            _report(error)
            n_failed += 1
    return _EXIT_FAILED if n_failed else 0


@cli.command(no_args_is_help=True)
@opt.options(opt.ADAPTER, opt.OUTPUT, opt.MODEL, opt.DATASET, opt.MWF, opt.VERBOSE)
def evaluate(
    adapter: str, output_path: str, params_filename: str, mus_dir: str, mwf: bool, verbose: bool
) -> int:
    """Measure a model on the songs of MUSDB18."""
    configure_logger(verbose)
    from stemdock_spleeter.evaluation import evaluate_model  # noqa: PLC0415

    evaluate_model(params_filename, mus_dir, output_path, adapter=adapter, mwf=mwf)
    return 0


@cli.command(no_args_is_help=True)
@opt.options(opt.ADAPTER, opt.DATA, opt.MODEL, opt.VERBOSE)
def train(adapter: str, data: str, params_filename: str, verbose: bool) -> int:
    """Train a model with the songs in a folder, and install it under the name of its folder."""
    configure_logger(verbose)
    from stemdock_spleeter.training import train_model  # noqa: PLC0415

    return train_model(params_filename, data, adapter=adapter)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns the exit status.

    Args:
        arguments: Without the program's name.
    """
    install()  # for audio adapters, which import Spleeter
    logger.setLevel(logging.INFO)
    try:
        status: object = cli.main(list(arguments), prog_name="spleeter", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, CancelledError):
        click.echo("cancelled", err=True)
        return _EXIT_INTERRUPTED
    except StemdockError as error:
        _report(error)
        foreseen = isinstance(error, SpleeterError) and not isinstance(error, UncaughtError)
        return 0 if is_strict() and foreseen else _EXIT_FAILED
    return status if isinstance(status, int) else 0


def _report(error: StemdockError) -> None:
    logger.error("%s", f"{str(error).rstrip('.')}. {error.remedy}" if error.remedy else str(error))


def entrypoint() -> None:
    """Runs the process's command line and ends the process."""
    # Raising SystemExit removes unfinished files; the default action would leave them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_EXIT_TERMINATED))
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    entrypoint()
