"""The ball around embeddings, by hand."""

import pytest
import torch

from models.batching import Batch
from models.networks import Network
from models.objectives.neighbourhood import Neighbourhood, perturbed
from models.objectives.passes import Passes


def norms(delta: torch.Tensor) -> torch.Tensor:
    """Give the norm of each window's perturbation."""
    return delta.detach().flatten(1).norm(dim=1)


def test_the_radius_is_a_share_of_the_windows_mean_norm(network: Network, batch: Batch):
    """Padding does not count in a window's mean norm."""
    embedded = network.pretrained.get_input_embeddings()(batch.input_ids).detach()
    expected = [0.5 * embedded[row, :length].norm(dim=-1).mean() for row, length in enumerate((6, 6, 4, 3))]
    found = Neighbourhood(network, batch, 0.5).radius.flatten()
    torch.testing.assert_close(found, torch.stack(expected))


def test_a_draw_lies_in_the_ball_and_off_the_padding(network: Network, batch: Batch):
    """A perturbation drawn at random is no longer than the radius, and 0 where nothing is read."""
    around = Neighbourhood(network, batch, 0.5)
    delta = around.draw()
    assert (norms(delta) < around.radius.flatten()).all()
    assert (norms(delta) > 0).all()
    assert not delta[batch.attention_mask == 0].any()


def test_a_step_has_its_length_in_the_gradients_direction(network: Network, batch: Batch):
    """From the middle of the ball a step leads to step * radius * g / |g|."""
    around = Neighbourhood(network, batch, 0.5)
    gradient = torch.randn_like(around.center())
    moved = around.climb(around.center(), gradient, 0.25)
    for row, length in enumerate((6, 6, 4, 3)):
        own = gradient[row, :length]
        torch.testing.assert_close(
            moved[row, :length].detach(), 0.25 * around.radius[row] * own / own.norm(), rtol=1e-9, atol=1e-12
        )
    assert not moved[batch.attention_mask == 0].any()


def test_steps_stay_in_the_ball(network: Network, batch: Batch):
    """However far it goes, a perturbation is brought back to the ball's surface."""
    around = Neighbourhood(network, batch, 0.5)
    delta = around.draw()
    gradient = torch.randn_like(delta)
    for _ in range(5):
        delta = around.climb(delta, gradient, 0.7)
        assert (norms(delta) <= around.radius.flatten() * (1 + 1e-9)).all()
    torch.testing.assert_close(norms(delta), around.radius.flatten())


def test_no_gradient_is_no_step(network: Network, batch: Batch):
    """A window whose gradient is 0 stays where it is."""
    around = Neighbourhood(network, batch, 0.5)
    delta = around.draw()
    torch.testing.assert_close(around.climb(delta, torch.zeros_like(delta), 1.0), delta)


def test_a_term_that_nobody_went_backward_through_is_an_error(network: Network, batch: Batch):
    """Without a gradient there is no direction to go."""
    around = Neighbourhood(network, batch, 0.5)
    with pytest.raises(RuntimeError, match="go backward through each term"):
        around.climb(around.center(), None, 1.0)


def test_a_perturbation_is_added_to_the_embeddings(network: Network, batch: Batch):
    """The hook does what `inputs_embeds` would, and is gone after the block."""
    network.eval()
    embedding = network.pretrained.get_input_embeddings()
    delta = Neighbourhood(network, batch, 0.5).draw().detach()
    moved = network.pretrained(
        inputs_embeds=embedding(batch.input_ids) + delta, attention_mask=batch.attention_mask
    ).last_hidden_state
    with perturbed(network, delta):
        found = network.pretrained(batch.input_ids, batch.attention_mask).last_hidden_state
    torch.testing.assert_close(found, moved)
    again = network.pretrained(batch.input_ids, batch.attention_mask).last_hidden_state
    assert not torch.allclose(again, moved)


def test_passes_share_their_dropout_masks(network: Network, batch: Batch):
    """Two passes of one batch are alike under dropout, and those of the next one differ."""
    passes = Passes(network, batch)
    first = passes.scores()
    assert torch.equal(first, passes.scores())
    assert not torch.equal(first, Passes(network, batch).scores())
