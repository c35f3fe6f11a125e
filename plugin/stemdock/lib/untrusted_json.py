"""JSON from sources that may be damaged or malicious."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """The value in a JSON text.

    Raises:
        ValueError: The text is not valid JSON, or its nesting is too deep.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its nesting is too deep") from None
