"""The training objectives by name; a new one is a file, a line here, and one in `schemas/objectives.py`."""

from models.adapters import TaskAdapter
from models.objectives.base import Objective, TaskLoss
from models.objectives.fgm import FGM
from models.objectives.freelb import FreeLB
from models.objectives.label_smoothing import smoothed
from models.objectives.mixup import Mixup
from models.objectives.pgd import PGD
from models.objectives.plain import Plain
from models.objectives.r_drop import RDrop
from models.objectives.smart import SMART
from models.schemas.objectives import OBJECTIVE_SETTINGS, ObjectiveName

OBJECTIVES: dict[ObjectiveName, type[Objective]] = {
    objective.name: objective for objective in (FGM, FreeLB, Mixup, PGD, Plain, RDrop, SMART)
}

__all__ = ["OBJECTIVES", "Objective", "TaskLoss", "make_objective"]


def make_objective(adapter: TaskAdapter) -> Objective:
    """Make the objective that an adapter's agent asks for; what it leaves open is the objective's default."""
    config = adapter.config
    loss = smoothed(adapter.loss, config.label_smoothing) if config.label_smoothing else adapter.loss
    asked = {name: getattr(config, name) for name in sorted(OBJECTIVE_SETTINGS[config.objective])}
    return OBJECTIVES[config.objective](loss, **{k: v for k, v in asked.items() if v is not None})
