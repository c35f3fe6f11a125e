from __future__ import annotations

import os
import signal
from importlib.util import find_spec

import pytest

from stemdock.batch import object_store
from stemdock.lib.locations import Location
from support.web_files import Web, web_server

for package in ("fsspec", "aiohttp"):
    if find_spec(package) is None:
        pytest.skip(f"needs {package}: install stemdock[remote]", allow_module_level=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons warn of forks beside threads
def test_a_child_that_was_forked_reaches_the_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with web_server(Web(files={"1.wav": b"123"})) as web:
        song = Location(f"{web.url}/1.wav")
        assert object_store.info(song).size == 3
        child = os.fork()
        if not child:
            # Should it wait for ever, the alarm ends the child with a signal.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(60)
            status = 1
            try:
                status = int(object_store.info(song).size != 3)
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert object_store.info(song).size == 3
