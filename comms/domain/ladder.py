"""The comms ladder: what is said to whom, in the charter's order of executive sponsor, admins, end users.

A message's text changes together with its `version`; what was sent keeps the version it was sent in.
"""

from dataclasses import dataclass
from enum import StrEnum

from comms.domain.letters import require_safe


class Audience(StrEnum):
    """Whom a message is for; the people are looked up when it leaves."""

    SPONSORS = "sponsors"
    ADMINS = "admins"
    END_USERS = "end_users"
    DECIDERS = "deciders"
    SIGNERS = "signers"
    ASKER = "asker"
    LADDER = "ladder"

    @property
    def label(self) -> str:
        """The audience's name for people."""
        return {
            "sponsors": "Owners (executive sponsors)",
            "admins": "Admins",
            "end_users": "Everybody else",
            "deciders": "Owners and admins",
            "signers": "Who signs",
            "asker": "Who asked",
            "ladder": "Our people on call",
        }[self.value]


class Kind(StrEnum):
    """What a message is there for."""

    ANNOUNCE = "announce"
    REMINDER = "reminder"
    CUTOVER = "cutover"
    AFTER = "after"
    SIGNATURE = "signature"
    SUPPORT = "support"
    SIGN_IN = "sign_in"

    @property
    def label(self) -> str:
        """The kind's name for people."""
        return {"after": "Afterwards", "signature": "Go/no-go", "sign_in": "Sign-in"}.get(
            self.value, self.value.capitalize()
        )


@dataclass(frozen=True, slots=True)
class Template:
    """One message. `page` is where `{link}` leads, inside the tenant; an essential one reaches everybody."""

    key: str
    version: int
    kind: Kind
    audience: Audience
    essential: bool
    page: str
    subject: str
    body: str

    def __post_init__(self) -> None:
        require_safe(self.subject)
        require_safe(self.body)


