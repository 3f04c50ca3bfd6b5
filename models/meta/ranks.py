"""Several processes share the episodes of a meta-batch; torch.distributed adds up what they found.

Without a process group there is one rank, and nothing here does anything.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, distributed

_Item = TypeVar("_Item")


@contextmanager
def joined() -> Iterator[None]:
    """Join the processes that torch's launcher started, if it was it that started this one.

    Each takes the GPU of its number, where there are some.
    """
    if "LOCAL_RANK" not in os.environ:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    yield
    # Not after an error: the others would fail of it before this process has told its own.
    distributed.destroy_process_group()


def wait_for_all() -> None:
    """Wait until every process is here."""
    if _grouped():
        distributed.barrier()


def rank() -> int:
    """Give this process's number, from 0."""
    return distributed.get_rank() if _grouped() else 0


def own_share(items: Sequence[_Item]) -> Sequence[_Item]:
    """Give those of the items that are this process's to do; each is some process's."""
    return items[rank() :: distributed.get_world_size()] if _grouped() else items


def add_up(tensors: Mapping[str, Tensor]) -> None:
    """Put the sum over all processes in the place of each tensor, in one exchange."""
    if not _grouped() or not tensors:
        return
    names = sorted(tensors)
    flat = torch.cat([tensors[name].flatten() for name in names])
    distributed.all_reduce(flat)
    first = 0
    for name in names:
        own = tensors[name]
        own.copy_(flat[first : first + own.numel()].view_as(own))
        first += own.numel()


def _grouped() -> bool:
    return distributed.is_available() and distributed.is_initialized()
