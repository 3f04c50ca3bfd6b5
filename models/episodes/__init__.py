"""Episodes: small problems drawn from labelled rows, seeded and without state."""

from models.episodes.pool import OUTSIDE, Kind, Pool
from models.episodes.sampler import Drawn, Episode, EpisodeSampler, Split
from models.episodes.shape import EpisodeShape
from models.episodes.splits import Disjoint, check_disjoint

__all__ = [
    "OUTSIDE",
    "Disjoint",
    "Drawn",
    "Episode",
    "EpisodeSampler",
    "EpisodeShape",
    "Kind",
    "Pool",
    "Split",
    "check_disjoint",
]
