"""The small training job of tests/models/training, for what is tuned."""

from tests.models.training.conftest import make_job, text_rows

__all__ = ["make_job", "text_rows"]
