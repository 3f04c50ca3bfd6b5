from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from models.errors import ArtifactError, ConfigError
from models.pretrain.fit import pretrain
from models.pretrain.job import PretrainJob
from models.pretrain.networks import load_language_model
from models.pretrain.store import load_pretrained_start
from models.schemas.families import Family
from models.schemas.pretrain import FAMILY, ObjectiveName, PretrainConfig
from models.start_frames import StartEncoder


@pytest.mark.parametrize("objective", FAMILY)
@pytest.mark.parametrize("family", ["encoder", "causal", "seq2seq"])
def test_a_model_learns_only_by_what_it_is_for(
    tiny_models: dict[Family, Path], objective: ObjectiveName, family: Family
):
    """Each kind of model is taken for its own objective, and refused for the others by name."""
    name = str(tiny_models[family])
    if FAMILY[objective] == family:
        assert load_language_model(name, objective).fresh_head == (family == "encoder")
    else:
        with pytest.raises(ConfigError, match=f"can not learn by {objective}"):
            load_language_model(name, objective)


def test_a_wrong_pairing_is_refused_when_the_description_is_read(tiny_models: dict[Family, Path]):
    """The description itself says which models would do."""
    with pytest.raises(ValidationError, match=r"another kind of model .* name a causal model such as"):
        PretrainConfig.model_validate(
            {
                "name": "wrong",
                "sources": [{"address": "a.csv"}],
                "objective": "causal_lm",
                "encoder": str(tiny_models["encoder"]),
            }
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 2, "encoder": "bert-base-cased"}, "layers makes a new model and encoder names one"),
        ({"layers": 2, "heads": 3}, "multiple of 2 \\* heads"),
        ({"tokens_per_batch": 64}, "less than one block of 128"),
        ({"objektive": "masked_lm"}, "Extra inputs"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object], message: str):
    """A new model has no encoder, its heads share its width out, and a batch holds at least one block."""
    with pytest.raises(ValidationError, match=message):
        PretrainConfig.model_validate({"name": "wrong", "sources": [{"address": "a.csv"}], **changes})


def test_a_fresh_head_is_the_seeds(tiny_models: dict[Family, Path]):
    """A head which the files lack is drawn from the seed, and no global random state moves."""
    before = torch.get_rng_state()
    heads = [load_language_model(str(tiny_models["encoder"]), "masked_lm", seed).head() for seed in (1, 1, 2)]
    name = next(n for n, w in heads[0].items() if w.ndim > 1)
    assert torch.equal(heads[0][name], heads[1][name])
    assert not torch.equal(heads[0][name], heads[2][name])
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("objective", FAMILY)
def test_a_stored_start_gives_an_encoder_that_embeds(
    make_job: Callable[..., PretrainJob], objective: ObjectiveName
):
    """Whatever it learned by, a start is a folder of safetensors that embeds texts."""
    report = pretrain(make_job(objective=objective, epochs=0.2))
    folder = Path(report.start.address)
    assert {p.suffix for p in folder.rglob("*") if p.is_file()} == {".json", ".safetensors"}
    assert (folder / "head.safetensors").exists() == (objective == "masked_lm")
    vectors = StartEncoder.load(folder).embed_frame(["the cat eats bread", "a dog"])["embedding"]
    assert [len(vector) for vector in vectors] == [32, 32]


def test_an_incomplete_start_is_told(make_job: Callable[..., PretrainJob]):
    """A start that lost a file says which."""
    folder = Path(pretrain(make_job(epochs=0.2)).start.address)
    (folder / "encoder" / "tokenizer.json").unlink()
    with pytest.raises(ArtifactError, match=r"encoder/tokenizer\.json missing"):
        load_pretrained_start(folder)
