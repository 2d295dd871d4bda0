"""Whether a person may do something in the product: one function, for enforcing and for explaining."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from core.domain.decisions import Decision, Gate, Grant, Step, Verdict, conclude
from entitlements.domain.abilities import Ability

NOT_SEEN = "Nobody has looked at the new platform lately, so this is not known."


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one person in one account. None is not known, which is never taken for yes or no."""

    flags: frozenset[str] = frozenset()
    features: frozenset[str] | None = None
    plan: str = ""
    """The plan's name on the new platform, for the reason's words."""
    roles: frozenset[str] | None = None
    """The roles the person holds on the new platform; empty: they have no account there."""
    policies: Mapping[str, bool] | None = None
    """What the organisation allows; a rule that it has not set allows."""
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class LegacyFacts:
    """What is known of the same person on the legacy platform."""

    plan: str | None = None
    plan_name: str = ""
    role: str | None = None
    role_name: str = ""
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """The answer of the legacy platform to the same question."""

    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Names:
    """How codes of the new platform are called."""

    roles: Mapping[str, str] = field(default_factory=dict)

    def role(self, code: str) -> str:
        """Return a role's name."""
        return self.roles.get(code, code)


def decide(ability: Ability, facts: Facts, names: Names | None = None) -> Decision:
    """Ask every gate that the ability has, in their order."""
    return conclude(_steps(ability, facts, names or Names()))


def _steps(ability: Ability, facts: Facts, names: Names) -> Iterator[Step]:
    if ability.flag:
        title = ability.flag.title
        if ability.flag.code in facts.flags:
            yield Step(Gate.FLAG, Verdict.PASS, f"“{title}” is switched on for your account.")
        else:
            grant = Grant(f"“{title}”, switched on", "your customer success manager", f"flag:{ability.flag.code}")
            yield Step(Gate.FLAG, Verdict.FAIL, f"“{title}” is not switched on for your account.", grant)
    if ability.feature:
        yield _entitlement(ability, facts)
    yield _role(ability, facts, names)
    if ability.policy:
        yield _policy(ability, facts)
    if ability.second_factor:
        if facts.second_factor:
            yield Step(Gate.SIGN_IN, Verdict.PASS, "There is a passkey or an authenticator app.")
        else:
            grant = Grant("a passkey or an authenticator app", "the person themselves, under “Passkeys and codes”")
            yield Step(Gate.SIGN_IN, Verdict.FAIL, "It needs a second factor, and there is only a password.", grant)


def _entitlement(ability: Ability, facts: Facts) -> Step:
    feature = ability.feature
    assert feature is not None
    if facts.features is None:
        return Step(Gate.ENTITLEMENT, Verdict.UNKNOWN, NOT_SEEN)
    if feature.code in facts.features:
        return Step(Gate.ENTITLEMENT, Verdict.PASS, f"The plan {facts.plan} includes {feature.title}.")
    grant = Grant(
        f"a plan with {feature.title}: {_any_of(feature.plans)}",
        "your customer success manager",
        f"feature:{feature.code}",
    )
    return Step(Gate.ENTITLEMENT, Verdict.FAIL, f"The plan {facts.plan} does not include {feature.title}.", grant)


def _role(ability: Ability, facts: Facts, names: Names) -> Step:
    if facts.roles is None:
        return Step(Gate.ROLE, Verdict.UNKNOWN, NOT_SEEN)
    held = [role for role in ability.roles if role in facts.roles]
    if held:
        return Step(Gate.ROLE, Verdict.PASS, f"The role {names.role(held[0])} includes it.")
    nearest = ability.roles[0]
    grant = Grant(f"the role {names.role(nearest)}", "an owner or admin of your account", f"product_role:{nearest}")
    if not facts.roles:
        return Step(Gate.ROLE, Verdict.FAIL, "There is no role on the new platform yet.", grant)
    mine = _any_of([names.role(role) for role in sorted(facts.roles)], word="and")
    return Step(Gate.ROLE, Verdict.FAIL, f"The role {mine} does not include it.", grant)


def _policy(ability: Ability, facts: Facts) -> Step:
    policy = ability.policy
    assert policy is not None
    if facts.policies is None:
        return Step(Gate.POLICY, Verdict.UNKNOWN, NOT_SEEN)
    if facts.policies.get(policy.code, True):
        return Step(Gate.POLICY, Verdict.PASS, f"Your organisation allows: {policy.title}.")
    return Step(
        Gate.POLICY, Verdict.FAIL, f"Your organisation does not allow: {policy.title}.",
        Grant(f"“{policy.title}”, allowed", policy.who),
    )  # fmt: skip


def before(ability: Ability, facts: LegacyFacts) -> Before:
    """Answer the same question for the legacy platform."""
    if not ability.legacy_plans:
        return Before(Verdict.FAIL, "The legacy platform could not do this.")
    if not facts.is_known or facts.plan is None:
        return Before(Verdict.UNKNOWN, "Nobody has looked at the legacy platform lately, so this is not known.")
    if facts.plan not in ability.legacy_plans:
        return Before(Verdict.FAIL, f"On the legacy platform it was not part of {facts.plan_name} either.")
    if facts.role is None:
        return Before(Verdict.FAIL, "There was no account on the legacy platform.")
    if facts.role not in ability.legacy_roles:
        return Before(Verdict.FAIL, f"On the legacy platform the role {facts.role_name} did not include it either.")
    return Before(
        Verdict.PASS,
        f"On the legacy platform it was possible: {facts.plan_name} included it, as did the role {facts.role_name}.",
    )


def _any_of(words: Collection[str], *, word: str = "or") -> str:
    listed = list(words)
    return f" {word} ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
