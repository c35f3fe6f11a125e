"""Chromium as a person has it, with its console and its network watched."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

_PATIENCE = 30
"""Seconds for what takes a moment; only a failure takes that long."""


class Browser:
    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    @classmethod
    @contextmanager
    def started(cls, chromium: str, driver: str) -> Iterator[Self]:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        # Root has no sandbox, containers have little shared memory, and nothing here has a GPU.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        chrome = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield cls(chrome)
        finally:
            chrome.quit()

    def open(self, page: Path, *, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Opens a page and waits until it can play."""
        self.messages()
        self.requests()
        self.size(width, height, scheme)
        self.driver.get(page.as_uri())
        self.wait(self.find("#play").is_enabled)

    def size(self, width: int, height: int, scheme: str = "light") -> None:
        """Makes the window as large as asked, or that of a phone if it is narrow."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def drop(self, selector: str, paths: list[Path]) -> None:
        """Drops files or folders from outside the browser."""
        box = self.find(selector).rect
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for step in ("dragEnter", "dragOver", "drop"):
            self.driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": step, **place, "data": data})

    def press(self, *keys: str) -> None:
        """Presses keys one after the other."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def picture(self, path: Path) -> None:
        """Takes a picture of the whole page, also of what is below the window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"captureBeyondViewport": True, "format": "png"}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", options)
        path.write_bytes(base64.b64decode(taken["data"]))

    def wait(self, condition: Callable[[], Any]) -> None:
        WebDriverWait(self.driver, _PATIENCE, poll_frequency=0.05).until(lambda _: condition())

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def levels(self) -> list[float]:
        """What each stem gives out just now, on the scale of its meter: 1 is full scale, 0 is -60 dB."""
        script = (
            "return [...document.querySelectorAll('.stem')].map(s => +s.style.getPropertyValue('--level'))"
        )
        levels: list[float] = self.run(script)
        return levels

    def position(self) -> float:
        """Seconds into the song."""
        return float(self.run("return document.getElementById('position').value"))

    def messages(self) -> list[str]:
        """What the console has got since the last look, errors and warnings of all kinds."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """Addresses asked for since the last look."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        events = [json.loads(entry["message"])["message"] for entry in entries]
        sent = [event for event in events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def saves_to(self, folder: Path) -> None:
        """Where downloads go."""
        behavior = {"behavior": "allow", "downloadPath": str(folder)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behavior)

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    def violations(self, axe: str) -> list[Any]:
        """What the accessibility checker finds: rules, how grave that is, and the elements."""
        self.run(axe)
        found: list[Any] = self.driver.execute_async_script(
            "const [done] = arguments; axe.run().then((result) => done(result.violations.map((each) => "
            "[each.id, each.impact, each.nodes.map((node) => node.html)])));"
        )
        return found
