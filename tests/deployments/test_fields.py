import pytest

from deployments.fields import PAGE, page
from models.schemas import AgentConfig, SourceConfig
from models.schemas.base import Record
from models.schemas.pretrain import PretrainConfig
from models.schemas.start import EpisodeSource, StartConfig


def test_the_page_is_that_of_the_code():
    """docs/fields.md is what `make docs` writes."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("record", [AgentConfig, SourceConfig, StartConfig, EpisodeSource, PretrainConfig])
def test_every_field_is_explained(record: type[Record]):
    """Each field has a line that says what it is."""
    lines = {line.split("`")[1]: line for line in page().splitlines() if line.startswith("| `")}
    assert all(len(lines[name].split("|")[-2].strip()) > 10 for name in record.model_fields)


def test_limits_are_told():
    """The line of a bounded field says from where to where."""
    assert "above 0 below 0.5" in next(line for line in page().splitlines() if "`alpha`" in line)
