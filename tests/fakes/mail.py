"""Mail that does not leave."""


class NoMail:
    """A mail server that is gone."""

    def __init__(self, **_: object) -> None:
        """Take any option of a backend."""

    def send_messages(self, messages: object) -> int:
        """Fail as a refused connection does."""
        raise ConnectionRefusedError("the mail server is gone")
