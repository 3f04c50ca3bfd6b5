import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from models.errors import ConfigError
from models.meta.cut import UpperBody, additive, cut
from models.meta.packing import Packing
from models.meta.readouts import marked, pooled, tokens

IDS = torch.tensor([[2, 5, 7, 9], [3, 8, 0, 0]])
MASK = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0]])


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_both_parts_together_are_the_whole(encoder: PreTrainedModel, layers: int):
    """Hidden states of the lower part, through the upper one, are those of the encoder."""
    below, top = cut(encoder, layers)
    whole = encoder(input_ids=IDS, attention_mask=MASK.long()).last_hidden_state
    hidden = below(input_ids=IDS, attention_mask=additive(MASK)).last_hidden_state
    found = _upper(top, hidden, np.array([4, 2]))
    torch.testing.assert_close(found[MASK > 0], whole[MASK > 0])


def test_rows_in_one_sequence_do_not_see_each_other(encoder: PreTrainedModel):
    """Rows end to end have the states that they have by themselves."""
    _, top = cut(encoder, 2)
    hidden = torch.randn(2, 4, encoder.config.hidden_size)
    together = _upper(top, hidden, np.array([4, 2]), length=6)
    for row, length in enumerate((4, 2)):
        alone = _upper(top, hidden[row : row + 1, :length], np.array([length]))
        torch.testing.assert_close(together[row, :length], alone[0])


def test_packings_may_follow_each_other(encoder: PreTrainedModel):
    """Two packings put together give each row the states that it has in its own."""
    _, top = cut(encoder, 2)
    body = UpperBody(top, lambda hidden, mask, marks: hidden)
    packs = [
        _packed(torch.randn(3, 4, encoder.config.hidden_size), np.array(n), 5) for n in ([4, 1, 3], [2, 2, 4])
    ]
    each = torch.cat([body(*pack) for pack in packs])
    torch.testing.assert_close(body(*map(torch.cat, zip(*packs, strict=True))), each)


def _upper(
    top: torch.nn.ModuleList, hidden: torch.Tensor, lengths: np.ndarray, length: int | None = None
) -> torch.Tensor:
    """Run the upper layers over packed rows, and give the states of each row (rows, longest, width)."""
    body = UpperBody(top, lambda hidden, mask, marks: hidden)
    return body(*_packed(hidden, lengths, length or hidden.shape[1]))


def _packed(hidden: torch.Tensor, lengths: np.ndarray, length: int) -> tuple[torch.Tensor, ...]:
    packing = Packing.of(lengths, length)
    segments, places, *begins = packing.inputs
    inside = torch.from_numpy(np.arange(hidden.shape[1]) < lengths[:, None])
    packed = torch.zeros(segments.numel(), hidden.shape[-1])
    places = places[:, : hidden.shape[1]]
    packed[places[inside]] = hidden[inside]
    mask = inside.float()
    return packed.reshape(*segments.shape, -1), mask, torch.zeros(len(mask), 0), segments, places, *begins


def test_weights_are_shared_and_not_copied(encoder: PreTrainedModel):
    """The parts hold the encoder's own tensors."""
    below, top = cut(encoder, 1)
    own = {id(p) for p in encoder.parameters()}
    assert {id(p) for p in (*below.parameters(), *top.parameters())} == own


def test_the_encoder_itself_stays_whole(encoder: PreTrainedModel):
    """Cutting takes no layer from the encoder that was handed in."""
    cut(encoder, 2)
    assert len(encoder.encoder.layer) == 3


@pytest.mark.parametrize("layers", [0, 4])
def test_more_layers_than_there_are_is_refused(encoder: PreTrainedModel, layers: int):
    """The message names the number and the limit."""
    with pytest.raises(ConfigError, match=f"meta_layers is {layers}; the encoder has 3 layers"):
        cut(encoder, layers)


def test_a_stack_that_needs_more_than_states_and_a_mask_is_refused():
    """ModernBERT hands positions from layer to layer; the message says what would do."""
    from transformers import ModernBertConfig, ModernBertModel

    config = ModernBertConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="architecture modernbert can not be run layer by layer"):
        cut(ModernBertModel(config).eval(), 1)


def test_a_stack_of_one_layer_used_again_and_again_is_refused():
    """ALBERT has one layer for all of its depth, so there is nothing to cut."""
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(
        vocab_size=60, hidden_size=16, embedding_size=16, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=24, pad_token_id=0,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="architecture albert can not be run layer by layer"):
        cut(AlbertModel(config).eval(), 1)


def test_pooling_leaves_padding_out():
    """What stands at padding has no say, and features have length 1."""
    hidden = torch.randn(2, 4, 3)
    other = torch.where(MASK.unsqueeze(-1) > 0, hidden, 99.0)
    none = torch.zeros(2, 0)
    torch.testing.assert_close(pooled(hidden, MASK, none), pooled(other, MASK, none))
    torch.testing.assert_close(pooled(hidden, MASK, none).norm(dim=1), torch.ones(2))


def test_marks_are_read_where_they_stand():
    """The features of a relation are the states at its marks, joined."""
    hidden = torch.randn(2, 4, 3)
    found = marked(hidden, MASK, torch.tensor([[0, 2], [1, 0]]))
    joined = torch.cat([hidden[1, 1], hidden[1, 0]])
    torch.testing.assert_close(found[1], joined / joined.norm())


def test_every_sub_word_is_an_item():
    """Tokens are read row by row."""
    assert tokens(torch.randn(2, 4, 3), MASK, torch.zeros(2, 0)).shape == (8, 3)
