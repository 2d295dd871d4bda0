"""What is said about how a customer's people sign in: their provider, its certificates, enforcement and ways back."""

from comms.domain.templates import ASK, Audience, Kind, Template, text

A, K = Audience, Kind

SIGN_IN = (
    *(
        Template(
            f"sso.ends_{days}", 1, K.REMINDER, A.DECIDERS, True, "sso/",
            f"The sign-in certificate of {{tenant}} ends within {days} day{'s' if days > 1 else ''}",
            text(f"The last certificate that your identity provider signs with ends within {days} "
                  f"day{'s' if days > 1 else ''}. Renew it there, give us the new one beside it, and test a sign-in; "
                 "nobody is locked out meanwhile:", "{link}", ASK),
        )
        for days in (30, 14, 7, 1)
    ),
    Template(
        "sso.certificate_found", 1, K.REMINDER, A.DECIDERS, True, "sso/",
        "{tenant}: your identity provider has a new certificate",
        text("The metadata of your identity provider list a new certificate, and one that you trust signed for it. We "
             "trust it from now on, beside the one before, so that your provider can change over at any moment. If "
             "you know of no change, retire it and ask whoever looks after your provider:", "{link}", ASK),
    ),
    Template(
        "sso.keys_wait", 1, K.REMINDER, A.DECIDERS, True, "sso/",
        "{tenant}: a new certificate of your identity provider needs your yes",
        text("The metadata of your identity provider list a new certificate, and nothing you trust signed for it. We "
             "do not trust it yet; sign-in goes on by those before. Look at it, and say yes or no:", "{link}", ASK),
    ),
    Template(
        "sso.change_waits", 1, K.REMINDER, A.DECIDERS, True, "sso/",
        "{tenant}: your identity provider's metadata changed and need your yes",
        text("The metadata of your identity provider name another provider or another sign-in address than before. "
             "We have changed nothing. See what differs, and say yes or no:", "{link}", ASK),
    ),
    Template(
        "sso.unreadable", 1, K.REMINDER, A.DECIDERS, True, "sso/",
        "{tenant}: we cannot read your identity provider's metadata",
        text("The address of your identity provider's metadata could not be read three times in a row. Sign-in goes "
             "on as before, but we would not learn of a new certificate. What came back stands here:", "{link}", ASK),
    ),
    Template(
        "sso.links_wait", 1, K.REMINDER, A.DECIDERS, True, "sso/links/",
        "{tenant}: somebody waits for your approval to sign in",
        text("Somebody has come by your company's sign-in, or your directory has sent them, who could be a member of "
             "{tenant}. They get in once you have confirmed that they are. Approve or reject it, one by one or many "
             "at once, or decide once and for all by a standing rule for your domain:", "{link}", ASK),
    ),
    Template(
        "sign_in.announced", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "{tenant} signs in by its own sign-in soon",
        text(
            "It is decided that the people of {tenant} will sign in by the company's own sign-in alone.",
            "From when, and who holds recovery codes for the day when it fails:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.announced_users", 1, K.SIGN_IN, A.END_USERS, True, "sso/enforcement/",
        "Soon you sign in by {tenant}",
        text(
            "Soon a password signs you in no longer: you sign in by {tenant}, as you do elsewhere at work.",
            "Please try it before then. From when it holds stands here:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.ended", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "Passwords sign the people of {tenant} in again",
        text(
            "It was decided that the people of {tenant} may sign in by password again.",
            "How it stands:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.ended_users", 1, K.SIGN_IN, A.END_USERS, True, "sso/enforcement/",
        "Your password signs you in as before",
        text(
            "It was decided that the people of {tenant} may sign in by password. Since {since} yours signs you in as "
            "before; signing in by {tenant} works as well.",
            "If you have forgotten your password, choose a new one on the sign-in page. How you sign in:",
            "{link}", ASK,
        ),
    ),
    *(
        Template(
            f"sign_in.ends_{days}", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
            f"{{tenant}}: passwords count again within {days} day{'s' if days > 1 else ''}",
            text(
                "That the people of {tenant} sign in by the company alone was decided for a time, and that is nearly "
                "over. From then on passwords sign them in again, unless somebody decides anew.",
                "When that is, and what to do:", "{link}", ASK,
            ),
        )
        for days in (14, 7, 1)
    ),
    Template(
        "sign_in.expired", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "Passwords sign the people of {tenant} in again: the time is over",
        text(
            "That the people of {tenant} sign in by the company alone was decided for a time, which is over.",
            "Announce it anew if it should go on:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.expired_users", 1, K.SIGN_IN, A.END_USERS, True, "sso/enforcement/",
        "Your password signs you in again",
        text(
            "That you sign in by {tenant} alone was decided for a time, which is over. Since {since} your password "
            "signs you in again; signing in by {tenant} works as well.",
            "If you have forgotten your password, choose a new one on the sign-in page. How you sign in:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.codes_made", 1, K.SIGN_IN, A.SPONSORS, True, "sso/enforcement/",
        "New recovery codes were made for {tenant}",
        text(
            "One of your break-glass owners has made a new set of recovery codes; the earlier ones work no longer.",
            "If you did not expect that, ask them. Who holds codes:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.recovery_used", 1, K.SIGN_IN, A.SPONSORS, True, "sso/enforcement/",
        "A recovery code of {tenant} was used",
        text(
            "One of your break-glass owners has signed in by a recovery code.",
            "If you did not expect that, find out who it was and end their sessions. They need a new set of codes:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.cutback_asked", 1, K.SIGN_IN, A.SPONSORS, True, "sso/enforcement/",
        "{tenant}: a return to passwords waits for your approval",
        text(
            "Somebody has asked that passwords sign the people of {tenant} in again for some hours.",
            "An owner and one of us must approve it. The reason, and the button:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.cutback_waits", 1, K.SIGN_IN, A.LADDER, True, "",
        "{tenant}: a cutback waits for one of you",
        text(
            "{tenant} asks that passwords sign its people in for some hours, because its own sign-in is in trouble.",
            "It begins once an owner of theirs and a lead of ours have approved it. The reason, and the button, stand "
            "in the admin under “Cutbacks”.", ASK,
        ),
    ),
    Template(
        "sign_in.cutback_lapsed", 1, K.SIGN_IN, A.SPONSORS, True, "sso/enforcement/",
        "{tenant}: the return to passwords was not approved in time",
        text(
            "It was asked that passwords sign the people of {tenant} in for some hours; a day went by without both "
            "approvals, so it will not begin. Ask anew if it is still needed:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.cutback_begun", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "{tenant} signs in by password for some hours",
        text(
            "A cutback has begun: passwords sign the people of {tenant} in until it ends by itself.",
            "When, and why:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.cutback_begun_users", 1, K.SIGN_IN, A.END_USERS, True, "status/",
        "You can sign in by password for some hours",
        text(
            "The sign-in of {tenant} has trouble. For some hours your password signs you in, as before.",
            "News stands here:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.cutback_ended", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "{tenant} signs in by its own sign-in again",
        text(
            "The cutback is over: the people of {tenant} sign in by the company's own sign-in alone again.",
            "How it stands:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.cutback_ended_users", 1, K.SIGN_IN, A.END_USERS, True, "sso/enforcement/",
        "You sign in by {tenant} again",
        text(
            "The hours in which your password signed you in are over. Since {since} you sign in by {tenant} alone "
            "again, as you do elsewhere at work; a passkey still signs you in too. If a password brought you in, you "
            "are asked to sign in once more.",
            "How you sign in:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.passwords_removed", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "The people of {tenant} have no passwords any more",
        text(
            "The passwords of the people of {tenant} were taken away: they sign in by the company alone.",
            "For thirty days they can be given back here:",
            "{link}", ASK,
        ),
    ),
    Template(
        "sign_in.passwords_restored", 1, K.SIGN_IN, A.DECIDERS, True, "sso/enforcement/",
        "The people of {tenant} have their passwords again",
        text(
            "The passwords that were taken away from the people of {tenant} were given back.",
            "Whether they count:",
            "{link}", ASK,
        ),
    ),
)  # fmt: skip
"""In the order in which these things happen."""
