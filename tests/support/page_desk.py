"""The mixing desk of the web page, as a test uses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.web_server import wait_for

if TYPE_CHECKING:
    from support.browser import Browser


PICTURES: Final = Path(__file__).resolve().parents[2] / "test-artefacts" / "web"


class Desk:
    """The page in the browser, and what people do on it."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        browser.size(1280, 900)
        browser.messages()
        browser.driver.get("about:blank")
        browser.driver.get(address)
        browser.wait(browser.find("#work").is_displayed)

    def set(self, selector: str, value: object, number: int = 0, event: str = "input") -> None:
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event(arguments[2]))"
        self.browser.run(script, self.browser.find_all(selector)[number], value, event)

    def position(self) -> float:
        """Seconds of the song."""
        return float(self.browser.run("return document.getElementById('position').value"))

    def states(self) -> list[str]:
        return self._texts(".song .state")

    def titles(self) -> list[str]:
        return self._texts(".song .title")

    def _texts(self, selector: str) -> list[str]:
        # In one step: the list changes meanwhile.
        script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)"
        texts: list[str] = self.browser.run(script, selector)
        return texts

    def wait_until_ready(self, number: int) -> None:
        wait_for(lambda: [state.startswith("Ready") for state in self.states()[number:]][:1] == [True], 240)

    def export(self, what: str, choice: str, folder: Path) -> Path:
        self.browser.saves_to(folder)
        self.set("#export-what", what, event="change")
        self.set("#export-choice", choice, event="change")
        before = set(folder.iterdir())
        self.browser.find("#export").click()

        def finished() -> Path | None:
            new = [path for path in set(folder.iterdir()) - before if path.suffix != ".crdownload"]
            return new[0] if new and self.browser.find("#export").is_enabled() else None

        path: Path = wait_for(finished)
        return path
