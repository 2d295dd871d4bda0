"""How the ledger's entries of integrations are told to people."""

from core.activity import sentences

sentences(
    {
        "integrations.inventory.read": "read what is connected to legacy: {items} integrations",
        "integrations.item.decided": "decided what becomes of an integration: {fate}",
        "integrations.endpoint.registered": "registered a webhook endpoint",
        "integrations.endpoint.switched_off": "switched a webhook endpoint off",
        "integrations.endpoint.rotation_begun": "replaced the signing secret of a webhook endpoint by a new one",
        "integrations.endpoint.rotation_taken_back": "took the new signing secret of a webhook endpoint back",
        "integrations.endpoint.old_secret_ended": "ended the old signing secret of a webhook endpoint",
        "integrations.harness.requested": "asked for a run of the webhook harness",
        "integrations.harness.finished": "ran the webhook harness",
        "integrations.message.requested": "sent a test event",
        "integrations.messages.erased": "erased test messages, their answers and harness runs: {rows} rows",
        "integrations.message.sent_again": "sent a webhook message again",
    }
)
