"""Refusals: what a use case raises when it will not do what was asked."""


class UseCaseError(Exception):
    """A use case refuses; the message is fit for the person who asked.

    Subclasses are named `UnableToX` and stand beside the function that raises them.
    """

    status = 422

    def __init__(self, message: str = "", *, fix: str = "") -> None:
        super().__init__(message or "This cannot be done now.")
        self.message = message or "This cannot be done now."
        self.fix = fix


class PermissionRefused(UseCaseError):
    """The actor may not do this; says which permission is missing, never what lies behind it."""

    status = 403


class NotFound(UseCaseError):
    """The object does not exist, or the actor must not learn that it does."""

    status = 404
