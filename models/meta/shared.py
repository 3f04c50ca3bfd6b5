"""Meta-parameters of several task types: the encoder's are shared, the learner's own are each type's.

A learner names its own weights alike whatever it learns (`head.weight`); here they stand under their task
type (`token_classification|head.weight`), beside the encoder's under their plain names.
"""

from models.episodes import Kind
from models.learners import Learner, Params
from models.meta.networks import Networks

_SEPARATOR = "|"


def begun(learner: Learner, networks: Networks) -> Params:
    """Give the meta-parameters of all task types before the first outer step."""
    found: Params = {}
    for kind, network in networks.items():
        found |= shared(learner.begin(network), kind, frozenset(network.parameters))
    return found


def body_names(networks: Networks) -> frozenset[str]:
    """Name the encoder's weights."""
    return frozenset(name for network in networks.values() for name in network.parameters)


def shared(own: Params, kind: Kind, body: frozenset[str]) -> Params:
    """Give a learner's meta-parameters, or their gradients, the names that they have among all types'."""
    return {name if name in body else f"{kind}{_SEPARATOR}{name}": value for name, value in own.items()}


def seen_by(params: Params, kind: Kind, body: frozenset[str]) -> Params:
    """Give the meta-parameters as a learner knows them for one task type."""
    prefix = f"{kind}{_SEPARATOR}"
    return {
        name.removeprefix(prefix): value
        for name, value in params.items()
        if name in body or name.startswith(prefix)
    }
