"""CrossNER of $QUICKSTUDY_DATA (five domains with entity types of their own) as rows, agents and pools."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.wnut17_data import folder_from, read_conll, wnut17_config, wnut17_rows
from models.adapters import get_adapter
from models.encoder import load_tokenizer
from models.episodes import Pool
from models.episodes.greedy import greedy_rows
from models.meta.pools import pool_from_windows
from models.pretrained import DEFAULT_ENCODER
from models.schemas import AgentConfig, SourceConfig

SHOT = 5
DOMAINS = ("ai", "literature", "music", "politics", "science")
_MAX_LENGTH = 128


@cache
def crossner_rows(domain: str, split: str) -> pa.Table:
    """Read `tokens` and `tags` of a domain's `train`, `dev` or `test`."""
    return read_conll(folder_from("QUICKSTUDY_DATA") / "crossner" / domain / f"{split}.txt")


@cache
def types_of(domain: str) -> tuple[str, ...]:
    """Name the entity types of a domain, or of `wnut17`."""
    if domain == "wnut17":
        return wnut17_config().labels
    rows = pa.concat_tables([crossner_rows(domain, split) for split in ("train", "dev", "test")])
    tags = rows["tags"].combine_chunks().values.unique().to_pylist()
    return tuple(sorted({tag[2:] for tag in tags if tag != "O"}))


def agent_of(domain: str, **changes: object) -> AgentConfig:
    """Describe an agent for a domain's types."""
    values = {
        "name": f"crossner-{domain}",
        "adapter": "token_classification",
        "labels": types_of(domain),
        "sources": (SourceConfig(address="crossner", format="conll"),),
        "max_length": _MAX_LENGTH,
    }
    return AgentConfig.model_validate(values | changes)


@cache
def domain_pool(domain: str) -> Pool:
    """Tokenize a domain's training and dev rows, or those of `wnut17`."""
    if domain == "wnut17":
        rows = wnut17_rows().select(["tokens", "tags", "split"])
        rows = rows.filter(pc.not_equal(rows["split"], "test"))
    else:
        rows = pa.concat_tables([crossner_rows(domain, split) for split in ("train", "dev")])
    adapter = get_adapter(agent_of(domain))
    tokenizer = load_tokenizer(DEFAULT_ENCODER, split_words=True)
    return pool_from_windows(domain, domain, adapter, [adapter.encode(rows, tokenizer).windows])


def support(domain: str, draw: int, scored: str) -> pa.Table:
    """Draw training rows until each type is mentioned K to 2K times, as far as rows allow it."""
    rows = _different(crossner_rows(domain, "train"), crossner_rows(domain, scored))
    counts = mentions(rows, types_of(domain))
    rng = np.random.default_rng([draw, DOMAINS.index(domain)])
    return rows.take(greedy_rows(counts, np.full(counts.shape[1], SHOT), rng))


def mentions(rows: pa.Table, types: Sequence[str]) -> np.ndarray:
    """Count each row's mentions of each type, by tags that begin one, (rows, types)."""
    tags = rows["tags"].combine_chunks()
    begun = pc.index_in(tags.values, pa.array([f"B-{name}" for name in types]))
    begun = begun.fill_null(-1).to_numpy(zero_copy_only=False)
    owners = np.repeat(np.arange(len(rows)), np.diff(tags.offsets.to_numpy()))
    counts = np.zeros((len(rows), len(types)), np.int64)
    np.add.at(counts, (owners[begun >= 0], begun[begun >= 0]), 1)
    return counts


def _different(rows: pa.Table, scored: pa.Table) -> pa.Table:
    """Leave out rows with the same words as one before, or as one that is scored."""
    words = pc.binary_join(rows["tokens"].combine_chunks(), " ")
    codes = words.dictionary_encode().indices.to_numpy()
    first = np.sort(np.unique(codes, return_index=True)[1])
    known = pc.is_in(words, pc.binary_join(scored["tokens"].combine_chunks(), " "))
    return rows.take(first[~known.to_numpy(zero_copy_only=False)[first]])
