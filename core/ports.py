"""The outside systems Crossing talks to, one Protocol each; implementations live in `portal/adapters/`.

An adapter is chosen by `settings.ADAPTERS` (`{"dns": {"BACKEND": "dotted.path", "OPTIONS": {…}}}`), in the
manner of Django's CACHES. Every adapter refuses to be called inside a transaction
(`tenancy.forbid_transaction()`), and raises only the two errors below.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from core.comparison import Checksums, Difference, Findings, Measures, Plan, Segment, Survey
from core.dns import DnsAnswer
from core.inspecting import Inspected
from core.inventory import Integration
from core.letters import Letter
from core.moving import LoadOrder, Origin, RunPosition, SourceKeys, SourceRows, Trace
from core.outbound import Reply
from core.saml import ProviderMetadata, SamlResponse, ServiceProvider, SigningCertificate, SignInRequest
from core.subscriptions import Access, Provision, Subscription, Use


class Unavailable(Exception):
    """The other system did not answer, or not in time: try again later. The text is safe to show."""


class Rejected(Exception):
    """The other system refused: trying again will not help. The text is safe to show."""


@cache
def adapter(name: str) -> Any:
    """Return the configured adapter of a port; built once per process."""
    config = settings.ADAPTERS[name]
    return import_string(config["BACKEND"])(**config.get("OPTIONS", {}))


def _forget(*, setting: str, **_: object) -> None:
    if setting == "ADAPTERS":
        adapter.cache_clear()


setting_changed.connect(_forget)


class Dns(Protocol):
    """The public domain name system."""

    def txt(self, name: str) -> DnsAnswer:
        """Ask for the TXT records of a name, following at most `MAX_CNAME_HOPS` aliases; never raises for an outage."""
        ...


class Outbound(Protocol):
    """Whatever stands at an address that a customer gave; nothing else may write to one.

    Raises Rejected, in words for the customer, where the address is not on the public internet or the answer passes
    the size cap; Unavailable where nobody answers in time.
    """

    def check(self, url: str) -> str:
        """Return an address written in one way, or raise Rejected for one that is never written to; asks nobody."""
        ...

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Reply:
        """Fetch from an address, through at most three redirects that are each judged anew."""
        ...

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Send to an address once; a redirect is an answer, not followed."""
        ...


class Inventory(Protocol):
    """What is connected to the legacy platform; Crossing only reads it, and never a secret."""

    def integrations(self, *, tenant_ref: str) -> tuple[Integration, ...]:
        """Return all that is connected for a tenant, by kind and key; switched-off ones too."""
        ...


class LegacyPlatform(Protocol):
    """The platform that customers leave; Crossing only reads it."""

    def count(self, *, spec: Any, tenant_ref: str) -> int:
        """Count a tenant's objects of an entity. `spec` is a `backfills.domain.spec.Spec` (the floor knows no app)."""

    def keys(self, *, spec: Any, tenant_ref: str) -> SourceKeys:
        """Tell which objects there are by one reading of all their keys, as text."""

    def divide(self, *, spec: Any, tenant_ref: str, parts: int) -> tuple[str, ...]:
        """Return the keys that divide the rows into at most so many ranges of about one size; each ends its range."""

    def read(
        self,
        *,
        spec: Any,
        tenant_ref: str,
        after: str | None,
        limit: int,
        until: str | None = None,
        since: datetime | None = None,
        also: Sequence[str] = (),
    ) -> SourceRows:
        """Read the next rows in key order (bytewise): after a key, until a key (it included), at most `limit`.

        With `since`, of these only what changed since then or does not tell when, and the rows with the keys `also`.
        """

    def now(self) -> datetime:
        """Tell the time by the platform's own clock."""

    def held(self, *, spec: Any, tenant_ref: str, since: datetime) -> Iterator[bytes]:
        """Read all keys, as text in COPY's format, each with whether its row changed since (t or f); in pieces."""

    def read_keys(self, *, spec: Any, tenant_ref: str, keys: Sequence[str]) -> SourceRows:
        """Read the rows with these keys that (still) exist, in key order."""


