"""The comms ladder: what is said to whom, in the charter's order of executive sponsor, admins, end users."""

from comms.domain.access import ACCESS
from comms.domain.sign_in import SIGN_IN
from comms.domain.templates import ASK, Audience, Kind, Template, text

__all__ = ["TEMPLATES", "Audience", "Kind", "Template"]

A, K = Audience, Kind

_ALL = (
    Template(
        "announce.sponsors", 1, K.ANNOUNCE, A.SPONSORS, True, "cutover/",
        "{tenant} moves on {window}",
        text(
            "The move of {tenant} to the new platform is planned for {window}.",
            "Nothing moves before you have signed the go/no-go, and there is a tested way back. What still has to be "
            "true before that, and who is at it, stands here:",
            "{link}", ASK,
        ),
    ),
    Template(
        "announce.admins", 1, K.ANNOUNCE, A.ADMINS, True, "preflight/",
        "{tenant} moves on {window}: what to prepare",
        text(
            "The move of {tenant} to the new platform is planned for {window}.",
            "The preflight page lists everything that must be true before it, and says for each point what to do:",
            "{link}",
            "Your colleagues are told as well. You can see what they get, choose another day for it and add a note of "
            "your own under “Messages”.", ASK,
        ),
    ),
    Template(
        "announce.users", 1, K.ANNOUNCE, A.END_USERS, False, "status/",
        "{tenant} moves to a new platform on {window}",
        text(
            "Your organisation, {tenant}, moves to the new platform on {window}.",
            "You need not do anything: your data and your sign-in come along. During the move, news stands here:",
            "{link}", ASK,
        ),
    ),
    Template(
        "reminder.sponsors", 1, K.REMINDER, A.SPONSORS, False, "cutover/",
        "The move of {tenant}: {window}",
        text("The move of {tenant} is planned for {window}; the account is in phase {phase}.",
             "What is decided and what is still open:", "{link}", ASK),
    ),
    Template(
        "reminder.admins", 1, K.REMINDER, A.ADMINS, False, "preflight/",
        "What is still open before {tenant} moves on {window}",
        text("The move of {tenant} is planned for {window}; the account is in phase {phase}.",
             "Please look at what still needs you:", "{link}", ASK),
    ),
    Template(
        "reminder.users", 1, K.REMINDER, A.END_USERS, False, "status/",
        "Soon: {tenant} moves on {window}",
        text("{tenant} moves to the new platform on {window}.",
             "Finish or save what you are working on before it begins. News during the move:", "{link}", ASK),
    ),
    Template(
        "reminder.blocked", 1, K.REMINDER, A.DECIDERS, False, "preflight/",
        "Something stands in the way of the move of {tenant}",
        text("A check that the go/no-go of {tenant} stands on does not pass, and the move is planned for {window}.",
             "The preflight page says which one it is, whose turn it is and what to do:", "{link}", ASK),
    ),
    Template(
        "signature.asked", 1, K.SIGNATURE, A.SIGNERS, True, "go-no-go/",
        "Your signature is awaited: go/no-go of {tenant}",
        text("The evidence for the move of {tenant} on {window} is frozen, and your signature is awaited.",
             "Read it and sign it, or say no:", "{link}", ASK),
    ),
    Template(
        "signature.given", 1, K.SIGNATURE, A.SIGNERS, True, "go-no-go/",
        "One signature is there, yours is awaited: go/no-go of {tenant}",
        text("The other side has signed the go/no-go of {tenant} for {window}. Yours is the one that is missing:",
             "{link}", ASK),
    ),
    Template(
        "signature.approved", 1, K.SIGNATURE, A.DECIDERS, True, "go-no-go/",
        "Signed: {tenant} moves on {window}",
        text("Both sides have signed the go/no-go of {tenant}. The move is set for {window}.",
             "The signed evidence can be read and downloaded here:", "{link}", ASK),
    ),
    Template(
        "signature.voided", 1, K.SIGNATURE, A.DECIDERS, True, "go-no-go/",
        "The go/no-go of {tenant} is void",
        text("What was frozen for the go/no-go of {tenant} no longer holds, so the request was ended. Nothing moves.",
             "What changed, and how to ask again:", "{link}", ASK),
    ),
    Template(
        "signature.vetoed", 1, K.SIGNATURE, A.DECIDERS, True, "go-no-go/",
        "The go/no-go of {tenant} was vetoed",
        text("The go/no-go of {tenant} for {window} was vetoed. Nothing moves. The reason stands with the request:",
             "{link}", ASK),
    ),
    Template(
        "cutover.phase", 1, K.CUTOVER, A.DECIDERS, True, "cutover/",
        "{tenant} is in phase {phase} now",
        text("{tenant} is in phase {phase} now.", "Where the move stands:", "{link}", ASK),
    ),
    Template(
        "cutover.users", 1, K.CUTOVER, A.END_USERS, False, "status/",
        "The move of {tenant} has begun",
        text("The move of {tenant} to the new platform has begun. You can go on working; a page may be slow for a "
             "moment.", "News stands here:", "{link}", ASK),
    ),
    Template(
        "cutover.halted", 1, K.CUTOVER, A.DECIDERS, True, "cutover/",
        "The line is stopped: {tenant}",
        text("The move of {tenant} was halted. No more traffic moves until the reason is settled.",
             "What is known:", "{link}", ASK),
    ),
    Template(
        "cutover.rolled_back", 1, K.CUTOVER, A.DECIDERS, True, "cutover/",
        "{tenant} is back on the legacy platform",
        text("The move of {tenant} was rolled back: everybody works on the legacy platform, as before.",
             "What happened, and how the next attempt begins:", "{link}", ASK),
    ),
    Template(
        "cutover.rolled_back_users", 1, K.CUTOVER, A.END_USERS, True, "status/",
        "{tenant} works on the legacy platform, as before",
        text("The move of {tenant} was taken back. Please work on the legacy platform, as you did before.",
             "News stands here:", "{link}", ASK),
    ),
    Template(
        "after.sponsors", 1, K.AFTER, A.SPONSORS, False, "",
        "{tenant} has moved",
        text("{tenant} works on the new platform. For two weeks we watch it closely, and there is a way back.",
             "The figures:", "{link}", ASK),
    ),
    Template(
        "after.admins", 1, K.AFTER, A.ADMINS, False, "support/",
        "{tenant} has moved: what to watch",
        text("{tenant} works on the new platform. If anything is not as it was, tell us; cases about the move come "
             "first:", "{link}", ASK),
    ),
    Template(
        "after.users", 1, K.AFTER, A.END_USERS, False, "support/",
        "You are on the new platform",
        text("{tenant} has moved. If you miss something or it looks wrong, tell us here:", "{link}", ASK),
    ),
    Template(
        "support.answered", 1, K.SUPPORT, A.ASKER, True, "support/",
        "There is an answer to your case",
        text("We have answered your support case about the move of {tenant}. Read it, and say whether it settles the "
             "matter:", "{link}", ASK),
    ),
    Template(
        "domain.prove_again", 1, K.REMINDER, A.DECIDERS, True, "domains/",
        "Prove your domain once more before {tenant} moves on {window}",
        text("Three days before the move, a domain that was proven earlier is proven once more, with a new record. "
             "The earlier proof stands meanwhile, but the go/no-go waits for the new one.",
             "The record to publish, and a link for whoever edits your DNS:", "{link}", ASK),
    ),
    Template(
        "domain.token_ending", 1, K.REMINDER, A.DECIDERS, False, "domains/",
        "A domain of {tenant} still waits for its record",
        text("We look for the record of a claimed domain for 30 days, and these are nearly over. After that you need "
             "a new one.", "Which domain it is, what we found and what to do:", "{link}", ASK),
    ),
    Template(
        "domain.token_given_up", 1, K.REMINDER, A.DECIDERS, True, "domains/",
        "The record of a domain of {tenant} was not seen for 30 days",
        text("We have stopped to look for the record of a domain that {tenant} claimed. Nothing that was proven is "
             "lost; to go on, get a new record:", "{link}", ASK),
    ),
    Template(
        "domain.contested", 1, K.SUPPORT, A.DECIDERS, True, "domains/",
        "Somebody else has shown to control a domain of {tenant}",
        text("Another account has published a record that we asked for in a domain which {tenant} has proven, and "
             "asks us to hand it over. We decide on that, and nothing changes until then.",
             "If the domain is still yours, prove it again and write to us at once. Which one it is:", "{link}", ASK),
    ),
    Template(
        "domain.passed_on", 1, K.SUPPORT, A.DECIDERS, True, "domains/",
        "A domain of {tenant} was handed over to another account",
        text("Another account has proven afresh that it controls a domain which {tenant} had proven, and we have "
             "approved that it is handed over. It counts for {tenant} no longer.",
             "Which one it is, and what you can do if that is wrong:", "{link}", ASK),
    ),
    Template(
        "domain.taken_over", 1, K.SUPPORT, A.DECIDERS, True, "domains/",
        "The domain that {tenant} asked for is yours",
        text("We have approved that the domain which {tenant} asked for and proved is handed over. The account that "
             "had it was told so.", "It stands here:", "{link}", ASK),
    ),
    Template(
        "domain.transfer_declined", 1, K.SUPPORT, A.DECIDERS, True, "domains/",
        "The domain that {tenant} asked for stays where it is",
        text("We have declined to hand over the domain that {tenant} asked for. The reason stands with it:", "{link}",
             ASK),
    ),
    Template(
        "support.escalated", 1, K.SUPPORT, A.LADDER, True, "support/",
        "A support case of {tenant} has run out of time",
        text("A support case of {tenant} (phase {phase}) was not answered or settled in time, and has come up the "
             "escalation ladder to you. It stands in the support queue of the admin.", "{link}", ASK),
    ),
    *SIGN_IN,
    *ACCESS,
)  # fmt: skip

TEMPLATES: dict[str, Template] = {template.key: template for template in _ALL}
