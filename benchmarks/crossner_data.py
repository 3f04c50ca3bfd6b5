"""CrossNER of $QUICKSTUDY_DATA (five domains with entity types of their own) as rows, agents and pools."""

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.wnut17_data import folder_from, read_conll, wnut17_config, wnut17_rows
from models.adapters import get_adapter
from models.encoder import load_tokenizer
from models.episodes import Pool
from models.meta.pools import pool_from_windows
from models.pretrained import DEFAULT_ENCODER
from models.schemas import AgentConfig, SourceConfig

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
