"""How the ledger's entries of entitlements are told to people."""

from core.activity import sentences

sentences(
    {
        "entitlements.snapshot.taken": "compared the contract on both platforms: {mismatches} differences in billing",
        "entitlements.mismatch.opened": "found the new platform not as promised: {title}",
        "entitlements.mismatch.settled": "found this as promised again: {title}",
        "entitlements.choice.made": "chose about the contract: {choice}, {basis}",
        "entitlements.access.requested": "asked for access: {ability}",
        "entitlements.access.granted": "granted access: {ability}",
        "entitlements.access.declined": "declined access: {ability}",
        "entitlements.subscription.ordered": "set the subscription up on the new platform as promised",
    }
)
