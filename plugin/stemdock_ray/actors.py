"""Workers that are actors of Ray: the only module that knows it."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import sys
import tempfile
from collections import deque
from contextlib import ExitStack, chdir, contextmanager, suppress
from math import ceil
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, Final, Self

import ray
import ray._private.worker
from ray.exceptions import RayError

from stemdock_ray.errors import RayAddressError, RayLostError, RayStartError, TooFewResourcesError
from stemdock_ray.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock import WorkerNeeds

_N_CALLS: Final = 3
"""Calls that an actor takes at the same time: `take` waits in one of them."""
_STORE_SIZE: Final = 100 << 20
"""Bytes of memory for objects that actors share, near the least that Ray accepts: only messages pass."""
_LONGEST_FOLDER: Final = 20
"""Characters of the folder for temporary files: the paths of Ray's sockets add 84, and may have 107."""
_CONNECT_TIMEOUT: Final = 20.0
"""Seconds."""
_LONGEST_REASON: Final = 200
"""Characters of an error of Ray's that a message repeats."""


class Actors:
    """Starts actors; see `stemdock.Workforce`."""

    def __init__(self, needs: WorkerNeeds) -> None:
        """Starts nothing yet.

        Args:
            needs: What the actors need.
        """
        self._needs = needs
        self._left = ExitStack()
        self._actor: Any = None

    def __enter__(self) -> Self:
        """Starts Ray on this machine, or connects to a cluster.

        Raises:
            RayStartError: It cannot be started.
            RayAddressError: The cluster cannot be reached.
            TooFewResourcesError: This machine cannot hold a worker.
        """
        address = self._needs.address
        with ExitStack() as started, _signals_of_ours(keep_from_children=address is None), _quiet():
            if address is None:
                self._start_here(started)
            else:
                self._connect(address, started)
            self._left = started.pop_all()
        needs = self._needs
        self._actor = ray.remote(
            num_cpus=needs.n_cores,
            num_gpus=needs.n_gpus,
            # The pool starts others in the places of lost ones.
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=_N_CALLS,
        )(Mailbox)
        return self

    def __exit__(self, *exception: object) -> None:
        """Ends Ray on this machine, or leaves the cluster, which ends all actors."""
        self._left.__exit__(None, None, None)

    def start(self, recipe: Any, n_songs: int) -> Actor:
        """Starts an actor; it waits until a machine has a place for it."""
        try:
            return Actor(self._actor.remote(pickle.dumps(recipe), n_songs))
        except RayError as error:
            raise RayLostError(_reason(error)) from error

    def receive(self, workers: Sequence[Any], timeout: float | None) -> Iterator[tuple[Actor, Any]]:
        """All messages of the actors that have some. What the caller does not ask for comes next time."""
        if workers and not any(worker.messages for worker in workers):
            by_call: dict[Any, Actor] = {worker.taking: worker for worker in workers}
            calls = list(by_call)
            try:
                ready, _ = ray.wait(calls, num_returns=1, timeout=timeout)
                if ready:
                    ready, _ = ray.wait(calls, num_returns=len(calls), timeout=0)
            except RayError:
                ready = calls  # each of them says so, too
            for call in ready:
                by_call[call].take()
        for worker in workers:
            while worker.messages:
                yield worker, worker.messages.popleft()

    def _start_here(self, started: ExitStack) -> None:
        needs = self._needs
        try:
            private = _private_folder(started)
            started.callback(ray.shutdown)
            with chdir(private):
                ray.init(
                    "local",
                    # Workers take turns on the cores as other programs do.
                    num_cpus=ceil(needs.n_workers * needs.n_cores),
                    object_store_memory=_STORE_SIZE,
                    # Ray lets everybody write into the folder that it gets.
                    _temp_dir=str(private / "r"),
                    **_QUIETLY,
                )
        except (RayError, RuntimeError, OSError, ValueError) as error:
            raise RayStartError(_reason(error)) from error
        n_gpus = ray.cluster_resources().get("GPU", 0)
        if n_gpus < needs.n_gpus:
            raise TooFewResourcesError(f"{needs.n_gpus:g} graphics processors; Ray finds {n_gpus:g}")

    @staticmethod
    def _connect(address: str, started: ExitStack) -> None:
        host, _, port = address.rpartition(":")
        try:
            # Ray itself tries for minutes, and prints.
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_TIMEOUT).close()
            private = _private_folder(started)
            started.callback(ray.shutdown)
            with chdir(private):
                ray.init(address, **_QUIETLY)
        except (RayError, RuntimeError, OSError, ValueError) as error:
            raise RayAddressError(address, _reason(error)) from error


