"""Environment variables in addresses, as ${NAME}: filled in where one is opened, hidden in what is said."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from models.errors import ConfigError
from models.schemas.source import VARIABLE


@dataclass(frozen=True)
class Filled:
    """A text whose variables have got their values.

    Args:
        text: What to open; never to be printed, logged or stored.
        values: The variables' values by name.
    """

    text: str = field(repr=False)
    values: Mapping[str, str] = field(repr=False)

    def hide(self, message: object) -> str:
        """Write each value in a message as the ${NAME} that it came from."""
        told = str(message)
        for name, value in sorted(self.values.items(), key=lambda item: -len(item[1])):
            for written in (value, quote(value), quote(value, safe="")):
                told = told.replace(written, f"${{{name}}}") if written else told
        return told

    def cause(self, error: Exception) -> Exception | None:
        """Give the error to chain; none where a traceback of it might show a value."""
        return None if self.values else error


def fill(address: str) -> Filled:
    """Replace each ${NAME} by the environment's value.

    Raises:
        ConfigError: A variable is not set.
    """
    names = list(dict.fromkeys(VARIABLE.findall(address)))
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise ConfigError(
            f"{address} names the environment variable {missing[0]}, which is not set. "
            f"Set it where quickstudy runs (export {missing[0]}=...)."
        )
    values = {name: os.environ[name] for name in names}
    return Filled(VARIABLE.sub(lambda found: values[found[1]], address), values)
