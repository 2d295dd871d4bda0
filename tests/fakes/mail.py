"""Mail that does not leave, and a mail server of the test's own."""

from core import tenancy
from core.letters import Letter
from core.ports import Rejected, Unavailable


class NoMail:
    """A mail server that is gone."""

    def __init__(self, **_: object) -> None:
        """Take any option of a backend."""

    def send_messages(self, messages: object) -> int:
        """Fail as a refused connection does."""
        raise ConnectionRefusedError("the mail server is gone")


class FakeMail:
    """A way out for mails that keeps them; addresses in `refused` are refused for good, in `away` for now."""

    sent: list[Letter] = []
    refused: set[str] = set()
    away: set[str] = set()

    @classmethod
    def reset(cls) -> None:
        """Forget everything."""
        cls.sent, cls.refused, cls.away = [], set(), set()

    def send(self, letter: Letter) -> None:
        """Keep one mail; see `core.ports.Mail`."""
        tenancy.forbid_transaction("Sending a mail")
        if "\n" in letter.subject or "\r" in letter.subject or "\n" in letter.to:
            raise Rejected("The mail cannot be written: a header of it is not well formed.")
        if letter.to in self.refused:
            raise Rejected("The mail server refused it for good (SMTP 550).")
        if letter.to in self.away:
            raise Unavailable("The mail server did not take it for now (SMTP 450).")
        self.sent.append(letter)
