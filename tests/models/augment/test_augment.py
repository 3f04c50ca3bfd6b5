"""What holds for every way of making rows, and what is special about each."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from models.adapters import get_adapter
from models.augment import AUGMENTERS, Augmenter, BackTranslation, Crossover, MaskedWords, Teachers
from models.augment.rows import make_rows
from models.errors import ConfigError
from models.schemas import AgentConfig
from models.schemas.augment_fields import AugmentName
from models.task_model import build, save
from models.text_hash import split_codes, text_hashes

MakeConfig = Callable[..., AgentConfig]
TEXTS = ["the film was very good indeed", "a dull evening at home", "so good", "what a bad actor he is"]
CLASSES = np.array([1, 0, 1, 0])
NEW = "new 2"
"""A text that would be a training row."""
NEEDS: dict[AugmentName, dict[str, object]] = {
    "crossover": {},
    "masked_words": {"masked_lm": "x"},
    "back_translation": {"translators": ("en-de", "de-en")},
}


@pytest.fixture(scope="session")
def teachers(
    make_config: MakeConfig, tiny_masked_lm: Path, tmp_path_factory: pytest.TempPathFactory
) -> Teachers:
    """Store a tiny masked language model and a tiny translator."""
    folder = tmp_path_factory.mktemp("translator")
    config = make_config("translation", max_new_tokens=4)
    save(folder, *build(config), config)
    return Teachers(str(tiny_masked_lm), (str(folder), str(folder)))


@pytest.fixture(params=list(AUGMENTERS))
def augmenter(request: pytest.FixtureRequest, make_config: MakeConfig, teachers: Teachers) -> Augmenter:
    """Give each way in turn."""
    config = make_config(augment=(request.param,), **NEEDS[request.param])
    return AUGMENTERS[request.param].make(config, teachers)


def test_every_text_gives_one(augmenter: Augmenter):
    """As many come out as went in, none of them empty."""
    made = augmenter.rewrite(TEXTS, CLASSES, np.random.default_rng(0))
    assert len(made) == len(TEXTS)
    assert all(text.strip() for text in made)


def test_the_seed_decides(augmenter: Augmenter):
    """The same draws give the same texts."""
    first, again = (augmenter.rewrite(TEXTS, CLASSES, np.random.default_rng(3)) for _ in range(2))
    assert first == again


def test_nothing_gives_nothing(augmenter: Augmenter):
    """No texts are no fault."""
    assert augmenter.rewrite([], np.zeros(0, np.int64), np.random.default_rng(0)) == []


def test_halves_come_from_one_class(make_config: MakeConfig):
    """Every made text begins like its own and ends like another of the same class."""
    made = Crossover.make(make_config(), Teachers()).rewrite(TEXTS, CLASSES, np.random.default_rng(0))
    assert made == [
        "the film was good",
        "a dull evening actor he is",
        "so very good indeed",
        "what a bad at home",
    ]


def test_the_only_text_of_a_class_stays():
    """There is nothing to join it with."""
    made = Crossover().rewrite(["a b", "c d"], np.array([0, 1]), np.random.default_rng(0))
    assert made == ["a b", "c d"]


@pytest.mark.parametrize(("share", "changed"), [(0.01, 1), (0.5, 3), (1.0, 6)])
def test_a_share_of_the_words_is_replaced(
    tiny_masked_lm: Path, make_config: MakeConfig, share: float, changed: int
):
    """At least one is, each by another word, and the others stay where they are."""
    config = make_config(augment=("masked_words",), masked_lm=str(tiny_masked_lm), augment_share=share)
    way = MaskedWords.make(config, Teachers(str(tiny_masked_lm)))
    made = way.rewrite(TEXTS[:1], CLASSES[:1], np.random.default_rng(0))[0].split()
    assert len(made) == 6
    assert sum(a != b for a, b in zip(made, TEXTS[0].split(), strict=True)) == changed
    assert all(word.isalpha() for word in made)


def test_what_can_not_be_replaced_stays(tiny_masked_lm: Path, make_config: MakeConfig):
    """Numbers, punctuation, words of several sub-words and what lies beyond the window are left alone."""
    config = make_config(augment=("masked_words",), masked_lm=str(tiny_masked_lm), augment_share=1.0)
    way = MaskedWords.make(config, Teachers(str(tiny_masked_lm)))
    text = "42 !!! unbelievablyness " + ", " * 20 + "film"
    assert way.rewrite([text], CLASSES[:1], np.random.default_rng(0)) == [text]


def test_a_model_without_a_head_is_refused(tiny_encoder: Path, make_config: MakeConfig):
    """A plain encoder would put in random words."""
    config = make_config(augment=("masked_words",), masked_lm=str(tiny_encoder))
    with pytest.raises(ConfigError, match="no head that predicts words"):
        MaskedWords.make(config, Teachers(str(tiny_encoder)))


def test_an_agent_that_does_not_translate_is_refused(make_config: MakeConfig, tmp_path: Path):
    """The error names the agent and what it does."""
    config = make_config()
    save(tmp_path, *build(config), config)
    with pytest.raises(ConfigError, match="'agent', an agent of text_classification"):
        BackTranslation.make(config, Teachers(None, (str(tmp_path), str(tmp_path))))


class _Fixed(Augmenter):
    """Writes the same four texts each time."""

    @classmethod
    def make(cls, config: AgentConfig, teachers: Teachers) -> "_Fixed":
        return cls()

    def rewrite(
        self,
        texts: Sequence[str],
        classes: np.ndarray,
        rng: np.random.Generator,
        show: Callable[[float], None] = lambda _: None,
    ) -> list[str]:
        return ["Held  OUT", "so good", NEW, NEW.upper()]


def test_only_new_texts_become_rows(make_config: MakeConfig):
    """A text of a held-out row, one of the training rows, and one made before are dropped."""
    adapter = get_adapter(make_config(augment=("crossover",), augment_copies=2))
    train = pa.table({"text": TEXTS, "label": ["pos", "neg", "pos", "neg"]})
    known = text_hashes(pa.array([*TEXTS, "held out"]))
    made = make_rows(adapter, {"crossover": _Fixed()}, train, known)
    assert made.rows.select(["text", "label", "way"]).to_pylist() == [
        {"text": NEW, "label": "pos", "way": "crossover"}
    ]
    assert (made.kept, made.dropped) == ({"crossover": 1}, {"crossover": 7})


def test_translators_that_sample_give_other_copies(make_config: MakeConfig, tmp_path: Path):
    """Each copy is drawn anew, from the agent's own random numbers."""
    config = make_config("translation", max_new_tokens=8, temperature=5.0)
    save(tmp_path, *build(config), config)
    way = BackTranslation.make(make_config(), Teachers(None, (str(tmp_path), str(tmp_path))))
    rng = np.random.default_rng(0)
    assert way.rewrite(TEXTS, CLASSES, rng) != way.rewrite(TEXTS, CLASSES, rng)


def test_no_made_text_would_be_held_out(make_config: MakeConfig):
    """What falls into another split by its hash is dropped: it might come as a row one day."""
    adapter = get_adapter(make_config(augment=("crossover",), augment_copies=50, test_share=0.4))
    train = pa.table({"text": [f"a{i} b{i} c{i} d{i}" for i in range(20)], "label": ["pos"] * 20})
    made = make_rows(adapter, {"crossover": Crossover()}, train, text_hashes(train["text"].combine_chunks()))
    hashes = text_hashes(made.rows["text"].combine_chunks())
    assert len(hashes) > 50
    assert (split_codes(hashes, adapter.config.validation_share, 0.4) == 0).all()
