"""Row-level security as migration operations: every table says whose it is in the migration that creates it.

A tenant table shows the unprivileged role one tenant's rows, the staff role all of them under a signed staff
context, and the owner none. A global table holds no tenant's secrets and says why it is global. A test reads
the catalogue of the database and fails on a table that is neither.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, override

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

APP, STAFF, LOOKUP, AUDIT = (
    "crossing_app",
    "crossing_staff",
    "crossing_lookup",
    "crossing_audit",
)
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"

OF_ONE_TENANT = "{column} = (SELECT crossing.ctx_tenant())"
OF_STAFF = "(SELECT crossing.ctx_staff())"
"""Sub-selects, so that a query verifies the signature once and not once per row."""


class _Sql(Operation):
    """An operation that is nothing but SQL."""

    reversible = True
    reduces_to_sql = True

    @override
    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change no model."""

    @override
    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Run the statements."""
        for statement in self.forwards():
            schema_editor.execute(statement, params=None)

    @override
    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Run the statements that undo it."""
        for statement in self.backwards():
            schema_editor.execute(statement, params=None)

    def forwards(self) -> Iterable[str]:
        """Return the statements."""
        raise NotImplementedError

    def backwards(self) -> Iterable[str]:
        """Return the statements that undo it; nothing where the table goes with its own migration."""
        return ()

    def describe(self) -> str:
        """Say what happens, for `migrate --plan`."""
        return f"{type(self).__name__} {self.name}"

    name: str


class TenantTable(_Sql):
    """Declare a table whose rows belong to one tenant each.

    `column` holds the tenant's id (`id` for the table of tenants itself). `references` names the foreign keys
    to other tenant tables, `{"member_id": "accounts_member"}`: each is doubled by a composite key, so that no
    row can point into another tenant. `grants` are the app role's privileges, `staff_grants` the staff role's.
    """

    def __init__(
        self,
        table: str,
        *,
        column: str = "tenant_id",
        references: Mapping[str, str] | None = None,
        grants: str = EVERYTHING,
        staff_grants: str | None = None,
    ) -> None:
        self.name = self.table = table
        self.column = column
        self.references = dict(references or {})
        self.grants = grants
        self.staff_grants = grants if staff_grants is None else staff_grants

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to build the operation again."""
        return (
            type(self).__name__,
            [self.table],
            {"column": self.column, "references": self.references},
        )

    def forwards(self) -> Iterable[str]:
        """Yield unique key, policies, grants and composite foreign keys."""
        if self.column != "id":
            key = constraint_name(self.table, "tenant", "key")
            yield f'ALTER TABLE "{self.table}" ADD CONSTRAINT "{key}" UNIQUE ("{self.column}", "id")'
        yield from policies(self.table, OF_ONE_TENANT.format(column=f'"{self.column}"'))
        yield from grant(self.table, app=self.grants, staff=self.staff_grants)
        for column, target in self.references.items():
            yield composite_key(self.table, column, target, tenant_column=self.column)


class TenantReference(_Sql):
    """Double one foreign key between tenant tables by a composite key (for a column added later)."""

    def __init__(self, table: str, column: str, target: str) -> None:
        self.name, self.table, self.column, self.target = (
            f"{table}.{column}",
            table,
            column,
            target,
        )

    def forwards(self) -> Iterable[str]:
        """Yield the constraint."""
        yield composite_key(self.table, self.column, self.target)

    def backwards(self) -> Iterable[str]:
        """Drop the constraint."""
        name = constraint_name(self.table, self.column, "tenant_fk")
        yield f'ALTER TABLE "{self.table}" DROP CONSTRAINT "{name}"'


class GlobalTable(_Sql):
    """Declare a table that belongs to no tenant, and why; row-level security does not apply to it."""

    def __init__(
        self,
        table: str,
        *,
        reason: str,
        grants: str = EVERYTHING,
        staff_grants: str | None = None,
    ) -> None:
        self.name = self.table = table
        self.reason = reason
        self.grants = grants
        self.staff_grants = grants if staff_grants is None else staff_grants

    def forwards(self) -> Iterable[str]:
        """Yield the grants, and the reason as the table's comment, where the catalogue test reads it."""
        yield comment(self.table, self.reason)
        yield from grant(self.table, app=self.grants, staff=self.staff_grants)


