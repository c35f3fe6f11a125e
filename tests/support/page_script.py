"""Modules of a page without a browser: the test gives what they need of one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import quickjs

if TYPE_CHECKING:
    from collections.abc import Iterable

EVENTS = """
class EventTarget {
  #listeners = [];
  addEventListener(name, call) { this.#listeners.push([name, call]); }
  dispatchEvent(event) { for (const [name, call] of this.#listeners) if (name === event.type) call(event); }
}
class Event { constructor(type) { this.type = type; } }
class CustomEvent extends Event { constructor(type, { detail }) { super(type); this.detail = detail; } }
class AbortController { signal = {}; abort() {} }
"""


class PageScript:
    """What a page runs."""

    def __init__(self, browser: str, modules: Iterable[str]) -> None:
        """Loads modules, which share their names.

        Args:
            browser: A script before them.
            modules: Their texts, each before those that need it.
        """
        self._context = quickjs.Context()
        lines = [line for text in modules for line in text.split("\n") if not line.startswith("import ")]
        self.run("\n".join([EVENTS, browser, *(line.removeprefix("export ") for line in lines)]))

    def run(self, script: str) -> Any:
        """The value of the last expression, after all that it has begun."""
        value = self._context.eval(script)
        while self._context.execute_pending_job():
            pass
        return value

    def value(self, expression: str) -> Any:
        return json.loads(self.run(f"JSON.stringify({expression})"))
