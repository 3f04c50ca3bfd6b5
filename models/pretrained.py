"""Calls into transformers: without its noise, and with errors that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers.utils import logging as transformers_logging

from models.errors import ConfigError
from models.schemas.families import DEFAULT_ENCODER

__all__ = ["DEFAULT_ENCODER", "clear_errors", "quiet"]


@contextmanager
def clear_errors(name: str) -> Iterator[None]:
    """Turn what transformers raises for an encoder of this name into a ConfigError."""
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError) as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(
            f"Encoder {name!r} can not be loaded: {first_line} It is read from a local folder of that name "
            "or from the Hugging Face hub or its cache (safetensors only). Check the name, go online once "
            f"(HF_HUB_OFFLINE unset), or use the bundled {DEFAULT_ENCODER!r}."
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back transformers' progress bars and load reports; its settings are put back after."""
    library: Any = transformers_logging
    verbosity, bars = library.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity_error()
    library.disable_progress_bar()
    try:
        yield
    finally:
        library.set_verbosity(verbosity)
        if bars:
            library.enable_progress_bar()