def _text(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


A, K = Audience, Kind
_ASK = "Questions? {contact}"

_ALL = (
    Template(
        "announce.sponsors", 1, K.ANNOUNCE, A.SPONSORS, True, "cutover/",
        "{tenant} moves on {window}",
        _text(
            "The move of {tenant} to the new platform is planned for {window}.",
            "Nothing moves before you have signed the go/no-go, and there is a tested way back. What still has to be "
            "true before that, and who is at it, stands here:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "announce.admins", 1, K.ANNOUNCE, A.ADMINS, True, "preflight/",
        "{tenant} moves on {window}: what to prepare",
        _text(
            "The move of {tenant} to the new platform is planned for {window}.",
            "The preflight page lists everything that must be true before it, and says for each point what to do:",
            "{link}",
            "Your colleagues are told as well. You can see what they get, choose another day for it and add a note of "
            "your own under “Messages”.", _ASK,
        ),
    ),
    Template(
        "announce.users", 1, K.ANNOUNCE, A.END_USERS, False, "status/",
        "{tenant} moves to a new platform on {window}",
        _text(
            "Your organisation, {tenant}, moves to the new platform on {window}.",
            "You need not do anything: your data and your sign-in come along. During the move, news stands here:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "reminder.sponsors", 1, K.REMINDER, A.SPONSORS, False, "cutover/",
        "The move of {tenant}: {window}",
        _text("The move of {tenant} is planned for {window}; the account is in phase {phase}.",
              "What is decided and what is still open:", "{link}", _ASK),
    ),
    Template(
        "reminder.admins", 1, K.REMINDER, A.ADMINS, False, "preflight/",
        "What is still open before {tenant} moves on {window}",
        _text("The move of {tenant} is planned for {window}; the account is in phase {phase}.",
              "Please look at what still needs you:", "{link}", _ASK),
    ),
    Template(
        "reminder.users", 1, K.REMINDER, A.END_USERS, False, "status/",
        "Soon: {tenant} moves on {window}",
        _text("{tenant} moves to the new platform on {window}.",
              "Finish or save what you are working on before it begins. News during the move:", "{link}", _ASK),
    ),
    Template(
        "reminder.blocked", 1, K.REMINDER, A.DECIDERS, False, "preflight/",
        "Something stands in the way of the move of {tenant}",
        _text("A check that the go/no-go of {tenant} stands on does not pass, and the move is planned for {window}.",
              "The preflight page says which one it is, whose turn it is and what to do:", "{link}", _ASK),
    ),
    Template(
        "signature.asked", 1, K.SIGNATURE, A.SIGNERS, True, "go-no-go/",
        "Your signature is awaited: go/no-go of {tenant}",
        _text("The evidence for the move of {tenant} on {window} is frozen, and your signature is awaited.",
              "Read it and sign it, or say no:", "{link}", _ASK),
    ),
    Template(
        "signature.given", 1, K.SIGNATURE, A.SIGNERS, True, "go-no-go/",
        "One signature is there, yours is awaited: go/no-go of {tenant}",
        _text("The other side has signed the go/no-go of {tenant} for {window}. Yours is the one that is missing:",
              "{link}", _ASK),
    ),
    Template(
        "signature.approved", 1, K.SIGNATURE, A.DECIDERS, True, "go-no-go/",
        "Signed: {tenant} moves on {window}",
        _text("Both sides have signed the go/no-go of {tenant}. The move is set for {window}.",
              "The signed evidence can be read and downloaded here:", "{link}", _ASK),
    ),
    Template(
        "signature.voided", 1, K.SIGNATURE, A.DECIDERS, True, "go-no-go/",
        "The go/no-go of {tenant} is void",
        _text("What was frozen for the go/no-go of {tenant} no longer holds, so the request was ended. Nothing moves.",
              "What changed, and how to ask again:", "{link}", _ASK),
    ),
    Template(
        "signature.vetoed", 1, K.SIGNATURE, A.DECIDERS, True, "go-no-go/",
        "The go/no-go of {tenant} was vetoed",
        _text("The go/no-go of {tenant} for {window} was vetoed. Nothing moves. The reason stands with the request:",
              "{link}", _ASK),
    ),
    Template(
        "cutover.phase", 1, K.CUTOVER, A.DECIDERS, True, "cutover/",
        "{tenant} is in phase {phase} now",
        _text("{tenant} is in phase {phase} now.", "Where the move stands:", "{link}", _ASK),
    ),
    Template(
        "cutover.users", 1, K.CUTOVER, A.END_USERS, False, "status/",
        "The move of {tenant} has begun",
        _text("The move of {tenant} to the new platform has begun. You can go on working; a page may be slow for a "
              "moment.", "News stands here:", "{link}", _ASK),
    ),
    Template(
        "cutover.halted", 1, K.CUTOVER, A.DECIDERS, True, "cutover/",
        "The line is stopped: {tenant}",
        _text("The move of {tenant} was halted. No more traffic moves until the reason is settled.",
              "What is known:", "{link}", _ASK),
    ),
    Template(
        "cutover.rolled_back", 1, K.CUTOVER, A.DECIDERS, True, "cutover/",
        "{tenant} is back on the legacy platform",
        _text("The move of {tenant} was rolled back: everybody works on the legacy platform, as before.",
              "What happened, and how the next attempt begins:", "{link}", _ASK),
    ),
    Template(
        "cutover.rolled_back_users", 1, K.CUTOVER, A.END_USERS, True, "status/",
        "{tenant} works on the legacy platform, as before",
        _text("The move of {tenant} was taken back. Please work on the legacy platform, as you did before.",
              "News stands here:", "{link}", _ASK),
    ),
    Template(
        "after.sponsors", 1, K.AFTER, A.SPONSORS, False, "",
        "{tenant} has moved",
        _text("{tenant} works on the new platform. For two weeks we watch it closely, and there is a way back.",
              "The figures:", "{link}", _ASK),
    ),
    Template(
        "after.admins", 1, K.AFTER, A.ADMINS, False, "support/",
        "{tenant} has moved: what to watch",
        _text("{tenant} works on the new platform. If anything is not as it was, tell us; cases about the move come "
              "first:", "{link}", _ASK),
    ),
    Template(
        "after.users", 1, K.AFTER, A.END_USERS, False, "support/",
        "You are on the new platform",
        _text("{tenant} has moved. If you miss something or it looks wrong, tell us here:", "{link}", _ASK),
    ),
    *(
        Template(
            f"sso.ends_{days}", 1, K.REMINDER, A.DECIDERS, True, "sso/",
            f"The sign-in certificate of {{tenant}} ends within {days} day{'s' if days > 1 else ''}",
            _text(f"The last certificate that your identity provider signs with ends within {days} "
                  f"day{'s' if days > 1 else ''}. Renew it there, give us the new one beside it, and test a sign-in; "
                  "nobody is locked out meanwhile:", "{link}", _ASK),
        )
        for days in (30, 14, 7, 1)
    ),
    Template(
        "sso.certificate_found", 1, K.REMINDER, A.DECIDERS, True, "sso/",
        "{tenant}: your identity provider has a new certificate",
        _text("The metadata of your identity provider list a new certificate, and one that you trust signed for it. We "
              "trust it from now on, beside the one before, so that your provider can change over at any moment. If "
              "you know of no change, retire it and ask whoever looks after your provider:", "{link}", _ASK),
    ),
    Template(
        "sso.keys_wait", 1, K.REMINDER, A.DECIDERS, True, "sso/",
        "{tenant}: a new certificate of your identity provider needs your yes",
        _text("The metadata of your identity provider list a new certificate, and nothing you trust signed for it. We "
              "do not trust it yet; sign-in goes on by those before. Look at it, and say yes or no:", "{link}", _ASK),
    ),
    Template(
        "sso.change_waits", 1, K.REMINDER, A.DECIDERS, True, "sso/",
        "{tenant}: your identity provider's metadata changed and need your yes",
        _text("The metadata of your identity provider name another provider or another sign-in address than before. "
              "We have changed nothing. See what differs, and say yes or no:", "{link}", _ASK),
    ),
    Template(
        "sso.unreadable", 1, K.REMINDER, A.DECIDERS, True, "sso/",
        "{tenant}: we cannot read your identity provider's metadata",
        _text("The address of your identity provider's metadata could not be read three times in a row. Sign-in goes "
              "on as before, but we would not learn of a new certificate. What came back stands here:", "{link}", _ASK),
    ),
    Template(
        "support.answered", 1, K.SUPPORT, A.ASKER, True, "support/",
        "There is an answer to your case",
        _text("We have answered your support case about the move of {tenant}. Read it, and say whether it settles the "
              "matter:", "{link}", _ASK),
    ),
    Template(
        "sign_in.announced", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "{tenant} signs in by its own sign-in soon",
        _text(
            "It is decided that the people of {tenant} will sign in by the company's own sign-in alone.",
            "From when, and who holds recovery codes for the day when it fails:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "sign_in.announced_users", 1, K.SIGN_IN, A.END_USERS, True, "sso/enforcement/",
        "Soon you sign in by {tenant}",
        _text(
            "Soon a password signs you in no longer: you sign in by {tenant}, as you do elsewhere at work.",
            "Please try it before then. From when it holds stands here:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "sign_in.ended", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "Passwords sign the people of {tenant} in again",
        _text(
            "It was decided that the people of {tenant} may sign in by password again.",
            "How it stands:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "sign_in.recovery_used", 1, K.SIGN_IN, A.SPONSORS, True, "sso/enforcement/",
        "A recovery code of {tenant} was used",
        _text(
            "One of your break-glass owners has signed in by a recovery code.",
            "If you did not expect that, find out who it was and end their sessions. They need a new set of codes:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "sign_in.cutback_asked", 1, K.SIGN_IN, A.SPONSORS, True, "sso/enforcement/",
        "{tenant}: a return to passwords waits for your approval",
        _text(
            "Somebody has asked that passwords sign the people of {tenant} in again for some hours.",
            "An owner and one of us must approve it. The reason, and the button:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "sign_in.cutback_begun", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "{tenant} signs in by password for some hours",
        _text(
            "A cutback has begun: passwords sign the people of {tenant} in until it ends by itself.",
            "When, and why:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "sign_in.cutback_begun_users", 1, K.SIGN_IN, A.END_USERS, True, "status/",
        "You can sign in by password for some hours",
        _text(
            "The sign-in of {tenant} has trouble. For some hours your password signs you in, as before.",
            "News stands here:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "sign_in.cutback_ended", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "{tenant} signs in by its own sign-in again",
        _text(
            "The cutback is over: the people of {tenant} sign in by the company's own sign-in alone again.",
            "How it stands:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "domain.prove_again", 1, K.REMINDER, A.DECIDERS, True, "domains/",
        "Prove your domain once more before {tenant} moves on {window}",
        _text("Three days before the move, a domain that was proven earlier is proven once more, with a new record. "
              "The earlier proof stands meanwhile, but the go/no-go waits for the new one.",
              "The record to publish, and a link for whoever edits your DNS:", "{link}", _ASK),
    ),
    Template(
        "domain.token_ending", 1, K.REMINDER, A.DECIDERS, False, "domains/",
        "A domain of {tenant} still waits for its record",
        _text("We look for the record of a claimed domain for 30 days, and these are nearly over. After that you need "
              "a new one.", "Which domain it is, what we found and what to do:", "{link}", _ASK),
    ),
    Template(
        "domain.token_given_up", 1, K.REMINDER, A.DECIDERS, True, "domains/",
        "The record of a domain of {tenant} was not seen for 30 days",
        _text("We have stopped to look for the record of a domain that {tenant} claimed. Nothing that was proven is "
              "lost; to go on, get a new record:", "{link}", _ASK),
    ),
    Template(
        "domain.contested", 1, K.SUPPORT, A.DECIDERS, True, "domains/",
        "Somebody else has shown to control a domain of {tenant}",
        _text("Another account has published a record that we asked for in a domain which {tenant} has proven, and "
              "asks us to hand it over. We decide on that, and nothing changes until then.",
              "If the domain is still yours, prove it again and write to us at once. Which one it is:", "{link}", _ASK),
    ),
    Template(
        "domain.passed_on", 1, K.SUPPORT, A.DECIDERS, True, "domains/",
        "A domain of {tenant} was handed over to another account",
        _text("Another account has proven afresh that it controls a domain which {tenant} had proven, and we have "
              "approved that it is handed over. It counts for {tenant} no longer.",
              "Which one it is, and what you can do if that is wrong:", "{link}", _ASK),
    ),
    Template(
        "domain.taken_over", 1, K.SUPPORT, A.DECIDERS, True, "domains/",
        "The domain that {tenant} asked for is yours",
        _text("We have approved that the domain which {tenant} asked for and proved is handed over. The account that "
              "had it was told so.", "It stands here:", "{link}", _ASK),
    ),
    Template(
        "domain.transfer_declined", 1, K.SUPPORT, A.DECIDERS, True, "domains/",
        "The domain that {tenant} asked for stays where it is",
        _text("We have declined to hand over the domain that {tenant} asked for. The reason stands with it:", "{link}",
              _ASK),
    ),
    Template(
        "sign_in.passwords_removed", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "The people of {tenant} have no passwords any more",
        _text(
            "The passwords of the people of {tenant} were taken away: they sign in by the company alone.",
            "For thirty days they can be given back here:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "sign_in.passwords_restored", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "The people of {tenant} have their passwords again",
        _text(
            "The passwords that were taken away from the people of {tenant} were given back.",
            "Whether they count:",
            "{link}", _ASK,
        ),
    ),
    Template(
        "support.escalated", 1, K.SUPPORT, A.LADDER, True, "support/",
        "A support case of {tenant} has run out of time",
        _text("A support case of {tenant} (phase {phase}) was not answered or settled in time, and has come up the "
              "escalation ladder to you. It stands in the support queue of the admin.", "{link}", _ASK),
    ),
)  # fmt: skip

TEMPLATES: dict[str, Template] = {template.key: template for template in _ALL}
