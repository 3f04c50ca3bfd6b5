"""The three kinds of pretrained models, told from what a model's folder says of itself.

Nothing is loaded here: descriptions of agents are checked against it.
"""

import json
from pathlib import Path
from typing import Any, Literal, get_args

Family = Literal["encoder", "seq2seq", "causal"]
FAMILIES: tuple[Family, ...] = get_args(Family)

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"

SMALL: dict[Family, str] = {
    "encoder": DEFAULT_ENCODER,
    "seq2seq": "google/flan-t5-small",
    "causal": "HuggingFaceTB/SmolLM2-135M-Instruct",
}
"""A small model of each kind, to begin with."""

_WRITES = ("ForCausalLM", "LMHeadModel")
_ENCODERS_WITH_HEADS = ("FlaubertWithLMHeadModel", "XLMWithLMHeadModel")
"""Encoders whose class for masked words is called like those that write."""
_READS_AND_WRITES = ("ForConditionalGeneration", "ForSeq2SeqLM")

EXAMPLES: dict[Family, str] = {
    "encoder": "an encoder such as sentence-transformers/all-MiniLM-L6-v2, distilbert-base-cased or "
    "FacebookAI/roberta-base",
    "seq2seq": "a seq2seq model such as google/flan-t5-small, google-t5/t5-base or facebook/bart-base",
    "causal": "a causal model such as HuggingFaceTB/SmolLM2-135M-Instruct or Qwen/Qwen2.5-0.5B-Instruct",
}


def family_of(described: dict[str, Any]) -> Family | None:
    """Tell what kind of model a config.json describes; None where it does not say."""
    if described.get("is_encoder_decoder"):
        return "seq2seq"
    names = described.get("architectures") or []
    if any(name.endswith(_WRITES) and name not in _ENCODERS_WITH_HEADS for name in names):
        return "causal"
    if any(name.endswith(_READS_AND_WRITES) for name in names):
        return "seq2seq"
    return "encoder" if names else None


def family_in(folder: str) -> Family | None:
    """Tell what kind of model lies in a local folder; None where there is none, or no word of it."""
    try:
        described = json.loads((Path(folder).expanduser() / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    return family_of(described) if isinstance(described, dict) else None