class DataMover(Protocol):
    """The loading side of the new platform.

    A run's stage, outcomes, dead letters and checkpoint live there too, so that a batch is one transaction: after
    a kill at any instruction the run goes on from its last whole batch and ends with the same rows and totals.
    """

    def open_run(self, *, order: LoadOrder, source_total: int, borders: Sequence[str] = ()) -> RunPosition:
        """Give the run its place and load the spec's supplements; a run that has one keeps it.

        `borders` divide its keys into ranges that may move side by side. Where the account has rows of the entity
        already, or rows merge, it is one range all the same: what a row becomes then depends on those before it.
        """

    def load(
        self, *, order: LoadOrder, read: Callable[[str | None, str | None], SourceRows], after_batch: int = 0
    ) -> RunPosition:
        """Move one batch of a range that nobody else is at, all or nothing, checkpoint included.

        `read(after, until)` reads it; fewer rows than the spec's batch end the range. Where others are at all that is
        left, this waits for one of them. Answers with every batch after `after_batch`.
        """

    def retry(self, *, order: LoadOrder, keys: Sequence[str], rows: SourceRows) -> RunPosition:
        """Judge rejected rows again; a key among `keys` without row is gone from legacy."""

    def finish(
        self, *, order: LoadOrder, source: SourceKeys, held: Callable[[], Iterator[bytes]] | None = None
    ) -> RunPosition:
        """Remove what legacy no longer has, and close the run if just the rows of `source` are accounted for.

        Raises Rejected, with the figures, when source and outcomes differ in number (the database refuses such a
        success too) or, as many as they are, in their keys.

        A catch-up has not met every row: where other rows than those of `source` are accounted for, `held()` is read,
        `LegacyPlatform.held` as it is now. Rows that are new there and not met are the next catch-up's if they changed
        so late that it reads them; else Rejected is raised, as it is where an object is left without the row of legacy
        that it was made of. The position tells the rows that are accounted for as `source_total`.
        """

    def position(self, *, order: LoadOrder, after_batch: int = 0) -> RunPosition:
        """Tell how far the run is, with its batches (and their dead letters) after a number."""

    def trace(self, *, account_id: UUID, entity: str, system: str, key: str) -> Trace | None:
        """Tell where one row ended, by its key in legacy or by its object's key here; None: no run has met it."""

    def origins(
        self, *, account_id: UUID, spec: Any, keys: Sequence[str], read: Callable[[Sequence[str]], SourceRows]
    ) -> Mapping[str, Origin]:
        """Tell where objects came from, by their keys here; `read` reads rows as they now are. Unmoved: absent."""

    def ended(
        self, *, account_id: UUID, entity: str, system: str, fate: str, rule: str, skip: int, limit: int
    ) -> tuple[str, ...]:
        """Return keys in legacy of rows that ended so, in the order of their bytes, after skipping some.

        Meant for a person who looks: it gives up after seconds, with Unavailable.
        """

    def staged(self, *, account_id: UUID) -> Mapping[str, int]:
        """Count an account's rows in each table of Crossing's own place there; provenance is none of them."""

    def forget(self, *, account_id: UUID) -> Mapping[str, int]:
        """Delete those rows, all or nothing, and return what a fresh count finds afterwards. Safe to repeat.

        The account's data and where they came from stay; a later run begins anew.
        """


class InspectionSession(Protocol):
    """One pass over a tenant's rows, an entity after those it refers to; look-ups find what the pass has judged."""

    def judge(self, *, spec: Any, rows: SourceRows) -> None:
        """Judge an entity's next rows, in key order; no row, whatever it holds, makes this fail.

        Raises Rejected where two of them have one key: such rows cannot be told apart, and no run could move them.
        """
        ...

    def finish(self, *, spec: Any) -> Inspected:
        """Tell what became of all rows of an entity."""
        ...


class Inspector(Protocol):
    """Judges rows by the mapping as a run would, and changes nothing that outlives the session."""

    def session(self, *, specs: Mapping[str, Any], account_id: UUID) -> AbstractContextManager[InspectionSession]:
        """Begin a pass with the mapping's specs; what would be written is told against the account's objects."""
        ...


def dns() -> Dns:
    """Return the configured way to ask DNS."""
    found: Dns = adapter("dns")
    return found


class Comparison(Protocol):
    """An engine that compares the legacy platform's raw rows, mapped as promised, with the new platform's."""

    def divide(self, plan: Plan, *, size: int) -> tuple[Segment, ...]:
        """Divide an entity into segments of about `size` records; at least one."""
        ...

    def compare(self, plan: Plan, *, segment: Segment, report: Callable[[Difference], None]) -> Findings:
        """Compare one segment; each record that differs goes to `report`. Raises rather than answer in part."""
        ...

    def survey(self, plan: Plan) -> Survey:
        """Say how much there is to compare, without reading it."""

    def recheck(self, plan: Plan, *, report: Callable[[Difference], None]) -> Findings:
        """Compare an entity as `compare` does, at least cost; unless `Findings.exact`, equal records by digests."""

    def measure(self, plan: Plan) -> Measures:
        """Count on the platforms' own servers, apart from any comparison."""
        ...


