"""Checks that integrations contribute."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from accounts.queries import tenants
from core import ports
from core.findings import Finding, Outcome
from core.readiness import check
from integrations.domain.probes import Outcome as Answer
from integrations.queries import endpoints, inventory
from integrations.queries.endpoints import Standing


@check(
    "integrations.inventory_decided",
    title="Every integration has a stated fate",
    owner="integrations",
    due="T-30",
    valid_for=timedelta(days=7),
    link="integrations/",
)
def inventory_decided(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nothing that is connected to legacy is silently gone: each moves, is set up again, gets a new secret or ends."""
    found = ports.inventory().integrations(tenant_ref=tenants.get(tenant_id=tenant_id).legacy_ref)
    in_legacy = {f"{one.kind.value}:{one.key}": one for one in found}
    fates = {key: fate for key, fate in inventory.fates_of(tenant_id=tenant_id).items() if key in in_legacy}
    facts = {"fates": dict(sorted(fates.items())), "unknown": sorted(set(in_legacy) - set(fates))}
    open_ones = [in_legacy[key] for key in in_legacy if not fates.get(key)]
    evidence = {f"{one.kind.value} {one.key}": {"name": _host(one.address) or one.name} for one in open_ones}
    if not in_legacy:
        return Finding(Outcome.PASS, "Nothing is connected to legacy", facts=facts)
    if not open_ones:
        return Finding(Outcome.PASS, f"All {len(in_legacy)} integrations have a stated fate", facts=facts)
    return Finding(
        Outcome.BLOCK,
        f"{len(open_ones)} of {len(in_legacy)} integrations have no stated fate",
        facts=facts,
        evidence=evidence,
        fix="Read the inventory, and for each line accept our proposal or choose another.",
    )


@check(
    "integrations.harness_passed",
    title="Your webhooks verify what they receive",
    owner="integrations",
    due="T-3",
    # Shorter than a run holds, or the last answer before its end would carry it on for as long again.
    valid_for=timedelta(days=1),
    link="integrations/",
)
def harness_passed(*, tenant_id: UUID, at: datetime) -> Finding:
    """Each endpoint takes a genuine message and refuses a replayed, tampered, forged and unsigned one."""
    standing = endpoints.standing(tenant_id=tenant_id, with_off=False)
    adopted = {one.endpoint.item_id for one in standing}
    missing = [item for item in inventory.webhooks(tenant_id=tenant_id) if item.pk not in adopted]
    failing = [one for one in standing if not one.has_passed(at=at)]
    facts = {
        "passed": sorted(str(one.endpoint.pk) for one in standing if one not in failing),
        "not_passed": sorted(str(one.endpoint.pk) for one in failing),
        "without_endpoint": sorted(item.key for item in missing),
    }
    evidence = {f"{_host(one.endpoint.url)}, {one.endpoint.pk}": _told(one) for one in standing}
    if missing:
        names = ", ".join(dict.fromkeys(_host(item.address) or item.name for item in missing[:3]))
        return Finding(
            Outcome.BLOCK,
            f"{len(missing)} of your webhooks in legacy have no endpoint yet: {names}",
            facts=facts,
            evidence=evidence,
            fix="Register the address of each, or state that it is retired.",
        )
    if failing:
        summary, fix = _worst(failing[0], at=at)
        return Finding(Outcome.BLOCK, summary, facts=facts, evidence=evidence, fix=fix)
    if not standing:
        return Finding(Outcome.PASS, "You receive no webhooks", facts=facts)
    return Finding(
        Outcome.PASS,
        f"{len(standing)} endpoint{'s take' if len(standing) > 1 else ' takes'} genuine messages and refuse"
        f"{'' if len(standing) > 1 else 's'} all others",
        facts=facts,
        evidence=evidence,
    )


def _worst(one: Standing, *, at: datetime) -> tuple[str, str]:
    """Say what is wrong with an endpoint and what to do."""
    host = _host(one.endpoint.url)
    if one.run is None:
        return f"{host} was not tried yet", "Run the harness against it."
    if not endpoints.counts(one.endpoint, one.run, at=at):
        return f"{host} was not tried with its present signing secret", "Run the harness against it again."
    if one.run.has_passed:
        return f"{host} was last tried more than a week ago", "Run the harness against it again."
    wrong = next(result for result in one.results if result.outcome is not Answer.PASS)
    return f"{host}: “{wrong.title}” does not hold, it answered {wrong.got}", wrong.fix


def _host(url: str) -> str:
    """Name an address by its host alone: findings are handed on, and a path or query may be as good as a password."""
    return urlsplit(url).hostname or ""


def _told(one: Standing) -> dict[str, str]:
    return {result.title: f"{result.got} (expected {result.expected})" for result in one.results} or {"run": "none"}
