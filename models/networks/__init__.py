"""The networks that adapters score or write with: a pretrained model, and what a task puts on top of it.

A new one is a file, and a line in NETWORKS.
"""

from models.networks.base import Network, Wanted
from models.networks.causal import CausalNetwork
from models.networks.encoder import EncoderNetwork, mean_pool
from models.networks.seq2seq import Seq2SeqNetwork
from models.schemas.families import Family

NETWORKS: dict[Family, type[Network]] = {
    "encoder": EncoderNetwork,
    "seq2seq": Seq2SeqNetwork,
    "causal": CausalNetwork,
}

__all__ = ["NETWORKS", "CausalNetwork", "EncoderNetwork", "Network", "Seq2SeqNetwork", "Wanted", "mean_pool"]