class Checksummer(Protocol):
    """Whoever sums what the new platform holds, so that the customer can check it against an export."""

    def sum(self, plan: Plan, *, code: str, buckets: int) -> Checksums:
        """Return the checksums of an entity from one snapshot; `code` is part of every record that is digested.

        Raises Rejected for a platform or a value that has no canonical encoding.
        """
        ...


class IdentityProvider(Protocol):
    """SAML 2.0 spoken with a customer's identity provider; through the browser, so nothing here waits for anybody."""

    def metadata(self, document: bytes) -> ProviderMetadata:
        """Read a provider's metadata; raises Rejected, saying what to upload instead, for anything unusable."""
        ...

    def request(self, *, sp: ServiceProvider, idp: ProviderMetadata, relay_state: str) -> SignInRequest:
        """Write an AuthnRequest with a fresh random id, as the address to leave by (HTTP-Redirect binding)."""
        ...

    def response(self, encoded: str, *, certificates: Sequence[SigningCertificate]) -> SamlResponse:
        """Read a base64 response and try its signatures against the trusted certificates.

        Never raises for what it is given, and judges nothing: that is for `accounts.domain.assertions`.
        """
        ...

    def redacted(self, encoded: str) -> str:
        """Return the response's XML for people to look at, indented, without what it says of a person."""
        ...

    def describe(self, sp: ServiceProvider) -> str:
        """Return our own metadata, for the provider's administrator."""
        ...


def identity_provider() -> IdentityProvider:
    """Return the configured way to speak SAML."""
    found: IdentityProvider = adapter("identity_provider")
    return found


def comparison() -> Comparison:
    """Return the configured comparison engine."""
    found: Comparison = adapter("comparison")
    return found


def checksummer() -> Checksummer:
    """Return the configured way to sum what the new platform holds."""
    found: Checksummer = adapter("checksummer")
    return found


class LegacyContracts(Protocol):
    """The legacy platform's contracts; Crossing only reads them."""

    def subscription(self, *, tenant_ref: str) -> Subscription | None:
        """Return what the customer has bought; None if legacy knows no contract of theirs."""
        ...

    def use(self, *, tenant_ref: str) -> Use:
        """Count what the customer uses of what is limited, and their active people by role."""
        ...

    def roles(self, *, tenant_ref: str, logins: Collection[str]) -> Mapping[str, str]:
        """Return the role of each of these logins (lower case) that is active there."""
        ...


class Billing(Protocol):
    """The new platform's subscriptions: what will be invoiced."""

    def subscription(self, *, account_id: UUID) -> Subscription | None:
        """Return the account's subscription; None if there is none yet."""
        ...

    def access(self, *, account_id: UUID) -> Access | None:
        """Return what the account's plan includes and what its organisation allows; None without a subscription."""
        ...

    def provision(self, order: Provision) -> None:
        """Give the account exactly this subscription, all or nothing. Safe to repeat.

        Raises Rejected for a plan, add-on or limit that the new platform does not sell; nothing has changed then.
        """
        ...


def legacy_contracts() -> LegacyContracts:
    """Return the configured reader of legacy contracts."""
    found: LegacyContracts = adapter("legacy_contracts")
    return found


def billing() -> Billing:
    """Return the configured billing side of the new platform."""
    found: Billing = adapter("billing")
    return found


def legacy() -> LegacyPlatform:
    """Return the configured legacy platform."""
    found: LegacyPlatform = adapter("legacy")
    return found


def inventory() -> Inventory:
    """Return the configured way to read what is connected to legacy."""
    found: Inventory = adapter("inventory")
    return found


def outbound() -> Outbound:
    """Return the configured sender to addresses that customers gave."""
    found: Outbound = adapter("outbound")
    return found


class Mail(Protocol):
    """The way out for mails."""

    def send(self, letter: Letter) -> None:
        """Hand one mail over.

        Raises Unavailable for what may work later, Rejected for what never will (SMTP 5xx about this recipient or
        mail); neither text holds an address.
        """
        ...


def mail() -> Mail:
    """Return the configured way out for mails."""
    found: Mail = adapter("mail")
    return found


def inspector() -> Inspector:
    """Return the configured way to judge rows without moving them."""
    found: Inspector = adapter("inspector")
    return found


def mover() -> DataMover:
    """Return the configured loading side of the new platform."""
    found: DataMover = adapter("mover")
    return found
