"""Each objective against its paper's equation, computed another way."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.adapters import TaskAdapter
from models.batching import Batch
from models.networks import Network
from models.objectives import fgm as fgm_module
from models.objectives import make_objective
from models.objectives.base import scores_of
from models.objectives.divergence import log_probabilities, symmetric_divergence
from models.objectives.fgm import FGM
from models.objectives.freelb import FreeLB
from models.objectives.label_smoothing import smoothed
from models.objectives.mixup import Mixup
from models.objectives.neighbourhood import Neighbourhood, perturbed
from models.objectives.pgd import PGD
from models.objectives.r_drop import RDrop
from models.objectives.smart import SMART

Make = Callable[..., TaskAdapter]


def weights_gradient(loss: Tensor, network: Network) -> list[Tensor]:
    """Give the gradient of every weight."""
    return list(torch.autograd.grad(loss, list(network.parameters()), allow_unused=True))


def loss_at(network: Network, batch: Batch, adapter: TaskAdapter, delta: Tensor) -> Tensor:
    """Give the loss with the embeddings moved by `delta`."""
    with perturbed(network, delta):
        return adapter.loss(scores_of(network, batch), batch.labels)


def run(terms: object) -> list[Tensor]:
    """Go backward through every term and give them."""
    done = []
    for term in terms:  # type: ignore[attr-defined]  # an iterator of tensors
        term.backward()
        done.append(term.detach())
    return done


def test_fgm_adds_the_loss_one_step_up_the_gradient(network: Network, batch: Batch, adapter: TaskAdapter):
    """The second half is the loss at eps * g / |g|, g taken by autograd by hand."""
    network.eval()
    embedded = network.pretrained.get_input_embeddings()(batch.input_ids).detach().requires_grad_()
    hidden = network.pretrained(inputs_embeds=embedded, attention_mask=batch.attention_mask).last_hidden_state
    mask = batch.attention_mask.unsqueeze(-1)
    pooled = (hidden * mask).sum(1) / mask.sum(1)
    clean = adapter.loss(network.get_submodule("head")(pooled), batch.labels)
    (gradient,) = torch.autograd.grad(clean, embedded)
    radius = Neighbourhood(network, batch, 0.5).radius
    step = radius * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1)
    first, second = run(FGM(adapter.loss, perturbation=0.5).terms(network, batch))
    torch.testing.assert_close(first, clean.detach() / 2)
    torch.testing.assert_close(second, loss_at(network, batch, adapter, step).detach() / 2)
    assert second > first


def test_pgd_trains_at_the_ascents_end_alone(
    network: Network, batch: Batch, adapter: TaskAdapter, monkeypatch: pytest.MonkeyPatch
):
    """Its one term is the loss at the last place, which is worse than where it began, and in the ball."""
    network.eval()
    places: list[Tensor] = []
    climb = Neighbourhood.climb

    def noted(self: Neighbourhood, delta: Tensor, gradient: Tensor, step: float) -> Tensor:
        places.append(climb(self, delta, gradient, step))
        return places[-1]

    monkeypatch.setattr(Neighbourhood, "climb", noted)
    (loss,) = run(PGD(adapter.loss, perturbation=0.5, ascent_steps=4).terms(network, batch))
    assert len(places) == 4
    radius = Neighbourhood(network, batch, 0.5).radius.flatten()
    assert all((one.flatten(1).norm(dim=1) <= radius * (1 + 1e-9)).all() for one in places)
    torch.testing.assert_close(loss, loss_at(network, batch, adapter, places[-1]).detach())
    assert loss > loss_at(network, batch, adapter, torch.zeros_like(places[0]))


def test_freelb_averages_the_gradients_over_its_steps(network: Network, batch: Batch, adapter: TaskAdapter):
    """The weights' gradient is the mean of those at each place, found again step by step by hand."""
    network.eval()
    torch.manual_seed(3)
    run(FreeLB(adapter.loss, perturbation=0.5, ascent_steps=3).terms(network, batch))
    found = [p.grad for p in network.parameters()]
    torch.manual_seed(3)
    around = Neighbourhood(network, batch, 0.5)
    delta = around.draw()
    gradients = []
    for _ in range(3):
        loss = loss_at(network, batch, adapter, delta)
        (upward,) = torch.autograd.grad(loss, delta, retain_graph=True)
        gradients.append(weights_gradient(loss, network))
        delta = around.climb(delta, upward, 2.5 / 3)
    for own, *steps in zip(found, *gradients, strict=True):
        torch.testing.assert_close(own, torch.stack(steps).mean(0), rtol=1e-4, atol=1e-7)


