"""Bodies and answers. What a body does not declare is refused, so that a misspelt field is not silently ignored."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers


class Text(serializers.CharField):
    """A text of at least one character, taken as it is: what is blank to people no schema could say."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)


class Described(serializers.Serializer[Any]):
    """Something of which the description shows an example."""

    example: ClassVar[Mapping[str, Any] | None] = None


class Body(Described):
    """The body of a request: exactly the declared fields."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is not declared, then read what is."""
        if isinstance(data, Mapping) and (unknown := sorted(set(map(str, data)) - set(self.fields))):
            raise serializers.ValidationError({name: ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)


class NoBody(Body):
    """The body of a request that says everything by its address: none, or an empty object."""

    example = {}


class Answer(Described):
    """What an endpoint answers: every declared field is always there."""
