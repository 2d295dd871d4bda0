"""What is said of access reviews: that one began, waits for somebody, or ended; and to whoever lost their access."""

from comms.domain.templates import ASK, Audience, Kind, Template, text

A, K = Audience, Kind

ACCESS = (
    Template(
        "access.begun", 1, K.ACCESS, A.DECIDERS, True, "access/",
        "{tenant}: everybody's access is reviewed",
        text("A review of everybody's access to {tenant} has begun. Say of each person that their access is right, or "
             "take it away. Nobody decides about themselves, so your part is needed:", "{link}", ASK),
    ),
    Template(
        "access.second_owner", 1, K.ACCESS, A.SPONSORS, True, "access/",
        "{tenant}: taking an owner's access away waits for you",
        text("In the review of access to {tenant}, an owner asked to take another owner's access away. Nothing happens "
             "until a second owner agrees; you can decline as well:", "{link}", ASK),
    ),
    Template(
        "access.finished", 1, K.ACCESS, A.DECIDERS, True, "access/",
        "{tenant}: the review of access is finished and waits for a signature",
        text("Everybody's access to {tenant} was decided about. One of you signs the summary, and it stands in the "
             "evidence of the go/no-go:", "{link}", ASK),
    ),
    Template(
        "access.abandoned", 1, K.ACCESS, A.DECIDERS, True, "access/",
        "{tenant}: the review of access was abandoned",
        text("The review of access to {tenant} ended undecided. The reason stands there; what was taken away in it "
             "stays so:", "{link}", ASK),
    ),
    Template(
        "access.revoked", 2, K.ACCESS, A.LEAVERS, True, "access/",
        "You have no access to {tenant} in Crossing any more",
        text("In a review of who has access to {tenant} in Crossing, yours was taken away. Your accounts on the "
             "legacy and the new platform are not touched by it.",
             "If that is a mistake, tell an owner or admin of your organisation: they can invite you again."),
    ),
)  # fmt: skip
