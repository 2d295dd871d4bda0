"""The contracts of the legacy platform in PostgreSQL, read through the role that may only read."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import LiteralString

from core.ports import Rejected
from core.subscriptions import AddOn, Subscription, Term, Use
from portal.adapters.postgres import connected

PLAN: LiteralString = """
    SELECT plan_cd, plan_nm, price_cents, seat_lim, flt_lim, gf_flg, gf_until FROM plan_mast WHERE carr_cd = %s
"""
ADDONS: LiteralString = """
    SELECT addon_cd, addon_nm, qty, price_cents FROM plan_addon WHERE carr_cd = %s ORDER BY addon_cd
"""
ROLES: LiteralString = """
    SELECT role_cd, count(*) FROM usr_mast WHERE carr_cd = %s AND act_flg = 'Y' GROUP BY role_cd ORDER BY role_cd
"""
PEOPLE: LiteralString = """
    SELECT DISTINCT ON (lower(login)) lower(login), role_cd FROM usr_mast
     WHERE carr_cd = %s AND act_flg = 'Y' AND lower(login) = ANY (%s) ORDER BY lower(login), usr_id
"""
BUSIEST_YEAR: LiteralString = """
    SELECT coalesce(max(flown), 0)
      FROM (SELECT count(*) AS flown FROM flt_hist WHERE carr_cd = %s GROUP BY left(flt_dt, 4)) AS years
"""
KEPT_PRICE = "kept-price"
"""The term behind legacy's one flag for customers whose price is older than the price list."""


class PostgresContracts:
    """Reads plan, add-ons and use of one customer at a time; legacy states no currency, so the installation does."""

    def __init__(self, *, url: str, currency: str, statement_timeout: int = 30) -> None:
        self.url, self.currency, self.statement_timeout = url, currency, statement_timeout

    def subscription(self, *, tenant_ref: str) -> Subscription | None:
        """Return what the customer has bought; see `core.ports.LegacyContracts`."""
        with connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection:
            plan = connection.execute(PLAN, [tenant_ref]).fetchone()
            addons = connection.execute(ADDONS, [tenant_ref]).fetchall()
        if plan is None:
            return None
        code, name, price, seats, flights, is_kept, until = plan
        return Subscription(
            plan=code,
            plan_name=name,
            price=_minor(price),
            currency=self.currency,
            limits={"seats": seats, "flights_per_year": flights},
            addons=tuple(AddOn(code, name, quantity, _minor(price)) for code, name, quantity, price in addons),
            terms=(Term(KEPT_PRICE, _day(until)),) if is_kept == "Y" else (),
        )

    def use(self, *, tenant_ref: str) -> Use:
        """Count what the customer uses; see `core.ports.LegacyContracts`."""
        with connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection:
            roles = dict(connection.execute(ROLES, [tenant_ref]).fetchall())
            flown = connection.execute(BUSIEST_YEAR, [tenant_ref]).fetchone()
        return Use(
            resources={"seats": sum(roles.values()), "flights_per_year": int(flown[0]) if flown else 0}, roles=roles
        )

    def roles(self, *, tenant_ref: str, logins: Collection[str]) -> Mapping[str, str]:
        """Return the role of each login; see `core.ports.LegacyContracts`."""
        with connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection:
            return dict(connection.execute(PEOPLE, [tenant_ref, list(logins)]).fetchall())


def _minor(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Rejected("A price in the legacy platform is not a number of cents.")
    return int(text)


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as error:
        raise Rejected("A term in the legacy platform ends on no date.") from error


__all__ = ["KEPT_PRICE", "PostgresContracts"]
