"""What an adapter says of its rows: what must hold of them, and what it sees in a file's columns.

Only said here. The checks are run by `tasks/io/validation.py`, the sample is read by `tasks/io/draft.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias

ENCODING = "broken encoding"
"""The reason given for text that lost characters on its way, whoever finds it."""

Sample: TypeAlias = Mapping[str, list[object]]
"""The first values of a file by column, in the order of the columns."""


class Rule(Enum):
    """What must hold of a measure that is there."""

    PRESENT = auto()
    """Nothing more than that it is there."""
    SOME = auto()
    """At least 1."""
    NONE = auto()
    """0, or False."""
    KNOWN = auto()
    """One of the agent's labels."""


@dataclass(frozen=True)
class Check:
    """One thing that must hold of each row; a row without the measure is "missing <measure>".

    Args:
        measure: Name of what is looked at, as in `TaskAdapter.measure`.
        rule: What must hold.
        reason: What the quarantine says of a row for which it does not hold.
    """

    measure: str
    rule: Rule = Rule.PRESENT
    reason: str = ""


@dataclass(frozen=True)
class Guess:
    """How a source's columns might map.

    Args:
        columns: Settings of a source that name columns, such as `text_column`, or `columns` of other tasks.
        why: What was seen, as a clause.
    """

    columns: Mapping[str, Any]
    why: str
