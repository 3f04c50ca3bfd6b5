"""An evaluation whose rows were perturbed too."""

from models.schemas import EvaluationReport, Metric, Robustness
from models.schemas.robustness import PerturbationName

_COSTS: dict[PerturbationName, float] = {"casing": 0.0, "typos": 0.08}


def with_robustness(evaluation: EvaluationReport) -> EvaluationReport:
    """Add what each perturbation costs: nothing, and 0.08."""
    clean = evaluation.metrics[evaluation.primary]
    return evaluation.model_copy(
        update={
            "robustness": tuple(
                Robustness(
                    perturbation=name,
                    changed=clean.rows - 2,
                    clean=clean,
                    perturbed=clean.model_copy(update={"value": clean.value - cost}),
                    lost=Metric(value=cost / clean.value, low=0.0, high=0.2, rows=clean.rows),
                    slices=evaluation.slices,
                )
                for name, cost in _COSTS.items()
            )
        }
    )
