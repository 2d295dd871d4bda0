"""Mails by Django's configured backend: SMTP, a provider through anymail, or files in the demo."""

import smtplib
from email.utils import parseaddr

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives

from core import tenancy
from core.letters import Letter
from core.ports import Rejected, Unavailable

_PERMANENT = range(500, 600)


class DjangoMail:
    """Sends one mail at a time, so that each one's fate is known."""

    def send(self, letter: Letter) -> None:
        """Hand one mail over; see `core.ports.Mail`."""
        tenancy.forbid_transaction("Sending a mail")
        message = EmailMultiAlternatives(
            subject=letter.subject,
            body=letter.text,
            to=[letter.to],
            headers={"Message-ID": f"<{letter.id}@{_domain()}>", "Auto-Submitted": "auto-generated", **letter.headers},
        )
        message.attach_alternative(letter.html, "text/html")
        try:
            left = message.send()
        except (BadHeaderError, UnicodeError) as error:
            raise Rejected("The mail cannot be written: a header of it is not well formed.") from error
        except smtplib.SMTPRecipientsRefused as error:
            raise _answered(max(code for code, _ in error.recipients.values())) from error
        except smtplib.SMTPSenderRefused as error:  # about us, not about the mail: whoever runs the house mends it
            raise Unavailable(f"The mail server did not take our sender (SMTP {error.smtp_code}).") from error
        except smtplib.SMTPDataError as error:
            raise _answered(error.smtp_code) from error
        except AnymailRecipientsRefused as error:
            raise Rejected("The mail provider refused the recipient.") from error
        except AnymailAPIError as error:
            raise _provider(error.status_code) from error
        except (smtplib.SMTPException, AnymailError, OSError) as error:
            raise Unavailable("The mail server did not take the mail.") from error
        if not left:
            raise Unavailable("The mail server did not take the mail.")


def _answered(code: int) -> Unavailable | Rejected:
    """Return what an SMTP answer about one mail means (RFC 5321 4.2.1): 5xx is final, 4xx is for now."""
    if code in _PERMANENT:
        return Rejected(f"The mail server refused it for good (SMTP {code}).")
    return Unavailable(f"The mail server did not take it for now (SMTP {code}).")


def _provider(status: int | None) -> Unavailable | Rejected:
    """Return what a provider's HTTP status means: 400 and 422 are about this mail, everything else may pass."""
    if status in (400, 422):
        return Rejected(f"The mail provider refused it for good (HTTP {status}).")
    return Unavailable(f"The mail provider did not take it for now (HTTP {status or 'none'}).")


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