def test_the_divergence_is_both_ways_round(batch: Batch):
    """It equals torch's own KL in both directions, and does not depend on the order."""
    torch.manual_seed(0)
    first, second = (log_probabilities(torch.randn(4, 3)) for _ in range(2))
    both = functional.kl_div(first, second, log_target=True, reduction="batchmean") + functional.kl_div(
        second, first, log_target=True, reduction="batchmean"
    )
    torch.testing.assert_close(symmetric_divergence(first, second, batch.labels), both)
    torch.testing.assert_close(
        symmetric_divergence(first, second, batch.labels), symmetric_divergence(second, first, batch.labels)
    )


def test_labels_that_are_ignored_have_no_divergence():
    """Only the lines of labels that count are averaged."""
    first, second = (log_probabilities(torch.randn(3, 2)) for _ in range(2))
    labels = torch.tensor([[0], [-100], [1]])
    kept = symmetric_divergence(first[[0, 2]], second[[0, 2]], labels[[0, 2]])
    torch.testing.assert_close(symmetric_divergence(first, second, labels), kept)


def test_r_drop_is_plain_without_dropout(network: Network, batch: Batch, adapter: TaskAdapter):
    """Where nothing is dropped both passes are alike, and no price is paid."""
    (loss,) = run(RDrop(adapter.loss, consistency=50.0).terms(network.eval(), batch))
    torch.testing.assert_close(loss, adapter.loss(scores_of(network, batch), batch.labels).detach())


def test_r_drop_pays_for_disagreement(network: Network, batch: Batch, adapter: TaskAdapter):
    """Under dropout its loss is the passes' mean loss and alpha times half the two-way KL."""
    torch.manual_seed(2)
    (loss,) = run(RDrop(adapter.loss, consistency=3.0).terms(network, batch))
    torch.manual_seed(2)
    one, two = scores_of(network, batch), scores_of(network, batch)
    p, q = one.softmax(-1), two.softmax(-1)
    price = ((p * (p / q).log()).sum(-1) + (q * (q / p).log()).sum(-1)).mean() / 2
    truth = batch.labels.flatten()
    mean = (functional.cross_entropy(one, truth) + functional.cross_entropy(two, truth)) / 2
    torch.testing.assert_close(loss.double(), (mean + 3.0 * price).detach(), rtol=1e-5, atol=1e-6)


def test_smart_pays_for_the_change_at_the_ascents_end(network: Network, batch: Batch, adapter: TaskAdapter):
    """Its price is the two-way KL between the clean answer and that one step up its gradient."""
    network.eval()
    torch.manual_seed(4)
    (loss,) = run(SMART(adapter.loss, perturbation=0.5, consistency=2.0).terms(network, batch))
    torch.manual_seed(4)
    around = Neighbourhood(network, batch, 0.5)
    delta = around.draw()
    p = scores_of(network, batch).float().softmax(-1)

    def change(delta: Tensor) -> Tensor:
        with perturbed(network, delta):
            q = scores_of(network, batch).float().softmax(-1)
        return ((p * (p / q).log()).sum(-1) + (q * (q / p).log()).sum(-1)).mean()

    (upward,) = torch.autograd.grad(change(delta), delta)
    worst = around.climb(delta, upward, 2.5)
    expected = adapter.loss(scores_of(network, batch), batch.labels) + 2.0 * change(worst)
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-5)
    assert change(worst) > change(around.center())


def test_mixup_weighs_both_labels_as_features_are_mixed(network: Network, batch: Batch, adapter: TaskAdapter):
    """Its loss is the cross-entropy of mixed features against the mixed one-hot labels."""
    network.eval()
    torch.manual_seed(6)
    (loss,) = run(Mixup(adapter.loss, mixup_alpha=1.0).terms(network, batch))
    torch.manual_seed(6)
    partner = torch.randperm(4)
    share = float(torch.distributions.Beta(1.0, 1.0).sample())
    head = network.get_submodule("head")
    features: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _m, inputs: features.append(inputs[0]))
    scores_of(network, batch)
    hook.remove()
    mixed = share * features[0] + (1 - share) * features[0][partner]
    truth = functional.one_hot(batch.labels.flatten(), 3).double()
    target = share * truth + (1 - share) * truth[partner]
    torch.testing.assert_close(
        loss.double(), functional.cross_entropy(head(mixed), target).detach(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_label_smoothing_is_torchs(batch: Batch, adapter: TaskAdapter, share: float):
    """It equals torch's own, labels that are ignored left out."""
    scores = torch.randn(4, 3, dtype=torch.float64)
    labels = batch.labels.clone()
    labels[1] = -100
    own = functional.cross_entropy(scores.float(), labels.flatten(), label_smoothing=share)
    torch.testing.assert_close(smoothed(adapter.loss, share)(scores, labels), own)


def test_what_the_description_leaves_open_is_the_objectives_default(make_adapter: Make):
    """A setting that is named is taken, another is the default that the help names."""
    named = make_objective(make_adapter(objective="pgd", perturbation=0.7))
    assert named == replace(PGD(named.loss), perturbation=0.7)
    assert fgm_module.FGM(named.loss).perturbation == 0.3
