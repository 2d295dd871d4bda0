"""What goes to the log: never a link that lets its bearer in."""

import logging
import re

_LINK = re.compile(r"(/invitations/|/accounts/confirm-email/|/accounts/password/reset/key/)[^/\s?]+")


class WithoutLinks(logging.Filter):
    """Blanks the secret of a mailed link: Django logs the path of every request that it answers with an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, without the secret."""
        said = record.getMessage()
        if _LINK.search(said):
            record.msg, record.args = _LINK.sub(r"\1…", said), ()
        return True
