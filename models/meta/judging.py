"""A start on meta-test episodes, written down as the gate compares models: one line an episode."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import xxhash

from models.encoder import load_tokenizer
from models.episodes import Episode, Kind, Pool
from models.errors import ConfigError
from models.meta.lessons import States, make_source, split_pools
from models.meta.networks import build_networks
from models.meta.scoring import Start, count_episodes
from models.meta.shared import begun
from models.meta.store import StoredStart
from models.schemas.start import EpisodeRows, StartConfig


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
        A line an episode: `text_hash` (what stands in it), `tp`, `fp`, `fn`, `exact`, and `slices`, its
        `source=` and `domain=`.

    Raises:
        DataError: Meta-test does not hold the classes and rows that episodes need.
        ConfigError: The rows were tokenized otherwise than the start's encoder reads them.
    """
    read = load_tokenizer(config.encoder).backend_tokenizer.to_str()
    if read != start.tokenizer.backend_tokenizer.to_str():
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
    return pa.table(
        {
            "text_hash": pa.array([content_hash(own[e.pool], e) for e in episodes], pa.uint64()),
            **{name: pa.array(column, pa.int64()) for name, column in columns.items()},
            "exact": pa.array(counts[:, 1:].sum(1) == 0),
            "slices": pa.array(slices, pa.list_(pa.string())),
        }
    )


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
        start.encoder, kinds, start.config.meta_layers, differentiated_twice=learner.adapts_body
    )
    pad_id = int(start.encoder.config.pad_token_id or 0)
    return Start(learner, networks, begun(learner, networks) | start.own), States(pad_id, below)
