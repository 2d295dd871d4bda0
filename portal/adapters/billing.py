"""The subscriptions of the new platform in PostgreSQL: read, and set up in one transaction."""

from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from core.ports import Rejected
from core.subscriptions import Access, AddOn, Provision, Subscription, Term
from portal.adapters.postgres import connected

PLAN: LiteralString = """
    SELECT s.plan_code, p.name, s.monthly_price, s.currency
      FROM {schema}.subscription s JOIN {schema}.plan p ON p.code = s.plan_code WHERE s.account_id = %s
"""
LIMITS: LiteralString = "SELECT resource, most FROM {schema}.subscription_limit WHERE account_id = %s ORDER BY resource"
ADDONS: LiteralString = """
    SELECT s.addon_code, a.name, s.quantity, s.monthly_price
      FROM {schema}.subscription_addon s JOIN {schema}.addon a ON a.code = s.addon_code
     WHERE s.account_id = %s ORDER BY s.addon_code
"""
TERMS: LiteralString = "SELECT code, until FROM {schema}.subscription_term WHERE account_id = %s ORDER BY code"

FEATURES: LiteralString = """
    SELECT f.feature FROM {schema}.subscription s JOIN {schema}.plan_feature f ON f.plan_code = s.plan_code
     WHERE s.account_id = %s
"""
POLICIES: LiteralString = "SELECT policy, is_allowed FROM {schema}.policy WHERE account_id = %s"


class PostgresBilling:
    """Reads and writes `subscription` and its parts in one schema of the new platform; only reads what is sold."""

    def __init__(self, *, url: str, schema: str = "platform", statement_timeout: int = 30) -> None:
        self.url, self.schema, self.statement_timeout = url, schema, statement_timeout

    def subscription(self, *, account_id: UUID) -> Subscription | None:
        """Return the account's subscription; see `core.ports.Billing`."""
        with (
            connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection,
            connection.transaction(),
        ):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            plan = connection.execute(self._sql(PLAN), [account_id]).fetchone()
            if plan is None:
                return None
            code, name, price, currency = plan
            return Subscription(
                plan=code,
                plan_name=name,
                price=price,
                currency=currency,
                limits=dict(connection.execute(self._sql(LIMITS), [account_id]).fetchall()),
                addons=tuple(AddOn(*row) for row in connection.execute(self._sql(ADDONS), [account_id]).fetchall()),
                terms=tuple(Term(*row) for row in connection.execute(self._sql(TERMS), [account_id]).fetchall()),
            )

    def access(self, *, account_id: UUID) -> Access | None:
        """Return what the account may use; see `core.ports.Billing`."""
        with connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection:
            if not connection.execute(self._sql(PLAN), [account_id]).fetchone():
                return None
            features = connection.execute(self._sql(FEATURES), [account_id]).fetchall()
            return Access(
                features=frozenset(str(feature) for (feature,) in features),
                policies=dict(connection.execute(self._sql(POLICIES), [account_id]).fetchall()),
            )

    def provision(self, order: Provision) -> None:
        """Give the account exactly this subscription; see `core.ports.Billing`."""
        with connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection:
            try:
                with connection.transaction():
                    self._replace(connection, order)
            except (psycopg.errors.ForeignKeyViolation, psycopg.errors.CheckViolation) as error:
                raise Rejected("The new platform does not sell a part of this subscription.") from error

    def _replace(self, connection: psycopg.Connection, order: Provision) -> None:
        wanted, account = order.subscription, order.account_id
        connection.execute(
            self._sql("INSERT INTO {schema}.account (id, name, legacy_ref) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"),
            [account, order.account_name, order.tenant_ref],
        )
        connection.execute(
            self._sql(
                "INSERT INTO {schema}.subscription (account_id, plan_code, currency, monthly_price)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT (account_id) DO UPDATE"
                " SET plan_code = excluded.plan_code, currency = excluded.currency,"
                " monthly_price = excluded.monthly_price"
            ),
            [account, wanted.plan, wanted.currency, wanted.price],
        )
        parts: dict[str, list[tuple[object, ...]]] = {
            "subscription_limit": [(account, resource, most) for resource, most in wanted.limits.items()],
            "subscription_addon": [(account, one.code, one.quantity, one.price) for one in wanted.addons],
            "subscription_term": [(account, term.code, term.until) for term in wanted.terms],
        }
        for table, rows in parts.items():
            connection.execute(self._sql("DELETE FROM {schema}.{table} WHERE account_id = %s", table=table), [account])
            for row in rows:
                values = sql.SQL(", ").join(sql.Placeholder() * len(row))
                connection.execute(
                    self._sql("INSERT INTO {schema}.{table} VALUES ({values})", table=table, values=values), row
                )

    def _sql(self, statement: LiteralString, *, table: str = "", values: sql.Composable | None = None) -> sql.Composed:
        return sql.SQL(statement).format(
            schema=sql.Identifier(self.schema), table=sql.Identifier(table), values=values or sql.SQL("")
        )


__all__ = ["PostgresBilling"]
