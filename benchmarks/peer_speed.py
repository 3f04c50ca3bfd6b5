"""Seconds of an outer step by the tools that people use, for an environment in which those are installed.

`python peer_speed.py VARIANT ENCODER EPISODES.npz OUT.json`. Nothing of ours is imported. Every variant
takes the same update: MAML of the encoder's top layers, or of a head on a frozen encoder (ANIL), by plain
attention, on rows padded to one length, 4 episodes one after the other.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModel

RATE, INNER_STEPS, TOP_LAYERS = 0.1, 3, 2
STEPS = {"higher": 3, "torchopt": 3, "plain": 3, "anil_plain": 3, "anil_kept": 20}
"""Outer steps that are timed after the first one, which warms up."""
_ROWS_AT_ONCE = 64
Episode = dict[str, Tensor]


class Classifier(nn.Module):
    """An encoder, the mean of its last states at length 1, and a linear head that starts from nothing."""

    def __init__(self, encoder: nn.Module, n_way: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, n_way)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def features(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Give (rows, width)."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=-1)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Give scores (rows, n_way)."""
        return self.head(self.features(ids, mask))


def loss_of(model: Callable[[Tensor, Tensor], Tensor], episode: Episode, side: str) -> Tensor:
    """Give the mean cross-entropy on one side of an episode."""
    scores = model(episode[f"{side}_ids"], episode[f"{side}_mask"])
    return nn.functional.cross_entropy(scores, episode[f"{side}_targets"])


def higher_step(model: Classifier, episodes: list[Episode]) -> list[Tensor]:
    """Take the meta-gradient with higher."""
    import higher

    own = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(own, lr=RATE)
    for episode in episodes:
        with higher.innerloop_ctx(model, optimizer, copy_initial_weights=False) as (fast, steps):
            for _ in range(INNER_STEPS):
                steps.step(loss_of(fast, episode, "support"))
            (loss_of(fast, episode, "query") / len(episodes)).backward()
    return [p.grad for p in own]


def torchopt_step(model: Classifier, episodes: list[Episode]) -> list[Tensor]:
    """Take the meta-gradient with TorchOpt."""
    import torchopt

    own = [p for p in model.parameters() if p.requires_grad]
    # It differentiates every weight of what it is handed, so that is the learned part alone.
    learned = nn.ModuleList([*model.encoder.encoder.layer[-TOP_LAYERS:], model.head])
    optimizer = torchopt.MetaSGD(learned, lr=RATE)
    weights = torchopt.extract_state_dict(learned, by="reference")
    state = torchopt.extract_state_dict(optimizer, by="reference")
    for episode in episodes:
        for _ in range(INNER_STEPS):
            optimizer.step(loss_of(model, episode, "support"))
        (loss_of(model, episode, "query") / len(episodes)).backward()
        torchopt.recover_state_dict(learned, weights)
        torchopt.recover_state_dict(optimizer, state)
    return [p.grad for p in own]


def plain_step(model: Classifier, episodes: list[Episode]) -> list[Tensor]:
    """Take the meta-gradient by autograd's own means, episode by episode."""
    own = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def scored(fast: dict[str, Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda ids, mask: torch.func.functional_call(model, fast, (ids, mask))

    return _looped(own, episodes, lambda fast, e, side: loss_of(scored(fast), e, side))


def kept_step(model: Classifier, episodes: list[Episode]) -> list[Tensor]:
    """Take ANIL's meta-gradient on embeddings that are there already, episode by episode."""
    own = {"weight": model.head.weight, "bias": model.head.bias}

    def loss(fast: dict[str, Tensor], episode: Episode, side: str) -> Tensor:
        scores = nn.functional.linear(episode[f"{side}_features"], fast["weight"], fast["bias"])
        return nn.functional.cross_entropy(scores, episode[f"{side}_targets"])

    return _looped(own, episodes, loss)


def _looped(
    own: dict[str, Tensor], episodes: list[Episode], loss: Callable[[dict[str, Tensor], Episode, str], Tensor]
) -> list[Tensor]:
    for episode in episodes:
        fast = dict(own)
        for _ in range(INNER_STEPS):
            slopes = torch.autograd.grad(
                loss(fast, episode, "support"), list(fast.values()), create_graph=True
            )
            fast = {name: w - RATE * g for (name, w), g in zip(fast.items(), slopes, strict=True)}
        (loss(fast, episode, "query") / len(episodes)).backward()
    return [w.grad for w in own.values()]


VARIANTS = {
    "higher": higher_step,
    "torchopt": torchopt_step,
    "plain": plain_step,
    "anil_plain": plain_step,
    "anil_kept": kept_step,
}


def episodes_of(path: str, model: Classifier, keep: bool) -> Iterator[list[Episode]]:
    """Yield the stored meta-batches; with their embeddings if asked, which `embedding_pass` times."""
    stored = np.load(path)
    for step in range(int(stored["steps"])):
        meta_batch = []
        for place in range(int(stored["episodes"])):
            names = [f"{side}_{part}" for side in ("support", "query") for part in ("ids", "mask", "targets")]
            episode = {name: torch.from_numpy(stored[f"{step}_{place}_{name}"]) for name in names}
            if keep:
                with torch.no_grad():
                    for side in ("support", "query"):
                        found = model.features(episode[f"{side}_ids"], episode[f"{side}_mask"])
                        episode[f"{side}_features"] = found
            meta_batch.append(episode)
        yield meta_batch


@torch.no_grad()
def embedding_pass(path: str, model: Classifier) -> float:
    """Embed all rows of the split in batches as they come, each padded to its longest; give the seconds."""
    stored = np.load(path)
    ids, mask = (torch.from_numpy(stored[f"rows_{part}"]) for part in ("ids", "mask"))
    began = time.perf_counter()
    for batch in torch.arange(len(ids)).split(_ROWS_AT_ONCE):
        longest = int(mask[batch].sum(1).max())
        model.features(ids[batch, :longest], mask[batch, :longest])
    return time.perf_counter() - began


def main() -> None:
    """Time one variant."""
    variant, encoder, path, out = sys.argv[1:]
    torch.manual_seed(0)
    model = Classifier(AutoModel.from_pretrained(encoder, attn_implementation="eager"), 5).eval()
    model.encoder.requires_grad_(False)
    if not variant.startswith("anil"):
        model.encoder.encoder.layer[-TOP_LAYERS:].requires_grad_(True)
    seconds = []
    batches = episodes_of(path, model, keep=variant == "anil_kept")
    for step, episodes in zip(range(STEPS[variant] + 1), batches, strict=False):
        model.zero_grad(set_to_none=True)
        began = time.perf_counter()
        gradients = VARIANTS[variant](model, episodes)
        seconds.append(time.perf_counter() - began)
        if step == 0:
            np.save(out.replace(".json", ".npy"), torch.cat([g.flatten() for g in gradients]).numpy())
    cold = embedding_pass(path, model) if variant == "anil_kept" else 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(out).write_text(json.dumps({"seconds": seconds[1:], "megabytes": peak, "cold": cold}), "utf-8")


if __name__ == "__main__":
    main()
