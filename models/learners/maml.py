"""MAML: a start from which a few gradient steps are enough."""

from dataclasses import dataclass
from typing import ClassVar

from models.learners.gradient import PathLearner


@dataclass(frozen=True, kw_only=True)
class MAML(PathLearner):
    """Learn the start of all weights through the inner steps.

    Finn, Abbeel, Levine, "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks", 2017,
    arXiv:1703.03400: theta <- theta - eta grad_theta sum_i L_query(U(theta, support_i)) (algorithm 2), with
    U the inner steps. `first_order` leaves second derivatives out (sec. 5.2).

    Departure: the head may start from the support (see `HeadStart`); `learned` is the paper's.
    """

    name: ClassVar[str] = "maml"
