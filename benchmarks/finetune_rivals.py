"""The two loops that fine-tuning's speed is compared with: a tutorial's, and transformers.Trainer.

Both train the same model from the same start on the same windows, with the same two learning rates.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler
from transformers import Trainer, TrainerCallback, TrainingArguments, get_linear_schedule_with_warmup
from transformers.trainer_pt_utils import LengthGroupedSampler

from models.adapters import get_adapter
from models.adapters.base import IGNORED
from models.batching import plan_batches
from models.networks import EncoderNetwork
from models.preprocess import read_windows
from models.ragged import Ragged
from models.schemas import AgentConfig
from models.training.job import TrainJob
from models.training.optimizer import build_optimizer

PLAIN_BATCH = 16


class Windows(Dataset[dict[str, Tensor]]):
    """Training windows as items of tensors."""

    def __init__(self, job: TrainJob) -> None:
        table = read_windows(Path(job.encoded.address), "train")
        self._ids, self._labels = map(_tensors, (table["input_ids"], table["labels"]))
        self.lengths = [len(ids) for ids in self._ids]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"input_ids": self._ids[index], "labels": self._labels[index]}


def train_plain(job: TrainJob, model: EncoderNetwork, pad_id: int) -> float:
    """Train as tutorials do: pad to max_length, batches of 16, shuffled, AdamW; return the seconds."""
    config, data = job.seeded_config, Windows(job)
    loader = DataLoader(
        data,
        batch_size=PLAIN_BATCH,
        shuffle=True,
        collate_fn=lambda items: _padded(items, pad_id, config.max_length),
        generator=torch.Generator().manual_seed(config.seed),
    )
    head = list(model.head.parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": list(model.encoder.parameters()), "lr": config.learning_rate},
            {"params": head, "lr": config.head_learning_rate},
        ],
        weight_decay=config.weight_decay,
    )
    total = config.epochs * len(loader)
    schedule = get_linear_schedule_with_warmup(optimizer, int(config.warmup_share * total), total)
    adapter = get_adapter(config)
    model.train()
    began = time.perf_counter()
    for _ in range(config.epochs):
        for batch in loader:
            loss = adapter.loss(model(batch["input_ids"], batch["attention_mask"]), batch["labels"])
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return time.perf_counter() - began


def train_with_trainer(job: TrainJob, model: EncoderNetwork, pad_id: int) -> float:
    """Train by transformers.Trainer with dynamic padding and grouping by length; return the seconds."""
    config, data = job.seeded_config, Windows(job)
    # As many sentences a step as the product's batches hold on average.
    plan = plan_batches(np.array(data.lengths), config.tokens_per_batch, config.seed, 0)
    size = max(1, round(len(data) / len(plan)))
    optimizer = build_optimizer(model, config)
    total = config.epochs * -(-len(data) // size)
    schedule = get_linear_schedule_with_warmup(optimizer, int(config.warmup_share * total), total)
    timer = _Timer()
    with TemporaryDirectory() as folder:
        trainer = _GroupingTrainer(
            model=_WithLoss(model, config),
            args=_arguments(folder, config, size),
            train_dataset=data,
            data_collator=lambda items: _padded(items, pad_id, None),
            optimizers=(optimizer, schedule),
            callbacks=[timer],
        )
        trainer.train()
    return timer.seconds


def _arguments(folder: str, config: AgentConfig, size: int) -> TrainingArguments:
    return TrainingArguments(
        output_dir=folder,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=size,
        max_grad_norm=config.max_grad_norm,
        seed=config.seed,
        use_cpu=not torch.cuda.is_available(),
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
    )


class _GroupingTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped
    """Trainer of transformers 5 groups by length only with a sampler of one's own."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:  # noqa: ANN401, ARG002
        generator = torch.Generator().manual_seed(self.args.seed)
        sampler: Sampler[int] = LengthGroupedSampler(
            self.args.train_batch_size, lengths=self.train_dataset.lengths, generator=generator
        )
        return sampler


class _WithLoss(nn.Module):
    """The task model as Trainer wants it: the loss comes out with the scores."""

    def __init__(self, model: EncoderNetwork, config: AgentConfig) -> None:
        super().__init__()
        self.model = model
        self.adapter = get_adapter(config)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.model(input_ids, attention_mask)
        return {"loss": self.adapter.loss(logits, labels), "logits": logits}


class _Timer(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Time the loop alone, not Trainer's preparations."""

    seconds = 0.0
    _began = 0.0

    def on_train_begin(self, *_: object, **__: object) -> None:
        self._began = time.perf_counter()

    def on_train_end(self, *_: object, **__: object) -> None:
        self.seconds = time.perf_counter() - self._began


def _tensors(column: pa.ChunkedArray) -> list[Tensor]:
    lists = Ragged.from_column(column)
    return list(torch.from_numpy(lists.values.astype(np.int64)).split(lists.lengths.tolist()))


def _padded(items: list[dict[str, Tensor]], pad_id: int, length: int | None) -> dict[str, Tensor]:
    """Pad to `length`, or to the longest item."""
    ids = pad_sequence([item["input_ids"] for item in items], batch_first=True, padding_value=pad_id)
    labels = pad_sequence([item["labels"] for item in items], batch_first=True, padding_value=IGNORED)
    lengths = torch.tensor([len(item["input_ids"]) for item in items])
    missing = (length or ids.shape[1]) - ids.shape[1]
    ids = nn.functional.pad(ids, (0, missing), value=pad_id)
    labels = nn.functional.pad(labels, (0, missing), value=IGNORED)
    mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
