"""Results that Prefect stored: whether the artifacts which they name still are what they were."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.schemas import ArtifactRef
from tasks.io.known_digests import known_digest


def why_useless(result: Path) -> str | None:
    """Say why a stored result can not be used; None: it can.

    It names an artifact that is gone or is not what its digest says, or a kill left it half-written.
    """
    try:
        stored = json.loads(json.loads(result.read_bytes())["result"])
    except (ValueError, KeyError, TypeError):
        return f"the stored result {result} is damaged"
    for ref in _references(stored):
        path = Path(ref.address)
        if not path.exists():
            return f"{path} is gone"
        if known_digest(path) != ref.digest:
            return f"{path} is damaged"
    return None


def _references(value: Any) -> Iterator[ArtifactRef]:  # noqa: ANN401 - JSON
    if isinstance(value, dict) and value.keys() == ArtifactRef.model_fields.keys():
        yield ArtifactRef.model_validate(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _references(item)
