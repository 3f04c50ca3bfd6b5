"""Chats as a model's own template writes them, with as many of the newest turns as fit."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PLAIN = (
    "{{ bos_token or '' }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant:\n{% endif %}"
)
"""The template of models that bring none, such as those that were never taught to chat."""

Message = dict[str, str]


def messages(turns: Sequence[str], instruction: str = "") -> list[Message]:
    """Say who said what: the last turn is the user's, and the two take turns."""
    roles = ("user", "assistant")
    said = [
        {"role": roles[(len(turns) - 1 - place) % 2], "content": turn} for place, turn in enumerate(turns)
    ]
    return [{"role": "system", "content": instruction}, *said] if instruction else said


def rendered(chats: Sequence[list[Message]], tokenizer: "PreTrainedTokenizerBase") -> list[str]:
    """Write chats as the tokenizer's template does, up to where the assistant begins to speak.

    Raises:
        ConfigError: The template refuses a chat, as some do that know no system messages.
    """
    from jinja2 import TemplateError

    if not chats:
        return []
    template = None if tokenizer.chat_template else PLAIN
    try:
        found: Any = tokenizer.apply_chat_template(
            list(chats), chat_template=template, add_generation_prompt=True, tokenize=False
        )
    except TemplateError as error:
        raise ConfigError(
            f"The chat template of {tokenizer.name_or_path!r} refuses a chat: {error}. Leave out "
            "`instruction` if it takes no system message, or name another model."
        ) from error
    texts: list[str] = found
    return texts


def newest(
    turns: np.ndarray, tokenized: Callable[[np.ndarray, np.ndarray], list[list[int]]], most: int
) -> tuple[list[list[int]], np.ndarray]:
    """Leave out the oldest turns of chats that are too long: as few as will do, found by bisection.

    A chat that is cut begins with a turn of the user, as many templates ask; its last turn stays.

    Args:
        turns: (chats,) how many turns each has.
        tokenized: Given chats' positions and their first turns, both (chosen,), gives their sub-words.
        most: Sub-words that fit.

    Returns:
        Sub-words of each chat, longer than `most` only where one turn is; and its first turn, (chats,).
    """
    first = np.zeros(len(turns), np.int64)
    found = tokenized(np.arange(len(turns)), first)
    long = np.array([i for i, ids in enumerate(found) if len(ids) > most and turns[i] > 1], np.int64)
    pairs = np.zeros(len(long), np.int64)  # How many pairs of turns stay before the last one.
    above = (turns[long] + 1) // 2
    while (above - pairs > 1).any():
        middle = (pairs + above) // 2
        sizes = np.array([len(ids) for ids in tokenized(long, turns[long] - 1 - 2 * middle)])
        fits = (sizes <= most) & (middle > pairs)
        above = np.where(fits | (middle == pairs), above, middle)
        pairs = np.where(fits, middle, pairs)
    if len(long):
        first[long] = turns[long] - 1 - 2 * pairs
        for place, ids in zip(long.tolist(), tokenized(long, first[long]), strict=True):
            found[place] = ids
    return found, first
