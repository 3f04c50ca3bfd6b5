"""A start's embeddings as pandas frames, the form in which a registered start takes texts and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd
from transformers import AutoConfig, AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from models.embed import embed
from models.encoder import load_encoder, load_tokenizer
from models.errors import DataError
from models.pretrained import clear_errors, quiet

ENCODER = "encoder"
"""The folder in a stored start that is an encoder by itself."""


@dataclass(frozen=True)
class StartEncoder:
    """A start's encoder with its tokenizer."""

    encoder: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the encoder of a stored start; of an encoder-decoder, the one half.

        Raises:
            ConfigError: It can not be loaded.
        """
        place = folder / ENCODER
        if AutoConfig.from_pretrained(place).is_encoder_decoder:
            with quiet(), clear_errors(str(place)):
                whole = AutoModel.from_pretrained(place, use_safetensors=True)
            return cls(whole.get_encoder(), load_tokenizer(str(place)))
        return cls(*load_encoder(str(place)))

    def embed_frame(self, texts: pd.DataFrame | Sequence[str]) -> pd.DataFrame:
        """Embed texts: a line a text, whose `embedding` is the mean of the last layer, `dim` numbers.

        Args:
            texts: A frame with one column, or a list.

        Raises:
            DataError: The frame has more columns, or something in it is no text.
        """
        if isinstance(texts, pd.DataFrame):
            if len(texts.columns) != 1:
                found = ", ".join(map(repr, texts.columns)) or "none"
                raise DataError(f"The frame's columns are {found}; give one column of texts.")
            texts = texts.iloc[:, 0].to_list()
        strange = next((text for text in texts if not isinstance(text, str)), None)
        if strange is not None:
            raise DataError(f"{strange!r} is a {type(strange).__name__}; give texts.")
        vectors = embed(texts, self.encoder, self.tokenizer)
        return pd.DataFrame({"embedding": vectors.astype("float64").tolist()})
