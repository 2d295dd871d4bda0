"""The preview: what a customer has on legacy, what the matrix makes of it, and what that costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.subscriptions import AddOn, Subscription, Term, Use
from entitlements.domain.matrix import AddOnRule, LimitRule, Matrix, PlanRule, Resource
from entitlements.domain.money import Money

UNLIMITED = "No limit"
ROLE = "Role"
"""The kind of the lines about people's roles."""


class Change(StrEnum):
    """What becomes of one thing a customer has."""

    UNMAPPED = "unmapped"
    """The matrix does not say: nobody may cross on a guess."""
    OPEN = "open"
    """The customer has a choice and has not made it."""
    CHANGED = "changed"
    ENDED = "ended"
    """The customer gave it up."""
    SAME = "same"


class Choice(StrEnum):
    """What a customer can decide about something that cannot stay as it is."""

    ACCEPT = "accept"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Option:
    """A choice that is open: what it is about (`addon:TTY-FAX`), exactly what would be agreed to, and what may be."""

    subject: str
    title: str
    basis: str
    """What the answer rests on: when it changes, the question is open again."""
    offer: str
    choices: tuple[Choice, ...]
    made: Choice | None = None
    is_needed: bool = True
    """Whether anything waits for it; giving up what we have not mapped yet is merely possible."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A choice that was made."""

    choice: Choice
    basis: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a customer has: how it was, how it will be."""

    kind: str
    title: str
    old: str
    new: str
    change: Change
    because: str = ""
    old_price: Money | None = None
    new_price: Money | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of something is used, against what the new platform allows. `used` is None where nobody counts it."""

    title: str
    used: int | None
    most: int | None
    over: str

    @property
    def state(self) -> str:
        """`pass`, `warn` or `block`; `unknown` where the number is missing, though it should be there."""
        if self.most is None or not self.over:
            return "pass"
        if self.used is None:
            return "unknown"
        return self.over if self.used > self.most else "pass"


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything, line by line."""

    lines: tuple[Line, ...]
    options: tuple[Option, ...]
    usage: tuple[Usage, ...]
    old_total: Money | None = None
    draft: Subscription | None = None
    """What is settled so far; None while not even plan and price are."""
    undecided: frozenset[str] = frozenset()
    """Add-ons of the new platform that a choice still open would bring."""

    @property
    def promise(self) -> Subscription | None:
        """What the new platform must hold; None while anything is in the way."""
        return None if any(line.change in (Change.UNMAPPED, Change.OPEN) for line in self.lines) else self.draft

    @property
    def changed(self) -> tuple[Line, ...]:
        """What is not as it was, what is in the way first."""
        order = list(Change)
        return tuple(
            sorted(
                (line for line in self.lines if line.change is not Change.SAME), key=lambda one: order.index(one.change)
            )
        )

    @property
    def same(self) -> tuple[Line, ...]:
        """What stays as it is."""
        return tuple(line for line in self.lines if line.change is Change.SAME)

    @property
    def unmapped(self) -> tuple[Line, ...]:
        """What the matrix does not know."""
        return tuple(line for line in self.lines if line.change is Change.UNMAPPED)

    @property
    def open_options(self) -> tuple[Option, ...]:
        """The choices that wait for the customer."""
        return tuple(option for option in self.options if option.is_needed and option.made is None)

    @property
    def new_total(self) -> Money | None:
        """What a month will cost; None while it cannot be said."""
        if self.promise is None:
            return None
        return Money(self.promise.price + sum(one.price for one in self.promise.addons), self.promise.currency)

    @property
    def difference(self) -> Money | None:
        """What a month costs more (or less) than before; None while it cannot be said."""
        return self.new_total - self.old_total if self.new_total and self.old_total else None


def build(
    *, matrix: Matrix, legacy: Subscription | None, use: Use | None, decided: Mapping[str, Decided], on: date
) -> Preview:
    """Lay the matrix over what legacy holds, with the choices that were made."""
    if legacy is None:
        return Preview(
            (Line("Contract", "Contract", "Legacy holds no contract of yours", "–", Change.UNMAPPED),), (), ()
        )
    return _Builder(matrix, legacy, use or Use(), decided, on).preview()


class _Builder:
    def __init__(
        self, matrix: Matrix, legacy: Subscription, use: Use, decided: Mapping[str, Decided], on: date
    ) -> None:
        self.matrix, self.legacy, self.use, self.decided, self.on = matrix, legacy, use, decided, on
        self.options: list[Option] = []
        self.addons: list[AddOn] = []
        self.terms: list[Term] = []
        self.limits: dict[str, int | None] = {}
        self.undecided: set[str] = set()
        self.price: int | None = None

    def preview(self) -> Preview:
        rule = self.matrix.plans.get(self.legacy.plan)
        lines = (*self._terms(), *self._plan(rule), *self._limits(rule), *self._addons(), *self._roles())
        return Preview(
            lines,
            tuple(self.options),
            tuple(self._usage(resource) for resource in self.matrix.resources.values()) if rule else (),
            old_total=self._money(self.legacy.price + sum(addon.price for addon in self.legacy.addons)),
            draft=self._draft(rule),
            undecided=frozenset(self.undecided),
        )

    def _draft(self, rule: PlanRule | None) -> Subscription | None:
        if rule is None or self.price is None:
            return None
        return Subscription(
            plan=rule.to,
            plan_name=rule.name,
            price=self.price,
            currency=self.matrix.currency,
            limits=self.limits,
            addons=_together(self.addons),
            terms=tuple(sorted(self._longest_terms(), key=lambda one: one.code)),
        )

    def _longest_terms(self) -> Iterator[Term]:
        """Yield each term once: where two become one, it holds as long as the longer."""
        for code in {term.code for term in self.terms}:
            ends = [term.until for term in self.terms if term.code == code]
            yield Term(code, None if None in ends else max(end for end in ends if end))

    def _plan(self, rule: PlanRule | None) -> Iterator[Line]:
        old, old_price = self.legacy.plan_name, self._money(self.legacy.price)
        if self.legacy.currency != self.matrix.currency:
            words = f"The contract is in {self.legacy.currency}, the new price list in {self.matrix.currency}."
            yield Line("Plan", "Plan", old, "–", Change.UNMAPPED, words, old_price)
            return
        if rule is None:
            yield Line("Plan", "Plan", old, "–", Change.UNMAPPED, f"Legacy calls it {self.legacy.plan}.", old_price)
            return
        is_kept = rule.keeps_price or any(term.until is None or term.until >= self.on for term in self.legacy.terms)
        self.price = self.legacy.price if is_kept else rule.list_price
        change = Change.SAME if (old, self.price) == (rule.name, self.legacy.price) else Change.CHANGED
        new_price = Money(self.price, self.matrix.currency)
        if self.price > self.legacy.price:
            basis = f"{rule.to} at {new_price} a month instead of {old_price}"
            offer = f"{rule.name} costs {new_price} a month; today you pay {old_price}."
            if self._choose("price", "A new price of your plan", basis, offer, (Choice.ACCEPT,)) is None:
                change, self.price = Change.OPEN, None
        yield Line("Plan", "Plan", old, rule.name, change, rule.because, old_price, new_price)

    def _limits(self, rule: PlanRule | None) -> Iterator[Line]:
        if rule is None:
            return
        read = {limit.source for limit in rule.limits.values()}
        for name, most in self.legacy.limits.items():
            if name not in read:
                title = name.replace("_", " ").capitalize()
                yield Line("Limit", title, _number(most), "–", Change.UNMAPPED, "The new plan says nothing of it.")
        for code, limit in rule.limits.items():
            yield self._limit(self.matrix.resources[code].title, code, limit)

    def _limit(self, title: str, code: str, limit: LimitRule) -> Line:
        if limit.source and limit.source not in self.legacy.limits:
            return Line("Limit", title, "Not told by legacy", "–", Change.UNMAPPED, limit.because)
        old = self.legacy.limits[limit.source] if limit.source else None
        new = self.limits[code] = limit.apply(self.legacy.limits)
        return Line(
            "Limit", title, _number(old), _number(new), Change.SAME if old == new else Change.CHANGED, limit.because
        )

    def _addons(self) -> Iterator[Line]:
        for addon in self.legacy.addons:
            yield self._addon(addon, self.matrix.addons.get(addon.code))

    def _addon(self, addon: AddOn, rule: AddOnRule | None) -> Line:
        price, old = self._money(addon.price), f"{addon.name}, {addon.quantity:,}"
        made = None
        if rule is None or rule.retired:
            made = self._ask(addon, rule)
            if made is None:
                self.undecided |= {rule.to} if rule else set()
                because = rule.retired if rule else f"Nobody has said yet what becomes of {addon.code}."
                change = Change.OPEN if rule else Change.UNMAPPED
                return Line("Add-on", addon.name, old, "–", change, because, price)
        if rule is None or made is Choice.GIVE_UP:
            return Line("Add-on", addon.name, old, "Given up", Change.ENDED, "", price, Money(0, price.currency))
        quantity = rule.quantity(addon.quantity)
        cost = addon.price if rule.each is None else rule.each * quantity
        self.addons.append(AddOn(rule.to, rule.name, quantity, cost))
        is_same = (addon.name, addon.quantity, addon.price) == (rule.name, quantity, cost)
        change = Change.SAME if is_same else Change.CHANGED
        new = f"{rule.name}, {quantity:,}"
        because = rule.because or rule.retired
        return Line("Add-on", addon.name, old, new, change, because, price, Money(cost, self.matrix.currency))

    def _ask(self, addon: AddOn, rule: AddOnRule | None) -> Choice | None:
        """Return what the customer chose about an add-on that cannot move as it is, or None and let them choose."""
        basis, offer = f"{addon.code} ends", f"You can give {addon.name} up."
        choices: tuple[Choice, ...] = (Choice.GIVE_UP,)
        if rule and rule.to:
            cost = Money((rule.each or 0) * rule.quantity(addon.quantity), self.matrix.currency)
            basis = f"{rule.to}, {rule.quantity(addon.quantity)}, at {cost} a month instead of {addon.code}"
            offer = f"{rule.name} takes its place for {cost} a month; today you pay {self._money(addon.price)}."
            choices = (Choice.ACCEPT, Choice.GIVE_UP)
        return self._choose(f"addon:{addon.code}", addon.name, basis, offer, choices, is_needed=rule is not None)

    def _choose(
        self,
        subject: str,
        title: str,
        basis: str,
        offer: str,
        choices: tuple[Choice, ...],
        *,
        is_needed: bool = True,
    ) -> Choice | None:
        decided = self.decided.get(subject)
        made = decided.choice if decided and decided.basis == basis and decided.choice in choices else None
        self.options.append(Option(subject, title, basis, offer, choices, made, is_needed))
        return made

    def _terms(self) -> Iterator[Line]:
        for term in self.legacy.terms:
            until = f"until {_day(term.until)}" if term.until else "without an end"
            rule = self.matrix.terms.get(term.code)
            if rule is None:
                yield Line(
                    "Earlier term", term.code, until, "–", Change.UNMAPPED, "Nobody has said what becomes of it."
                )
                continue
            self.terms.append(Term(rule.to, term.until))
            yield Line("Earlier term", rule.name, until, until, Change.SAME, self._afterwards(term))

    def _afterwards(self, term: Term) -> str:
        plan = self.matrix.plans.get(self.legacy.plan)
        if term.until is None or plan is None:
            return ""
        return f"Afterwards {plan.name} costs {Money(plan.list_price, self.matrix.currency)} a month."

    def _roles(self) -> Iterator[Line]:
        for code, people in self.use.roles.items():
            rule, count = self.matrix.roles.get(code), f"{people:,} {'person' if people == 1 else 'people'}"
            if rule is None:
                yield Line(ROLE, code, f"{code}, {count}", "–", Change.UNMAPPED, "No role of the new platform.")
            else:
                change = Change.SAME if rule.was == rule.name else Change.CHANGED
                yield Line(ROLE, rule.was, f"{rule.was}, {count}", f"{rule.name}, {count}", change, rule.because)

    def _usage(self, resource: Resource) -> Usage:
        used = self.use.resources.get(resource.used) if resource.used else None
        over = resource.over if resource.used else ""
        return Usage(resource.title, used, self.limits.get(resource.code), over)

    def _money(self, minor: int) -> Money:
        return Money(minor, self.legacy.currency)


def _together(addons: list[AddOn]) -> tuple[AddOn, ...]:
    """Return each add-on once, by code; where two become one, their quantities and prices add up."""
    found: dict[str, AddOn] = {}
    for one in sorted(addons, key=lambda each: each.code):
        first = found.get(one.code)
        found[one.code] = one if first is None else AddOn(
            one.code, first.name, first.quantity + one.quantity, first.price + one.price
        )  # fmt: skip
    return tuple(found.values())


def _number(most: int | None) -> str:
    return UNLIMITED if most is None else f"{most:,}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