class Actor:
    """A worker that is an actor.

    Attributes:
        messages: Those that have come; the last of all is None.
        taking: The call that gives the next.
    """

    def __init__(self, actor: Any) -> None:
        """Asks it for messages.

        Args:
            actor: Its handle.
        """
        self._actor = actor
        self._was_heard = False
        self._how = ""
        self.messages: deque[Any] = deque()
        self.taking = actor.take.remote()

    def send(self, plan: Any) -> None:
        """Gives it a song, or None."""
        if plan is None and not self._was_heard:
            # It has no song, and perhaps no machine either, and would wait for one.
            self._kill()
        else:
            with suppress(RayError):  # its next message says so
                self._actor.put.remote(pickle.dumps(plan))

    def take(self) -> None:
        """Adds what has come to the messages."""
        try:
            taken = ray.get(self.taking)
        except RayError as error:
            self._how = f"as Ray says: {_reason(error)}"
            self.messages.append(None)
            return
        self._was_heard = True
        for message in taken:
            if isinstance(message, str):
                self._how = message
                self.messages.append(None)
                return
            self.messages.append(pickle.loads(message))  # noqa: S301  from the actor
        self.taking = self._actor.take.remote()

    def end(self) -> str:
        """Kills what is left of it."""
        self._kill()
        return self._how

    def _kill(self) -> None:
        with suppress(RayError):  # the connection is lost, or the actor was
            ray.kill(self._actor)


_QUIETLY: Final[dict[str, Any]] = {
    "include_dashboard": False,
    "log_to_driver": False,
    "configure_logging": False,
}


def _private_folder(started: ExitStack) -> Path:
    """An empty folder for this user alone, to start Ray in, removed at the end.

    Ray lets its workers import modules from the folder in which it is started: songs and other people's files
    are in the user's.

    Raises:
        OSError: It cannot be made.
    """
    folder = tempfile.gettempdir()
    if len(folder) > _LONGEST_FOLDER and os.name != "nt":
        folder = "/tmp"  # noqa: S108  only a private folder is made in it
    # The names of hidden folders are too long.
    private = tempfile.mkdtemp(prefix="stemdock-", dir=folder)
    started.callback(shutil.rmtree, private, ignore_errors=True)
    return Path(private)


def _reason(error: Exception) -> str:
    """What an error says, on one line: Ray's have many, the last of which says what it is about."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[-1].partition(". ")[0].rstrip(".") if lines else type(error).__name__
    return text[:_LONGEST_REASON]


@contextmanager
def _signals_of_ours(*, keep_from_children: bool) -> Iterator[None]:
    """Keeps this program's handlers of signals.

    Args:
        keep_from_children: Whether processes that are started in the context never get those of the terminal,
            and this one gets them afterwards.
    """
    if sys.platform == "win32" or current_thread() is not main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)  # Ray sets its own
    late = {signal.SIGINT, signal.SIGHUP} if keep_from_children else set()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, late)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Ray from printing the ends of workers, which the pool reports."""
    module: Any = ray._private.worker  # noqa: SLF001  there is no public way
    before = getattr(module, "listen_error_messages", None)
    if before is None:  # another version of Ray
        yield
        return
    module.listen_error_messages = lambda worker, threads_stopped: None  # noqa: ARG005
    try:
        yield
    finally:
        module.listen_error_messages = before
