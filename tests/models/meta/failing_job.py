"""A meta-training whose second process fails between two exchanges: run by torch's launcher."""

import sys

import torch

from models.errors import TrainingMemoryError
from models.meta import fit
from models.meta.child import main
from models.meta.job import MetaJob
from models.meta.ranks import add_up, rank


def _failing(job: MetaJob) -> None:
    del job
    add_up({"x": torch.ones(1)})
    if rank() == 1:
        raise TrainingMemoryError("memory ran out here")
    add_up({"x": torch.ones(1)})


if __name__ == "__main__":
    fit.meta_fit = _failing
    sys.exit(main())
