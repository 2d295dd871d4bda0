"""Endpoints: register an address with a signing secret, sign by it, switch it off."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from core import ledger, outbox, ports, sealing
from core.actor import Actor
from core.errors import UseCaseError
from core.inventory import Kind
from core.permissions import Permission
from integrations.domain import rotation, signing
from integrations.domain.retries import State
from integrations.models import Endpoint, Item, Message

MOST_ENDPOINTS = 50


class UnableToRegister(UseCaseError):
    """The address cannot be registered."""


def register(*, tenant_id: UUID, url: str, item: Item | None, by: Actor, at: datetime) -> tuple[Endpoint, str]:
    """Register an address, perhaps as what a legacy webhook becomes; return it with its secret, shown once.

    The address is judged as the sender judges it, without asking anybody.
    """
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=tenant_id)
    if item is not None and (item.tenant_id != tenant_id or item.kind != Kind.WEBHOOK.value):
        raise UnableToRegister("Only a webhook can receive messages.")
    try:
        address = ports.outbound().check(url.strip())
    except ports.Rejected as refusal:
        raise UnableToRegister(str(refusal), fix="Give the address at which your receiver can be reached.") from refusal
    if address.startswith("http://") and not address.startswith("http://127.0.0.1:"):
        raise UnableToRegister(
            "Over http:// anybody on the way can read your messages.", fix="Give an https:// address."
        )
    if Endpoint.objects.filter(tenant_id=tenant_id, off_at=None).count() >= MOST_ENDPOINTS:
        raise UnableToRegister(f"You have {MOST_ENDPOINTS} endpoints already.", fix="Switch one off first.")
    secret = new_secret()
    try:
        with transaction.atomic(durable=True):
            endpoint = Endpoint.objects.create(
                tenant_id=tenant_id,
                url=address,
                item=item,
                secret=sealing.seal(secret),
                registered_at=at,
                registered_by=by.known_id,
            )
            outbox.publish("integrations.endpoints.changed", tenant_id=tenant_id)
            ledger.record(
                "integrations.endpoint.registered",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=endpoint,
                data={"item": item.key if item else None},
            )
    except IntegrityError as error:
        raise UnableToRegister(
            "This address, or one for this webhook, is registered already.", fix="Switch the other one off first."
        ) from error
    return endpoint, secret


def switch_off(*, endpoint: Endpoint, by: Actor, at: datetime, why: Endpoint.Off = Endpoint.Off.CUSTOMER) -> bool:
    """Send nothing more to an endpoint, and give up what is pending; say whether it was on. Safe to repeat."""
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=endpoint.tenant_id)
    with transaction.atomic():
        changed = Endpoint.objects.filter(pk=endpoint.pk, tenant_id=endpoint.tenant_id, off_at=None).update(
            off_at=at, off_by=by.known_id, off_why=why.value, old_secret="", old_ends_at=None
        )
        if not changed:
            return False
        Message.objects.filter(endpoint=endpoint, state=State.PENDING.value).update(
            state=State.FAILED.value, next_attempt_at=None, settled_at=at
        )
        outbox.publish("integrations.endpoints.changed", tenant_id=endpoint.tenant_id)
        ledger.record(
            "integrations.endpoint.switched_off",
            by=by,
            at=at,
            tenant_id=endpoint.tenant_id,
            subject=endpoint,
            data={"why": why.value},
        )
    return True


def new_secret() -> str:
    """Return a signing secret that nobody can guess."""
    return signing.secret_from(secrets.token_bytes(signing.SECRET_BYTES))


def secrets_of(endpoint: Endpoint, *, at: datetime) -> list[str]:
    """Return the secrets that sign what an endpoint is sent at a moment, the present one last; to show to nobody.

    The old one comes first: a receiver that looks at the first signature alone takes messages for as long as it did.
    """
    sealed = [endpoint.old_secret] if rotation.signs(endpoint.old_ends_at, at=at) else []
    return [sealing.unseal(one) for one in (*sealed, endpoint.secret)]
