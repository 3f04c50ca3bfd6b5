"""A start on meta-test episodes, written down as the gate compares models: one line an episode."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import xxhash
from transformers import PreTrainedTokenizerBase

from models.encoder import load_tokenizer
from models.episodes import Episode, Kind, Pool
from models.episodes.splits import Disjoint, key
from models.errors import ConfigError
from models.meta.lessons import States, make_source, split_pools
from models.meta.low_rank import LowRank
from models.meta.networks import Chosen, build_networks
from models.meta.scoring import Start, count_episodes
from models.meta.shared import begun
from models.meta.store import Seen, StoredStart
from models.schemas.start import EpisodeRows, StartConfig

_ASIDE = {"truncation": None, "padding": None}


def judged_episodes(
    start: StoredStart, config: StartConfig, rows: EpisodeRows, alive: Callable[[], None] = lambda: None
) -> pa.Table:
    """Adapt a start to each episode of meta-test, and count what is right.

    Args:
        start: The start, of this description or of an earlier one.
        config: The description that says which classes are held out, and how episodes look.
        rows: The tokenized rows of that description's sources.
        alive: Called often.

    Returns:
        A line for each different episode: `text_hash` (what stands in it), `tp`, `fp`, `fn`, `exact`,
        `slices`, its `source=` and `domain=`, and `classes`, their names.

    Raises:
        DataError: Meta-test does not hold the classes and rows that episodes need.
        ConfigError: The rows were tokenized otherwise than the start's encoder reads them.
    """
    if not same_words(load_tokenizer(config.encoder), start.tokenizer):
        raise ConfigError(
            f"Start {start.config.name!r} has another tokenizer than {config.encoder!r}, by which the "
            "episodes' rows were tokenized. Tokenize them for the start's own encoder."
        )
    pools = split_pools(config, rows, start.tokenizer)
    ready, states = opened(start, sorted({pool.kind for pool, _ in pools["test"]}))
    source = make_source(config, pools, "test", states)
    episodes = source.episodes(0, config.test_episodes)
    counts = count_episodes(ready, source, episodes, alive)
    own = [pool for pool, _ in pools["test"]]
    slices = [[f"domain={own[e.pool].domain}", f"source={own[e.pool].name}"] for e in episodes]
    columns = dict(zip(("tp", "fp", "fn"), counts.T, strict=True))
    found = pa.table(
        {
            "text_hash": pa.array([content_hash(own[e.pool], e) for e in episodes], pa.uint64()),
            **{name: pa.array(column, pa.int64()) for name, column in columns.items()},
            "exact": pa.array(counts[:, 1:].sum(1) == 0),
            "slices": pa.array(slices, pa.list_(pa.string())),
            "classes": pa.array(
                [[own[e.pool].classes[c] for c in e.classes] for e in episodes], pa.list_(pa.string())
            ),
        }
    )
    return distinct(found)


def same_words(first: PreTrainedTokenizerBase, second: PreTrainedTokenizerBase) -> bool:
    """Tell whether two tokenizers cut texts alike, whatever they do with long or short ones."""
    own = [json.loads(tokenizer.backend_tokenizer.to_str()) for tokenizer in (first, second)]
    return bool(own[0] | _ASIDE == own[1] | _ASIDE)


def distinct(table: pa.Table) -> pa.Table:
    """Leave out an episode that was drawn before: small splits repeat themselves, which is no evidence."""
    first = np.unique(table["text_hash"].to_numpy(), return_index=True)[1]
    return table.take(np.sort(first))


def unseen(table: pa.Table, seen: Seen, disjoint: Disjoint) -> pa.Array:
    """Tell which lines of `judged_episodes` a start has not learned from.

    Args:
        table: The lines.
        seen: What the start has learned from.
        disjoint: What no two splits share: an episode with a class, or of a domain, that the start knows is
            not held out for it.
    """
    if disjoint == "domains":
        named = [
            [s.removeprefix("domain=") for s in own if s.startswith("domain=")]
            for own in _lists(table, "slices")
        ]
        known = set(seen.domains)
    else:
        named, known = _lists(table, "classes"), set(seen.classes)
    return pa.array([not known.intersection(map(key, names)) for names in named], pa.bool_())


def _lists(table: pa.Table, name: str) -> list[list[str]]:
    found: list[list[str]] = table[name].to_pylist()
    return found


def content_hash(pool: Pool, episode: Episode) -> int:
    """Hash what stands in an episode: its classes, its sub-words, and which class each row is of."""
    digest = xxhash.xxh64(repr((pool.kind, [pool.classes[c] for c in episode.classes])).encode())
    for drawn in (episode.support, episode.query):
        rows = pool.ids.padded(drawn.rows, -1)
        digest.update(repr(rows.shape).encode())
        digest.update(np.ascontiguousarray(rows).tobytes())
        digest.update(np.ascontiguousarray(drawn.classes, np.int64).tobytes())
    return digest.intdigest()


def opened(start: StoredStart, kinds: Sequence[Kind]) -> tuple[Start, States]:
    """Cut a start's encoder as it was in meta-training, and put the learner's own weights in place.

    Returns:
        What adapts to episodes of these task types, and how hidden states below the cut are made.
    """
    learner = start.learner
    networks, below = build_networks(
        start.encoder,
        kinds,
        start.config.meta_layers,
        chosen=Chosen.of(start.config),
        plain_attention=learner.adapts_body,
    )
    params = begun(learner, networks) | start.own
    networks = {kind: n.around(params) if isinstance(n, LowRank) else n for kind, n in networks.items()}
    pad_id = int(start.encoder.config.pad_token_id or 0)
    return Start(learner, networks, params), States(pad_id, below)
