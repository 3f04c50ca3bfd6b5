"""A start on meta-test episodes, written down as the gate compares models.

Episodes draw the same held-out rows again and again, so they are no independent evidence. What is compared
is what two starts make of each row, over all episodes that ask about it.
"""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from transformers import PreTrainedTokenizerBase

from models.encoder import load_tokenizer
from models.episodes import Episode, Kind, Pool
from models.episodes.splits import Disjoint, key
from models.errors import ConfigError
from models.meta.lessons import States, make_source, split_pools
from models.meta.low_rank import LowRank
from models.meta.networks import Chosen, build_networks
from models.meta.scoring import Start, count_queries
from models.meta.shared import begun
from models.meta.store import Seen, StoredStart
from models.schemas.start import EpisodeRows, StartConfig

COUNTS = ("tp", "fp", "fn")
_DOMAIN = "domain="
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
        A line for each query of each different episode: `episode`, its number; `text_hash`, of the row's
        sub-words; `tp`, `fp`, `fn`, `exact`; `slices`, its `source=` and `domain=`; and `classes`,
        the names of the episode's.

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
    own = [pool for pool, _ in pools["test"]]
    episodes = distinct(own, source.episodes(0, config.test_episodes))
    counts = np.concatenate(count_queries(ready, source, episodes, alive, config.meta_batch_size))
    hashes = [row_hashes(pool) for pool in own]
    slices = pa.array([[f"{_DOMAIN}{p.domain}", f"source={p.name}"] for p in own], pa.list_(pa.string()))
    classes = pa.array([[own[e.pool].classes[c] for c in e.classes] for e in episodes], pa.list_(pa.string()))
    number = np.repeat(np.arange(len(episodes)), [len(e.query.rows) for e in episodes])
    pool_of = np.array([e.pool for e in episodes])[number]
    return pa.table(
        {
            "episode": number,
            "text_hash": np.concatenate([hashes[e.pool][e.query.rows] for e in episodes]),
            **dict(zip(COUNTS, counts.T, strict=True)),
            "exact": counts[:, 1:].sum(1) == 0,
            "slices": slices.take(pa.array(pool_of)),
            "classes": classes.take(pa.array(number)),
        }
    )


def by_row(table: pa.Table) -> pa.Table:
    """Add up the lines of `judged_episodes` about one row: an outcomes table, in the order of first lines."""
    return _added_up(table, "text_hash")


def by_episode(table: pa.Table) -> pa.Table:
    """Add up the lines of `judged_episodes` of one episode."""
    return _added_up(table, "episode")


def _added_up(table: pa.Table, column: str) -> pa.Table:
    _, first, groups = np.unique(table[column].to_numpy(), return_index=True, return_inverse=True)
    sums = [np.bincount(groups, table[name].to_numpy()).astype(np.int64) for name in COUNTS]
    order = np.argsort(first)
    return pa.table(
        {
            column: table[column].take(pa.array(first[order])),
            **{name: found[order] for name, found in zip(COUNTS, sums, strict=True)},
            "exact": (sums[1] + sums[2] == 0)[order],
            "slices": _joined(table["slices"], np.argsort(order)[groups], len(order)),
        }
    )


def _joined(lists: pa.ChunkedArray, groups: np.ndarray, count: int) -> pa.ListArray:
    """Give each group the union of its lines' lists.

    Args:
        lists: (lines,) lists of names.
        groups: (lines,) group of each line.
        count: Groups.
    """
    names, lines = _flat(lists)
    pairs = np.unique(np.stack([groups[lines], names.indices.to_numpy()]), axis=1)
    ends = np.cumsum(np.bincount(pairs[0], minlength=count))
    return pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], ends]), pa.int32()), names.dictionary.take(pa.array(pairs[1]))
    )


def _flat(lists: pa.ChunkedArray) -> tuple[pa.DictionaryArray, np.ndarray]:
    """Give all names of a column of lists, and the line of each."""
    column = lists.combine_chunks()
    return pc.list_flatten(column).dictionary_encode(), pc.list_parent_indices(column).to_numpy()


def same_words(first: PreTrainedTokenizerBase, second: PreTrainedTokenizerBase) -> bool:
    """Tell whether two tokenizers cut texts alike, whatever they do with long or short ones."""
    own = [json.loads(tokenizer.backend_tokenizer.to_str()) for tokenizer in (first, second)]
    return bool(own[0] | _ASIDE == own[1] | _ASIDE)


def distinct(pools: Sequence[Pool], episodes: Sequence[Episode]) -> list[Episode]:
    """Leave out an episode that was drawn before: small splits repeat themselves."""
    hashes = [content_hash(pools[e.pool], e) for e in episodes]
    return [episodes[i] for i in np.sort(np.unique(hashes, return_index=True)[1])]


def unseen(table: pa.Table, seen: Seen, disjoint: Disjoint) -> pa.Array:
    """Tell which lines of `judged_episodes` a start has not learned from.

    Args:
        table: The lines.
        seen: What the start has learned from.
        disjoint: What no two splits share: an episode with a class, or of a domain, that the start knows is
            not held out for it.
    """
    domains = disjoint == "domains"
    known = set(map(key, seen.domains if domains else seen.classes))
    names, lines = _flat(table["slices" if domains else "classes"])
    is_known = np.array(
        [
            key(name.removeprefix(_DOMAIN)) in known and (not domains or name.startswith(_DOMAIN))
            for name in names.dictionary.to_pylist()
        ],
        bool,
    )
    out = np.ones(len(table), bool)
    out[lines[is_known[names.indices.to_numpy()]]] = False
    return pa.array(out)


def row_hashes(pool: Pool) -> np.ndarray:
    """Hash each row's sub-words, (rows,) uint64."""
    values = pool.ids.values.astype(np.int64)
    edges = pairwise(pool.ids.offsets.tolist())
    return np.array([xxhash.xxh64_intdigest(values[a:b].tobytes()) for a, b in edges], np.uint64)


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