class AppendOnlyTable(_Sql):
    """Declare a tenant table that only grows: not even its owner's privileges change or remove a row.

    `insert` are the only columns a statement may give; the function `append` of the schema crossing derives the
    others. The table passes to the audit role, which nobody can sign in as, so that no role that serves can
    disable the triggers. Not reversible, like what it protects.
    """

    reversible = False

    def __init__(self, table: str, *, column: str, insert: Sequence[str], append: str) -> None:
        self.name = self.table = table
        self.column, self.insert, self.append = column, tuple(insert), append

    def forwards(self) -> Iterable[str]:
        """Yield policies, grants, the new owner, and the triggers that it alone could take away."""
        listed = ", ".join(f'"{column}"' for column in self.insert)
        rights = f"SELECT, INSERT ({listed})"
        yield from policies(self.table, OF_ONE_TENANT.format(column=f'"{self.column}"'))
        yield f'CREATE POLICY audit ON "{self.table}" FOR SELECT TO {AUDIT} USING (true)'
        yield from grant(self.table, app=rights, staff=rights)
        yield from give_to_audit(self.table)
        yield f"SET LOCAL ROLE {AUDIT}"
        for name, event in (
            (
                "append",
                f'BEFORE INSERT ON "{self.table}" FOR EACH ROW EXECUTE FUNCTION crossing.{self.append}()',
            ),
            ("refuse_change", self._refusal("UPDATE OR DELETE", "ROW")),
            ("refuse_truncate", self._refusal("TRUNCATE", "STATEMENT")),
        ):
            yield f"CREATE TRIGGER {name} {event}"
            yield f'ALTER TABLE "{self.table}" ENABLE ALWAYS TRIGGER {name}'
        yield "RESET ROLE"

    def _refusal(self, event: str, level: str) -> str:
        return f'BEFORE {event} ON "{self.table}" FOR EACH {level} EXECUTE FUNCTION crossing.refuse_change()'


class LookupFunction(_Sql):
    """Create `crossing.<name>`: a narrow look-up that answers before the tenant is known.

    It runs as `crossing_lookup`, which may read exactly the columns in `reads` (`{table: columns}`), of every
    tenant, and which nobody can sign in as. `body` is one SELECT; it names its arguments `$1` or by name and
    its tables with their schema (`public.accounts_member`).
    """

    def __init__(
        self,
        name: str,
        *,
        arguments: str,
        returns: str,
        body: str,
        reads: Mapping[str, Sequence[str]],
    ) -> None:
        self.name, self.arguments, self.returns, self.body = (
            name,
            arguments,
            returns,
            body.strip().rstrip(";"),
        )
        self.reads = {table: tuple(columns) for table, columns in reads.items()}

    def forwards(self) -> Iterable[str]:
        """Yield the look-up role's rights and the function."""
        for table, columns in self.reads.items():
            listed = ", ".join(f'"{column}"' for column in columns)
            yield f'GRANT SELECT ({listed}) ON "{table}" TO {LOOKUP}'
            yield f'DROP POLICY IF EXISTS lookup ON "{table}"'
            yield f'CREATE POLICY lookup ON "{table}" FOR SELECT TO {LOOKUP} USING (true)'
        yield f"GRANT CREATE ON SCHEMA crossing TO {LOOKUP}"
        yield f"SET LOCAL ROLE {LOOKUP}"
        yield (
            f"CREATE OR REPLACE FUNCTION crossing.{self.name}({self.arguments}) RETURNS {self.returns} LANGUAGE sql "
            f"STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $lookup$ "
            f"{self.body} $lookup$"
        )
        yield f"REVOKE ALL ON FUNCTION crossing.{self.name} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION crossing.{self.name} TO {APP}, {STAFF}"
        yield "RESET ROLE"
        yield f"REVOKE CREATE ON SCHEMA crossing FROM {LOOKUP}"

    def backwards(self) -> Iterable[str]:
        """Drop the function; the rights go with the tables."""
        yield f"SET LOCAL ROLE {LOOKUP}"
        yield f"DROP FUNCTION crossing.{self.name}"
        yield "RESET ROLE"


