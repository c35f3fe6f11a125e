"""Tab in the shells themselves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

PROGRAMS = Path(sys.executable).parent
SPLEETER = ["2stems", "4stems", "5stems"]
VARIANTS = sorted(f"{name}{suffix}" for name in SPLEETER for suffix in ("", "-16kHz", "-finetune"))


def environment(folder: Path) -> dict[str, str]:
    """A person's with nothing of their own in it."""
    return {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "STEMDOCK_MODELS": str(folder / "models"),
    }


def ask_bash(line: str, folder: Path) -> list[str]:
    """The line's words after an interactive bash has completed the last one with all that fits."""
    bash = pexpect.spawn(
        "bash", ["--norc", "--noprofile"], env=environment(folder), cwd=folder, encoding="utf-8", timeout=60
    )
    try:
        # The terminal shows what is typed, so nothing that is waited for may stand in it.
        bash.sendline('eval "$(plugin-cli completion bash)"; PS1="rea""dy>"')
        bash.expect("ready>")
        bash.send(f"{line}\x1b*")
        bash.send("\x01: \x05 end\r")  # made the arguments of a command that does nothing
        bash.expect("ready>")
        bash.sendline("fc -ln -1 | tr ' ' '\\n' | sed 's/^/word=/'; echo al''l")
        bash.expect("(?s)(.*)\nall\r*\n")
        return words_of(bash)
    finally:
        bash.close(force=True)


def ask_zsh(line: str, folder: Path) -> list[str]:
    """The line's words after an interactive zsh has completed the last one with all that fits."""
    zsh = pexpect.spawn("zsh", ["-f"], env=environment(folder), cwd=folder, encoding="utf-8", timeout=60)
    try:
        zsh.sendline("unset zle_bracketed_paste; autoload -Uz compinit && compinit -u")
        zsh.sendline("zstyle ':completion:*' completer _all_matches _complete")
        zsh.sendline("zstyle ':completion:*' insert true")
        zsh.sendline('eval "$(plugin-cli completion zsh)"; echo rea""dy')
        zsh.expect("ready\r*\n")
        zsh.send(f"{line}\t")
        zsh.send("\x01: \x05 end\r")
        zsh.sendline("fc -ln -1 | tr ' ' '\\n' | sed 's/^/word=/'; echo al''l")
        zsh.expect("(?s)(.*)\nall\r*\n")
        return words_of(zsh)
    finally:
        zsh.close(force=True)


def words_of(shell: pexpect.spawn[str]) -> list[str]:
    """The words that the shell has just listed, without the first and the last, which are the test's."""
    assert shell.match is not None
    return re.findall(r"\nword=([^\r\n]+)", str(shell.match[1]))[1:-1]


def ask_fish(line: str, folder: Path) -> list[str]:
    """What fish itself says it would offer."""
    script = 'plugin-cli completion fish | source; complete --do-complete "$argv[1]"'
    asked = subprocess.run(
        ["fish", "--no-config", "--command", script, line],
        env=environment(folder), cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [answer.partition("\t")[0] for answer in asked.stdout.splitlines()]


@pytest.fixture(params=[ask_bash, ask_zsh, ask_fish], ids=["bash", "zsh", "fish"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], list[str]]:
    """Asks a shell for the last words of the line, in a folder with a song."""
    if shutil.which(request.node.callspec.id) is None:
        pytest.skip(f"{request.node.callspec.id} is not installed")
    (tmp_path / "song.wav").touch()
    asker: Callable[[str, Path], list[str]] = request.param
    return lambda line: asker(line, tmp_path)


def test_it_completes_names_of_commands(ask: Callable[[str], list[str]]) -> None:
    assert ask("plugin-cli spe")[-1] == "spectrogram"


def test_it_completes_the_program_by_its_other_name(ask: Callable[[str], list[str]]) -> None:
    assert ask("stemdock models ver")[-1] == "verify"


def test_it_offers_every_model(ask: Callable[[str], list[str]]) -> None:
    offered = [word for word in ask("plugin-cli separate --model ") if "stems" in word]
    assert sorted(offered) == VARIANTS


def test_it_offers_only_installed_models_where_no_other_will_do(ask: Callable[[str], list[str]]) -> None:
    assert [word for word in ask("plugin-cli models path ") if "stems" in word] == ["2stems"]


def test_it_completes_songs(ask: Callable[[str], list[str]]) -> None:
    assert ask("plugin-cli separate so")[-1] == "song.wav"


def test_it_completes_stems_of_the_model_in_the_line(ask: Callable[[str], list[str]]) -> None:
    assert ask("plugin-cli separate --stems acc")[-1] == "accompaniment"
    assert ask("plugin-cli separate --model 5stems --stems pi")[-1] == "piano"


def test_it_completes_a_stem_after_others(
    ask: Callable[[str], list[str]], request: pytest.FixtureRequest
) -> None:
    if "fish" in request.node.name:
        pytest.skip("click's script for fish ends a word at a comma")
    assert ask("plugin-cli separate --model 4stems --stems drums,ba")[-1] == "drums,bass"
