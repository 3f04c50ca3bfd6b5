"""What holds for every objective; a new one joins by a line in OBJECTIVES."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import get_args

import pytest
import torch
from torch import Tensor

from models.adapters import TaskAdapter
from models.batching import Batch
from models.networks import Network
from models.objectives import OBJECTIVES, Objective, make_objective
from models.schemas.objectives import OBJECTIVE_SETTINGS, ObjectiveName
from models.task_model import build

Make = Callable[..., TaskAdapter]
WORDS = [name for name in OBJECTIVES if name != "mixup"]


@pytest.fixture(params=list(OBJECTIVES))
def objective(request: pytest.FixtureRequest, make_adapter: Make) -> Objective:
    """Give each objective in turn."""
    return make_objective(make_adapter(objective=request.param))


def gradients(objective: Objective, network: Network, *batches: Batch) -> tuple[float, dict[str, Tensor]]:
    """Go backward through every term of the batches in turn, weighed by their targets, as the loop does."""
    network.zero_grad()
    total, targets = 0.0, sum(batch.targets for batch in batches)
    for batch in batches:
        for term in objective.terms(network, batch):
            (term * (batch.targets / targets)).backward()
            total += float(term.detach()) * batch.targets / targets
    return total, {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def split(batch: Batch) -> list[Batch]:
    """Cut a batch into its two halves."""
    halves = []
    for rows in (slice(0, 2), slice(2, 4)):
        mask = batch.attention_mask[rows] if batch.attention_mask is not None else None
        labels = batch.labels[rows]
        halves.append(replace(batch, input_ids=batch.input_ids[rows], attention_mask=mask, labels=labels))
    return [replace(half, targets=int((half.labels >= 0).sum())) for half in halves]


def test_every_objective_is_offered_with_its_settings():
    """The table that descriptions are checked against lists each objective and exactly its fields."""
    assert set(OBJECTIVES) == set(get_args(ObjectiveName)) == set(OBJECTIVE_SETTINGS)
    for name, objective in OBJECTIVES.items():
        assert {one.name for one in fields(objective)} - {"loss"} == OBJECTIVE_SETTINGS[name]


def test_every_weight_gets_a_finite_gradient(objective: Objective, network: Network, batch: Batch):
    """Going backward through the terms reaches the head and the embeddings."""
    loss, found = gradients(objective, network, batch)
    assert loss > 0
    assert set(found) == {name for name, _ in network.named_parameters()}
    assert all(gradient.isfinite().all() for gradient in found.values())


def test_the_generators_state_decides_everything(objective: Objective, network: Network, batch: Batch):
    """From one state of torch's generator, which checkpoints keep, come one loss and one gradient."""
    torch.manual_seed(5)
    first = gradients(objective, network, batch)
    after = torch.get_rng_state()
    torch.manual_seed(5)
    second = gradients(objective, network, batch)
    assert first[0] == second[0]
    assert all(torch.equal(first[1][name], second[1][name]) for name in first[1])
    assert torch.equal(after, torch.get_rng_state())


def test_the_next_batch_draws_other_masks(objective: Objective, network: Network, batch: Batch):
    """Dropout goes on drawing: the same batch has another loss the next time."""
    assert gradients(objective, network, batch)[0] != gradients(objective, network, batch)[0]


def test_nothing_is_left_behind(objective: Objective, network: Network, batch: Batch):
    """After a batch no hook is left on the network, and its weights are what they were."""
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    gradients(objective, network, batch)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert all(torch.equal(p, before[name]) for name, p in network.named_parameters())


@pytest.mark.parametrize("name", ["plain", "fgm"])
def test_padding_does_not_count(name: ObjectiveName, make_adapter: Make, network: Network, batch: Batch):
    """A batch that is padded further has the same loss, where no perturbation is drawn at random."""
    network.eval()
    objective, mask = make_objective(make_adapter(objective=name)), batch.attention_mask
    assert mask is not None
    wider = replace(
        batch,
        input_ids=torch.nn.functional.pad(batch.input_ids, (0, 3)),
        attention_mask=torch.nn.functional.pad(mask, (0, 3)),
    )
    narrow = gradients(objective, network, batch)[0]
    assert gradients(objective, network, wider)[0] == pytest.approx(narrow, rel=1e-6)


@pytest.mark.parametrize("name", ["plain", "fgm", "r_drop"])
def test_parts_add_up(name: ObjectiveName, make_adapter: Make, network: Network, batch: Batch):
    """Without random draws, a batch in two parts has the whole one's loss and gradients."""
    network.eval()
    objective = make_objective(make_adapter(objective=name))
    loss, whole = gradients(objective, network, batch)
    in_parts, found = gradients(objective, network, *split(batch))
    assert in_parts == pytest.approx(loss, rel=1e-6)
    for key, gradient in whole.items():
        torch.testing.assert_close(found[key], gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", WORDS)
def test_words_can_be_scored_too(name: ObjectiveName, make_adapter: Make, word_batch: Batch):
    """An objective that does not mix whole texts trains a tagger, label smoothing included."""
    adapter = make_adapter(adapter="token_classification", objective=name, label_smoothing=0.1)
    network = build(adapter.config)[0].train()
    loss, found = gradients(make_objective(adapter), network, word_batch)
    assert loss > 0
    assert all(gradient.isfinite().all() for gradient in found.values())


def test_a_batch_without_a_target_moves_nothing(objective: Objective, network: Network, batch: Batch):
    """Where no label counts the loss is 0 and so is every gradient."""
    empty = replace(batch, labels=torch.full_like(batch.labels, -100), targets=1)
    loss, found = gradients(objective, network, empty)
    assert loss == pytest.approx(0.0, abs=1e-12) or objective.name == "smart"
    assert all(gradient.isfinite().all() for gradient in found.values())


def test_what_it_minimizes_is_learned(objective: Objective, network: Network, batch: Batch):
    """Some steps of Adam on the objective teach the network the batch's labels."""
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(30):
        gradients(objective, network, batch)
        optimizer.step()
    scores = network.eval()(batch.input_ids, batch.attention_mask)
    assert torch.equal(scores.argmax(-1), batch.labels.flatten())


def test_half_precision_keeps_the_gradients(objective: Objective, network: Network, batch: Batch):
    """Under bf16 the loss and every gradient are there, those at perturbations among them."""
    with torch.autocast("cpu", torch.bfloat16):
        loss, found = gradients(objective, network.float(), batch)
    assert loss > 0
    assert all(gradient.isfinite().all() for gradient in found.values())
