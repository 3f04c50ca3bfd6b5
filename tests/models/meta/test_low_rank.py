from collections.abc import Callable

import pytest
import torch
from transformers import PreTrainedModel

from models.errors import ConfigError
from models.learners import Inputs, Network, Params
from models.meta.low_rank import LowRank
from models.meta.networks import Chosen, build_networks, put_back

KIND = "text_classification"
INPUTS: Inputs = (torch.arange(12).reshape(2, 6) + 2, torch.ones(2, 6), torch.zeros(2, 0, dtype=torch.int64))


@pytest.fixture
def make_network(make_encoder: Callable[..., PreTrainedModel]) -> Callable[..., Network]:
    """Give a function that makes a network on a whole small encoder."""

    def make(**chosen: object) -> Network:
        return build_networks(make_encoder(), [KIND], "all", chosen=Chosen(**chosen))[0][KIND]

    return make


def _moved(network: Network) -> Params:
    generator = torch.Generator().manual_seed(0)
    return {n: w + 0.1 * torch.randn(w.shape, generator=generator) for n, w in network.parameters.items()}


def test_nothing_is_changed_before_the_first_step(make_network: Callable[..., Network]):
    """B is zero, so features are those of the encoder as it is."""
    whole, thin = make_network(), make_network(rank=2)
    expected = whole.features(whole.parameters, INPUTS)
    torch.testing.assert_close(thin.features(thin.parameters, INPUTS), expected)


def test_two_thin_factors_are_learned_for_each_matrix(make_network: Callable[..., Network]):
    """Of shape (rank, in) and (out, rank), for linear layers whose names fit, and for no embedding."""
    shapes = {n: tuple(w.shape) for n, w in make_network(rank=2, weights=["*.query.*"]).parameters.items()}
    first = "encoder.encoder.layer.0.attention.self.query.weight"
    assert shapes[first + ".low_rank.a"] == shapes[first + ".low_rank.b"][::-1] == (2, 16)
    assert len(shapes) == 2 * 3


def test_a_change_is_the_product_of_its_factors(make_network: Callable[..., Network]):
    """W = W_0 + B A."""
    whole, thin = make_network(), make_network(rank=2)
    params = _moved(thin)
    name = next(n for n in whole.parameters if n.endswith("query.weight"))
    product = params[name + ".low_rank.b"] @ params[name + ".low_rank.a"]
    torch.testing.assert_close(thin.weights(params)[name], whole.parameters[name] + product)


def test_an_encoder_with_the_changes_put_back_has_the_learned_features(
    make_encoder: Callable[..., PreTrainedModel], make_network: Callable[..., Network]
):
    """What is stored is an ordinary encoder."""
    thin, encoder = make_network(rank=2), make_encoder()
    params = _moved(thin)
    put_back(encoder, "all", thin.weights(params))
    found = build_networks(encoder, [KIND], "all")[0][KIND]
    torch.testing.assert_close(found.features(found.parameters, INPUTS), thin.features(params, INPUTS))


def test_a_stored_start_goes_on_from_its_factors(
    make_encoder: Callable[..., PreTrainedModel], make_network: Callable[..., Network]
):
    """An encoder that holds the changes, less them, is what the factors change."""
    thin, encoder = make_network(rank=2), make_encoder()
    params = _moved(thin)
    put_back(encoder, "all", thin.weights(params))
    again = build_networks(encoder, [KIND], "all", chosen=Chosen(rank=2))[0][KIND]
    assert isinstance(again, LowRank)
    other = {name: 2 * w for name, w in params.items()}
    found = again.around(params).features(other, INPUTS)
    torch.testing.assert_close(found, thin.features(other, INPUTS), rtol=1e-4, atol=1e-5)


def test_weights_are_chosen_by_name(make_network: Callable[..., Network]):
    """Patterns as of a shell."""
    names = make_network(weights=["*.layer.2.*", "*LayerNorm*"]).parameters
    assert names
    assert all(".layer.2." in name or "LayerNorm" in name for name in names)


def test_a_pattern_that_fits_nothing_names_some_weights(make_network: Callable[..., Network]):
    """One misspelt pattern beside a good one is told, with what names look like."""
    with pytest.raises(ConfigError, match=r"'layers\.9\.\*', which fits no weight .* are encoder\."):
        make_network(weights=["*attention*", "layers.9.*"])


def test_a_pattern_without_matrices_names_some(make_network: Callable[..., Network]):
    """Where changes of low rank are learned, names of matrices are shown."""
    with pytest.raises(ConfigError, match=r"fits no matrix that meta_rank could change.*query\.weight"):
        make_network(weights=["*LayerNorm*"], rank=2)


def test_each_seed_has_factors_of_its_own(make_network: Callable[..., Network]):
    """Two seeds begin with other factors A, one with the same."""
    first, again, other = (make_network(rank=2, seed=seed).parameters for seed in (1, 1, 2))
    name = next(n for n in first if n.endswith(".a"))
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])
