"""The networks that adapters score or write with: a pretrained model, and what a task puts on top of it.

A new one is a file, and a line in NETWORKS.
"""

from models.networks.base import Network, Wanted
from models.networks.encoder import EncoderNetwork, mean_pool
from models.schemas.families import Family

NETWORKS: dict[Family, type[Network]] = {
    "encoder": EncoderNetwork,
}

__all__ = ["NETWORKS", "EncoderNetwork", "Network", "Wanted", "mean_pool"]
