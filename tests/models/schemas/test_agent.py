"""What the description of an agent refuses by itself; reading files is in test_load.py."""

import json
from pathlib import Path

import pytest

from models.errors import ConfigError
from models.schemas import AgentConfig
from models.schemas.load import agent_from_mapping
from models.slices import LENGTHS


def _agent(protected: dict[str, float], anchor: int | None = 1) -> AgentConfig:
    values: dict[str, object] = {"name": "mood", "adapter": "text_classification", "labels": ["bad", "a=b"]}
    values |= {"sources": [{"address": "x.csv"}], "protected_slices": protected, "anchor_version": anchor}
    return agent_from_mapping(values)


@pytest.mark.parametrize("margin", [0, 0.999])
def test_a_margin_is_a_fraction(margin: float):
    """From no loss at all up to nearly everything."""
    assert _agent({"label=bad": margin}).protected_slices == {"label=bad": margin}


@pytest.mark.parametrize("margin", [-0.01, 1, 5, float("nan")])
def test_a_margin_that_voids_the_protection_is_refused(margin: float):
    """With a margin of 1 or more every challenger would be shown to be harmless."""
    with pytest.raises(ConfigError, match=r"protected_slices\.label=bad is"):
        _agent({"label=bad": margin})


@pytest.mark.parametrize(
    "name",
    [
        *(f"length={n}" for n, _ in LENGTHS),
        "source=a",
        "domain=x=y",
        "label=a=b",
        "window=reference",
        "anchor",
    ],
)
def test_every_slice_that_the_gate_knows_can_be_protected(name: str):
    """Sources, domains, labels, lengths, the reference window and the anchor."""
    assert name in _agent({name: 0.01}).protected_slices


@pytest.mark.parametrize("name", ["labl=bad", "bad", "domain=", "=bad", "length=1-10", "window=current", ""])
def test_a_slice_that_can_not_be_is_refused(name: str):
    """A misspelt slice would have no rows and block every promotion."""
    with pytest.raises(ConfigError, match=f"'{name}' is no slice; write source=..., domain=..., label=..."):
        _agent({name: 0.01})


def test_a_protected_label_is_one_of_the_labels():
    """The error lists the labels that there are."""
    with pytest.raises(ConfigError, match="protects label 'refund'; labels are bad, a=b"):
        _agent({"label=refund": 0.01})


def test_a_protected_anchor_needs_one():
    """Without a pinned version its slice would have no rows for ever."""
    with pytest.raises(ConfigError, match="set anchor_version"):
        _agent({"anchor": 0.01}, anchor=None)


def _described(**values: object) -> AgentConfig:
    given: dict[str, object] = {"name": "mood", "adapter": "text_classification", "labels": ["bad", "good"]}
    return agent_from_mapping(given | {"sources": [{"address": "x.csv"}]} | values)


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, "causal"),
        ({"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True}, "seq2seq"),
    ],
)
def test_a_model_of_another_kind_is_refused(tmp_path: Path, described: dict[str, object], kind: str):
    """The error names the kind that was found, and models that would do."""
    (tmp_path / "config.json").write_text(json.dumps(described))
    with pytest.raises(ConfigError, match=rf"an encoder such as .*MiniLM.* is of another kind \({kind}\)"):
        _described(encoder=str(tmp_path))


def test_a_model_that_is_not_here_yet_is_allowed():
    """What a hub's model is turns out when it is fetched."""
    assert _described(encoder="someone/some-model").encoder == "someone/some-model"


def test_a_column_that_the_task_has_not_is_refused():
    """The error names the columns that there are."""
    with pytest.raises(ConfigError, match="names 'context'; text classification has text, label"):
        _described(sources=[{"address": "x.csv", "columns": {"context": "c"}}])


def test_held_out_sources_and_time_exclude_each_other():
    """Where the newest rows are held out, a source can not say otherwise."""
    source = {"address": "x.csv", "time_column": "t", "held_out": True}
    with pytest.raises(ConfigError, match="leave out held_out and document_column"):
        _described(sources=[source], split_by="time")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"augment": ["masked_words"]}, "masked_words in augment and masked_lm go together"),
        ({"masked_lm": "a/b"}, "masked_words in augment and masked_lm go together"),
        ({"augment": ["back_translation"]}, "back_translation in augment and translators go together"),
        ({"augment": ["crossover", "crossover"]}, "names one way twice"),
        ({"augment_copies": 3}, "augment names no way"),
        ({"augment": ["crossover"], "augment_share": 0.5}, "augment_share is for masked_words"),
    ],
)
def test_augmenting_has_what_it_needs_and_nothing_idle(values: dict[str, object], told: str):
    """A way without its model, and a setting without its way, are refused."""
    with pytest.raises(ConfigError, match=told):
        _described(**values)


def test_texts_are_rewritten_only_where_that_changes_nothing():
    """A question's answer stands in its passage, so neither may be rewritten."""
    with pytest.raises(ConfigError, match="would change what is true of a row of question answering"):
        _described(adapter="question_answering", labels=[], augment=["crossover"])


@pytest.mark.parametrize("values", [{"beams": 4}, {"max_answer_length": 5}, {"instruction": "answer: "}])
def test_a_setting_of_another_task_is_refused(values: dict[str, object]):
    """It would have no effect, and its user would not know."""
    with pytest.raises(ConfigError, match=f"{next(iter(values))} has no effect on text classification"):
        _described(**values)


def test_a_share_of_what_is_not_sampled_is_refused(tmp_path: Path):
    """top_p without a temperature has no effect."""
    (tmp_path / "config.json").write_text(json.dumps({"is_encoder_decoder": True}))
    with pytest.raises(ConfigError, match="top_p has no effect where nothing is sampled"):
        _described(adapter="translation", labels=[], encoder=str(tmp_path), top_p=0.5)


def test_a_start_may_be_of_another_kind_than_the_default_model():
    """Its own model takes the place of the encoder, which need not be named."""
    assert _described(adapter="translation", labels=[], start="mine").start == "mine"
