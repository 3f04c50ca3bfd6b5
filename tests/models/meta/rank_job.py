"""One rank of a small meta-training: `python -m tests.models.meta.rank_job RANK WORLD FOLDER`."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import distributed

from models.learners import Params
from models.learners.prototypical import Prototypical
from models.meta.loop import Lessons, MetaTraining
from models.meta.networks import build_networks
from models.meta.scoring import Start
from models.meta.settings import MetaSettings
from tests.models.meta import conftest as made

SETTINGS = MetaSettings(
    meta_batch_size=3,
    steps=3,
    outer_lr=1e-2,
    evaluate_steps=2,
    validation_episodes=5,
    optimizer="SGD",
    precision="fp32",
    max_grad_norm=1e9,  # clipped, a gradient twice as long would give the same step
)


def trained() -> Params:
    """Meta-train a small encoder, alone or as one of several ranks."""
    networks, _ = build_networks(made.new_encoder(), ["text_classification"], "all", plain_attention=False)
    train = made.new_source([made.new_pool()])
    validation = made.new_source([made.new_pool(name="b")], split="validation")
    training = MetaTraining(Start(Prototypical(), networks, {}), Lessons(train, validation), SETTINGS)
    training.run()
    return training.state.params


def main() -> None:
    """Join the group, train, and leave the weights."""
    rank, world, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    if world > 1:
        meet = f"file://{folder}/meet"
        distributed.init_process_group("gloo", init_method=meet, rank=rank, world_size=world)
    save_file(trained(), folder / f"{world}-{rank}.safetensors")
    if world > 1:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