def policies(table: str, condition: str) -> Iterable[str]:
    """Yield enforced row-level security: one policy per role (an OR in one policy forces sequential scans)."""
    yield f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'
    yield f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'
    yield f'CREATE POLICY tenant ON "{table}" TO {APP} USING ({condition}) WITH CHECK ({condition})'
    yield f'CREATE POLICY staff ON "{table}" TO {STAFF} USING ({OF_STAFF}) WITH CHECK ({OF_STAFF})'


def grant(table: str, *, app: str, staff: str) -> Iterable[str]:
    """Yield the grants of the app role and the staff role; an empty text grants nothing."""
    if app:
        yield f'GRANT {app} ON "{table}" TO {APP}'
    if staff:
        yield f'GRANT {staff} ON "{table}" TO {STAFF}'


def give_to_audit(table: str) -> Iterable[str]:
    """Yield the change of a table's owner to the audit role."""
    yield f"GRANT CREATE ON SCHEMA public TO {AUDIT}"
    yield f'ALTER TABLE "{table}" OWNER TO {AUDIT}'
    yield f"REVOKE CREATE ON SCHEMA public FROM {AUDIT}"


def comment(table: str, reason: str) -> str:
    """Return the statement that writes down why a table is global."""
    quoted = reason.replace("'", "''")
    return f"COMMENT ON TABLE \"{table}\" IS 'global: {quoted}'"


def composite_key(table: str, column: str, target: str, *, tenant_column: str = "tenant_id") -> str:
    """Return the composite foreign key that keeps a reference inside its tenant (a null one points nowhere)."""
    name = constraint_name(table, column, "tenant_fk")
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY ("{tenant_column}", "{column}") '
        f'REFERENCES "{target}" ("tenant_id", "id") DEFERRABLE INITIALLY DEFERRED'
    )


def constraint_name(table: str, column: str, suffix: str) -> str:
    """Return a name within PostgreSQL's 63 bytes, unique by a digest when it must be shortened."""
    name = f"{table}_{column}_{suffix}"
    if len(name) <= 63:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: 53 - len(suffix)]}_{digest}_{suffix}"


THIRD_PARTY_TABLES: dict[str, str] = {
    "django_migrations": "Which migrations ran: the schema's, not a tenant's.",
    "django_content_type": "Django's list of models.",
    "django_session": "Found by the session key before anybody is signed in.",
    "django_admin_log": "What staff did in the admin, across tenants.",
    "auth_permission": "Django's list of permissions; Crossing's own are code.",
    "auth_group": "Django's groups, unused by customers.",
    "auth_group_permissions": "Django's groups, unused by customers.",
    "accounts_user_groups": "Django's groups of a user, unused by customers.",
    "accounts_user_user_permissions": "Django's permissions of a user, unused by customers.",
    "account_emailaddress": "A person's address belongs to the person, who may be in several tenants.",
    "account_emailconfirmation": "Confirms a person's address.",
    "mfa_authenticator": "A person's second factors belong to the person.",
    "usersessions_usersession": "A person's sessions belong to the person.",
    "socialaccount_socialapp": "Identity providers are found before anybody is signed in.",
    "socialaccount_socialaccount": "A person's account at an identity provider belongs to the person.",
    "socialaccount_socialtoken": "Belongs to a person's account at an identity provider.",
}
"""Tables that packages bring, and why they are global; `grant_third_party` grants them after `migrate`."""

READ_ONLY = frozenset({"django_migrations"})
