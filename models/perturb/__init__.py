"""The perturbations by name; a new one is a file, a line here, and one in `schemas/robustness.py`."""

from models.perturb.base import Dose, Perturbation
from models.perturb.casing import Casing
from models.perturb.entity_swaps import EntitySwaps
from models.perturb.synonyms import Synonyms
from models.perturb.typos import Typos
from models.schemas.robustness import PerturbationName

PERTURBATIONS: dict[PerturbationName, type[Perturbation]] = {
    "casing": Casing,
    "entity_swaps": EntitySwaps,
    "synonyms": Synonyms,
    "typos": Typos,
}

__all__ = ["PERTURBATIONS", "Dose", "Perturbation"]
