"""Comparing answers, and which distributions a reload may see."""

from pathlib import Path

import pytest

from models.errors import RegistryError
from tasks.io.isolated_load import first_difference, make_site


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ([{"label": "a", "confidence": 0.5}], [{"label": "a", "confidence": 0.500001}]),
        ([{"tags": ["O", "B-x"]}], [{"tags": ["O", "B-x"]}]),
        ([], []),
    ],
)
def test_like_answers_do_not_differ(expected: object, found: object):
    """Labels are compared exactly, numbers within a hundred-thousandth."""
    assert first_difference(expected, found) is None


@pytest.mark.parametrize(
    ("expected", "found", "where"),
    [
        ([{"label": "a"}], [{"label": "b"}], "line 0 label is 'b' instead of 'a'"),
        ([{"confidence": 0.5}], [{"confidence": 0.5001}], "line 0 confidence is 0.5001 instead of 0.5"),
        ([{"confidence": 0.5}], [{"confidence": float("nan")}], "line 0 confidence is nan"),
        ([{"label": "a"}], [{"other": "a"}], r"columns \['other'\]"),
        ([{"tags": ["O"]}], [{"tags": []}], "line 0 tags has 0 entries instead of 1"),
    ],
)
def test_other_answers_are_named(expected: object, found: object, where: str):
    """The first difference is told by line and column."""
    with pytest.raises(AssertionError, match=where):
        raise AssertionError(first_difference(expected, found))


def test_a_site_holds_nothing_else(tmp_path: Path):
    """The folder of links has the closure's packages only."""
    (tmp_path / "requirements.txt").write_text("safetensors==0\n")
    site = tmp_path / "site"
    site.mkdir()
    make_site(tmp_path, site)
    assert (site / "safetensors").is_dir()
    assert not any((site / name).exists() for name in ("prefect", "mlflow", "pytest", "tasks"))


def test_a_wheel_that_is_not_stored_is_refused(tmp_path: Path):
    """Requirements that name a wheel outside of the model's folder do not load elsewhere."""
    (tmp_path / "requirements.txt").write_text("./wheels/gone.whl\n")
    (tmp_path / "site").mkdir()
    with pytest.raises(RegistryError, match=r"name ./wheels/gone.whl, which is not in"):
        make_site(tmp_path, tmp_path / "site")
