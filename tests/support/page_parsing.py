"""A page as a parser of HTML sees it."""

from __future__ import annotations

import base64
import io
import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import soundfile

if TYPE_CHECKING:
    import numpy as np


class Page(HTMLParser):
    """The elements of a page and the texts inside them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None], str]] = []
        self.comments: list[str] = []
        self.is_inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_inside = True
        self.elements.append((tag, dict(attrs), ""))

    def handle_endtag(self, _: str) -> None:
        self.is_inside = False

    def handle_data(self, data: str) -> None:
        if self.is_inside:
            tag, attributes, text = self.elements[-1]
            self.elements[-1] = (tag, attributes, text + data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def texts(self, wanted: str, **attributes: str) -> list[str]:
        return [
            text
            for tag, has, text in self.elements
            if tag == wanted and all(has.get(name) == value for name, value in attributes.items())
        ]

    def song(self) -> dict[str, Any]:
        (text,) = self.texts("script", type="application/json")
        song: dict[str, Any] = json.loads(text)
        return song

    def sounds(self) -> list[tuple[np.ndarray, int]]:
        texts = self.texts("script", type="text/plain")
        return [soundfile.read(io.BytesIO(base64.b64decode(text))) for text in texts]
