"""Which columns of a file may hold what, told from their names and first values."""

import json
import re
from collections.abc import Callable, Mapping

from models.adapters.rows import Guess, Sample
from models.errors import DataError

_BIO = re.compile(r"O|[BI]-\S+")
_TEXT_NAMES = ("text", "sentence", "content", "review", "message", "utterance", "question", "body")
_LIST_NAMES = ("labels", "tags", "topics", "categories", "intents", "genres")
LABEL_NAMES = ("label", "category", "intent", "class", "sentiment", "target", "topic")
MOST_LABELS = 1000
_QUESTION_NAMES = {
    "question": ("question", "query"),
    "context": ("context", "passage", "paragraph"),
    "answers": ("answers",),
}


def text_and_label(sample: Sample) -> Guess | None:
    """Find a label, which repeats, and a text: by their usual names, else the fewest and the longest."""
    labels = {name: d for name, v in sample.items() if (d := _distinct(v, repeats=True)) is not None}
    usual = (name for name in sample if name.lower() in LABEL_NAMES)
    labels = labels or {
        name: d for name in usual if (d := _distinct(sample[name], repeats=False)) is not None
    }
    label = _best(labels, LABEL_NAMES, key=lambda name: labels[name])
    texts = {
        name: sum(map(len, v)) / len(v)
        for name, values in sample.items()
        if name != label and (v := [x for x in values if isinstance(x, str)])
    }
    text = _best(texts, _TEXT_NAMES, key=lambda name: -texts[name])
    if text is None or label is None:
        return None
    why = f"{text!r} holds the text and {label!r} the label"
    return Guess({"text_column": text, "label_column": label}, why)


def question_and_passage(sample: Sample) -> Guess | None:
    """Find columns that are called a question, a passage and its answers."""
    named = {
        role: next((name for name in sample if name.lower() in names), None)
        for role, names in _QUESTION_NAMES.items()
    }
    if None in named.values() or not all(isinstance(v, list) for v in sample[str(named["answers"])]):
        return None
    columns = {role: name for role, name in named.items() if name != role}
    why = " and ".join(f"{name!r} holds the {role}" for role, name in named.items())
    return Guess({"columns": columns} if columns else {}, why)


def text_and_target(sample: Sample, names: tuple[str, ...]) -> Guess | None:
    """Find a text to write, by its usual names, and the longest other text; None beside a label."""
    if any(name.lower() in LABEL_NAMES for name in sample):
        return None
    target = next((name for name in sample if name.lower() in names), None)
    texts = {
        name: sum(map(len, v)) / len(v)
        for name, values in sample.items()
        if name != target and (v := [x for x in values if isinstance(x, str)])
    }
    text = _best(texts, _TEXT_NAMES, key=lambda name: -texts[name])
    if text is None or target is None:
        return None
    renamed = {own: name for own, name in {"text": text, "target": target}.items() if own != name}
    return Guess({"columns": renamed}, f"{text!r} holds the text and {target!r} the text to write")


def tokens_and_tags(sample: Sample) -> Guess | None:
    """Find a column of BIO tags and one with as many tokens in each row.

    Raises:
        DataError: There are tags, but no tokens.
    """
    tags = next((name for name, values in sample.items() if _are_tags(values)), None)
    if tags is None:
        return None
    counts = [len(_items(v)) for v in sample[tags]]
    for name, values in sample.items():
        if name != tags and [len(_items(v)) for v in values] == counts:
            why = f"{tags!r} holds BIO tags and {name!r} as many tokens"
            return Guess({"tokens_column": name, "tags_column": tags}, why)
    raise DataError(f"column {tags!r} holds BIO tags, but no column has as many tokens in each row.")


def text_and_labels(sample: Sample) -> Guess | None:
    """Find a list of labels by its usual names, and the longest text."""
    lists = [name for name in _LIST_NAMES if name in sample and _are_lists(sample[name])]
    texts = {
        name: sum(map(len, v)) / len(v)
        for name, values in sample.items()
        if name not in lists and (v := [x for x in values if isinstance(x, str)])
    }
    text = _best(texts, _TEXT_NAMES, key=lambda name: -texts[name])
    if text is None or not lists or any(_are_tags(values) for values in sample.values()):
        return None
    columns: dict[str, object] = {"text_column": text}
    if lists[0] != "labels":
        columns["columns"] = {"labels": lists[0]}
    return Guess(columns, f"{text!r} holds the text and {lists[0]!r} a list of labels")


def tokens_and_pair(sample: Sample) -> Guess | None:
    """Find tokens and two entities among them, by their names, and a relation.

    Raises:
        DataError: There are tokens and two entities, but no relation.
    """
    if not all(name in sample and _are_lists(sample[name]) for name in ("tokens", "head", "tail")):
        return None
    label = next((name for name in ("relation", *LABEL_NAMES) if name in sample), None)
    if label is None:
        raise DataError("there are tokens, a head and a tail, but no column called relation or label.")
    why = f"'tokens', 'head' and 'tail' mark two entities and {label!r} holds their relation"
    return Guess({"label_column": label}, why)


def tokens_and_relations(sample: Sample) -> Guess | None:
    """Find tokens and lists of relations, by their names."""
    if not all(name in sample and _are_lists(sample[name]) for name in ("tokens", "relations")):
        return None
    return Guess({}, "'relations' lists relations between words of 'tokens'")


def question_and_choices(sample: Sample) -> Guess | None:
    """Find a question, a list of choices and the right one, by their usual names."""
    choices = next((name for name in ("choices", "options") if name in sample), None)
    if choices is None or not _are_lists(sample[choices]) or not {"question", "answer"} <= set(sample):
        return None
    columns = {} if choices == "choices" else {"columns": {"choices": choices}}
    return Guess(columns, f"'answer' is one of {choices!r} to 'question'")


def _are_lists(values: list[object]) -> bool:
    filled = [value for value in values if value not in (None, "")]
    return bool(filled) and all(isinstance(v, list) or str(v).startswith("[") for v in filled)


def _items(value: object) -> list[object]:
    """See a value as a list: a real one, a JSON array, or words."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    if isinstance(value, str):
        return list(value.split())
    return value if isinstance(value, list) else []


def _are_tags(values: list[object]) -> bool:
    pieces = [piece for value in values for piece in _items(value)]
    tagged = all(isinstance(p, str) and _BIO.fullmatch(p) for p in pieces)
    return bool(pieces) and tagged and any(p != "O" for p in pieces)


def _distinct(values: list[object], *, repeats: bool) -> int | None:
    """Count distinct values of a column that may be a label: few of them, and each often if it must."""
    filled = [v for v in values if isinstance(v, str | int) and v != ""]
    found = len(set(filled))
    most = min(MOST_LABELS, max(2, len(filled) // 2)) if repeats else MOST_LABELS
    return found if 2 <= found <= most else None


def _best(candidates: Mapping[str, float], names: tuple[str, ...], key: Callable[[str], float]) -> str | None:
    """Choose the column with a usual name, else the first by `key`."""
    lower = {name.lower(): name for name in candidates}
    usual = next((lower[name] for name in names if name in lower), None)
    return usual or min(candidates, key=key, default=None)
