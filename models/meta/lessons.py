"""From a start's tokenized rows to the sources of its episodes, split by class or by domain."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import xxhash
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.adapters import get_adapter
from models.episodes import EpisodeSampler, Pool, check_disjoint
from models.episodes.splits import key
from models.errors import DataError
from models.meta.batches import Reader
from models.meta.kept import Storage, keep_states
from models.meta.pools import pool_from_windows, with_names
from models.meta.scoring import Source
from models.preprocess import read_windows
from models.schemas.start import EpisodeRows, EpisodeSplit, StartConfig

SPLITS: tuple[EpisodeSplit, ...] = ("train", "validation", "test")
Splits = dict[EpisodeSplit, list[tuple[Pool, float]]]


def split_pools(config: StartConfig, rows: EpisodeRows, tokenizer: PreTrainedTokenizerBase) -> Splits:
    """Read the pools, and put each, or each of its classes, into its split; with the weight of its source.

    Raises:
        DataError: Splits share what they are declared not to share, or one is empty.
        ArtifactError: The tokenized rows are missing.
    """
    found: Splits = {split: [] for split in SPLITS}
    for wanted, source in zip(config.sources, rows.sources, strict=True):
        adapter, folder = get_adapter(source.agent), Path(source.encoded.address)
        name = source.agent.name
        pool = pool_from_windows(
            name, wanted.source.domain or name, adapter, [read_windows(folder, split) for split in SPLITS]
        )
        if config.names and not pool.is_tagged:
            pool = with_names(pool, tokenizer)
        if wanted.split is not None:
            found[wanted.split].append((pool, wanted.weight))
            continue
        for split in SPLITS:
            classes = [c for c in pool.classes if split_of(c, config) == split]
            if classes:
                found[split].append((pool.restricted(classes), wanted.weight))
    check_disjoint({split: [pool for pool, _ in pools] for split, pools in found.items()}, config.disjoint)
    return found


def split_of(name: str, config: StartConfig) -> EpisodeSplit:
    """Give the split of a class: by the hash of its name, so that it stays there for life."""
    place = xxhash.xxh64_intdigest(key(name).encode()) / 2**64
    if place < config.test_share:
        return "test"
    return "validation" if place < config.test_share + config.validation_share else "train"


@dataclass(frozen=True)
class States:
    """How hidden states below the learned layers are made.

    Args:
        pad_id: Sub-word that pads.
        below: The part of the encoder that is not learned; None where all of it is.
        storage: Where the states may lie.
        alive: Told the share of a pool that is done (fraction, 0-1), often.
        bfloat16: Multiply matrices in bf16, as what lies above does.
    """

    pad_id: int
    below: PreTrainedModel | None = None
    storage: Storage = field(default_factory=Storage)
    alive: Callable[[float], None] = lambda _: None
    bfloat16: bool = False

    def reader(self, pool: Pool) -> Reader:
        """Make what gives a pool's rows."""
        if self.below is None:
            return Reader(pool, self.pad_id)
        with torch.autocast(self.below.device.type, torch.bfloat16, enabled=self.bfloat16):
            kept = keep_states(self.below, pool.ids, self.pad_id, self.storage, self.alive)
        return Reader(pool, self.pad_id, kept)


def make_source(config: StartConfig, pools: Splits, split: EpisodeSplit, states: States) -> Source:
    """Make a split's source of episodes."""
    return Source(_sampler(config, pools, split), tuple(states.reader(pool) for pool, _ in pools[split]))


def check_episodes(config: StartConfig, pools: Splits) -> None:
    """See that every split can fill its episodes, before anything long begins.

    Raises:
        DataError: One can not.
    """
    for split in SPLITS:
        try:
            _sampler(config, pools, split).episode(0)
        except DataError as error:
            own = "" if split == "train" else " (Here n_way is judged_way, and k_shot is judged_shot.)"
            raise DataError(f"Meta-{split} can not fill an episode. {error}{own}") from error


def _sampler(config: StartConfig, pools: Splits, split: EpisodeSplit) -> EpisodeSampler:
    shape = config.train_shape if split == "train" else config.judged_shape
    own, weights = [pool for pool, _ in pools[split]], [weight for _, weight in pools[split]]
    return EpisodeSampler(own, shape, seed=config.seed, split=split, weights=weights)
