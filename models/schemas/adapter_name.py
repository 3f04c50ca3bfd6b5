"""The name of a task adapter, checked against those that there are."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


def _offer_adapters(schema: dict[str, Any]) -> None:
    # The adapters stand on these schemas, so they are looked up late.
    from models.adapters import ADAPTERS

    schema["enum"] = list(ADAPTERS)


def _is_adapter(name: str) -> str:
    from models.adapters import ADAPTERS

    if name not in ADAPTERS:
        *most, last = map(repr, ADAPTERS)
        expected = f"{', '.join(most)} or {last}"
        raise PydanticCustomError("adapter", "Input should be {expected}", {"expected": expected})
    return name


AdapterName = Annotated[str, AfterValidator(_is_adapter), Field(json_schema_extra=_offer_adapters)]
"""The name of an adapter that there is; a form shows the choices."""
