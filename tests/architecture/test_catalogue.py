"""The catalogue of the database, table by table: nothing rests on somebody remembering a policy."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from core import rls
from core.models import Audit

TENANT_UNIQUES_ACROSS_TENANTS = {
    "accounts_tenant_slug_key": "Slugs are public: they stand in addresses.",
    "accounts_tenant_legacy_ref_key": "Written by staff only, who see every tenant.",
    "accounts_domain_one_owner": "A verified domain has one owner; the refusal tells a stranger nothing.",
    "accounts_invitation_token_digest_key": "A digest of a random token: its uniqueness tells nothing.",
    "accounts_domainlink_token_digest_key": "A digest of a random token: its uniqueness tells nothing.",
    "accounts_recoverycode_digest_key": "A digest of a random code: its uniqueness tells nothing.",
    "accounts_ssoconnection_provider_id_key": "Random and ours: nobody chooses one, so a clash tells nothing.",
    "core_token_sha256_key": "A digest of a random token: its uniqueness tells nothing.",
}
"""Unique indexes without the tenant each with the reason why it is no oracle."""

GRANTS = """
    SELECT c.relname AS table_name, coalesce(r.rolname, 'PUBLIC') AS grantee, a.privilege_type
      FROM pg_class c CROSS JOIN aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
      LEFT JOIN pg_roles r ON r.oid = a.grantee
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = 'public'::regnamespace
"""
"""Read from the access lists themselves: information_schema hides what is granted to other roles."""

AUDITED = {"core_ledger_entry", "core_ledger_checkpoint", "core_ledger_head"}


def rows(query: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def tables(db) -> dict[str, dict[str, Any]]:
    found = rows("""
        SELECT relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) AS owner,
               obj_description(oid, 'pg_class') AS comment
          FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    """)
    return {table["relname"]: table for table in found}


@pytest.fixture
def tenant_tables(tables) -> set[str]:
    found = {name for name, table in tables.items() if table["relrowsecurity"]}
    assert {"accounts_tenant", "accounts_member", "core_ledger_entry"} <= found
    return found


def tenant_column(table: str) -> str:
    policy = rows(f"SELECT qual FROM pg_policies WHERE tablename = '{table}' AND policyname = 'tenant'")
    column: str = policy[0]["qual"].split("=")[0].strip("( ")
    return column


def test_every_table_is_a_tenants_or_global_with_a_reason(tables):
    undeclared = {
        name
        for name, table in tables.items()
        if not table["relrowsecurity"] and not (table["comment"] or "").startswith("global: ")
    }
    assert undeclared == set(), "declare these with TenantTable or GlobalTable in their migration"


def test_a_table_with_a_tenant_is_never_global(tables, tenant_tables):
    with_tenant = rows("""
        SELECT DISTINCT table_name FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name = 'tenant_id'
    """)
    assert {row["table_name"] for row in with_tenant} - tenant_tables == set()


def test_listed_packages_tables_give_a_reason():
    assert all(len(reason) > 15 for reason in rls.THIRD_PARTY_TABLES.values())


def test_tenant_tables_force_their_policies(tables, tenant_tables):
    assert [name for name in tenant_tables if not tables[name]["relforcerowsecurity"]] == []


def test_tenant_tables_have_one_policy_per_serving_role(tenant_tables):
    for table in tenant_tables:
        found = {
            (policy["policyname"], tuple(policy["roles"])): policy
            for policy in rows(f"SELECT * FROM pg_policies WHERE tablename = '{table}'")
        }
        tenant = found.pop(("tenant", ("crossing_app",)))
        staff = found.pop(("staff", ("crossing_staff",)))
        assert tenant["cmd"] == staff["cmd"] == "ALL"
        column = tenant_column(table)
        assert tenant["qual"] == tenant["with_check"] == f"({column} = ( SELECT crossing.ctx_tenant() AS ctx_tenant))"
        assert staff["qual"] == staff["with_check"] == "( SELECT crossing.ctx_staff() AS ctx_staff)"
        for (name, roles), policy in found.items():
            is_lookup = (name, roles, policy["cmd"]) == ("lookup", ("crossing_lookup",), "SELECT")
            is_audit = (name, roles) == ("audit", ("crossing_audit",)) and table in AUDITED
            is_programme = table == "core_ledger_entry" and (name, policy["cmd"]) == ("programme", "INSERT")
            is_narrower = (name, policy["permissive"], policy["cmd"]) == ("by_order", "RESTRICTIVE", "DELETE")
            assert is_lookup or is_audit or is_programme or is_narrower, (
                f"{table} has a policy that nobody expects: {name}"
            )


def test_no_policy_is_for_everybody(db):
    assert rows("SELECT tablename FROM pg_policies WHERE 'public' = ANY (roles)") == []


def test_serving_roles_hold_no_more_than_rows(db):
    """Neither TRUNCATE, REFERENCES, TRIGGER nor MAINTAIN: each goes round the policies."""
    granted = [grant for grant in rows(GRANTS) if grant["grantee"] != "crossing_owner"]
    assert {"crossing_app", "crossing_staff"} <= {grant["grantee"] for grant in granted}
    serving = {"crossing_app", "crossing_staff", "crossing_lookup", "PUBLIC"}
    harmless = {"SELECT", "INSERT", "UPDATE", "DELETE"}
    found = [grant for grant in granted if grant["grantee"] in serving and grant["privilege_type"] not in harmless]
    assert found == []
    assert [grant for grant in granted if grant["grantee"] == "PUBLIC"] == []


def test_every_table_serves_both_roles(tables):
    by_role: dict[str, set[str]] = {}
    for grant in rows(GRANTS):
        if grant["privilege_type"] == "SELECT":
            by_role.setdefault(grant["grantee"], set()).add(grant["table_name"])
    assert set(tables) - by_role["crossing_staff"] == set()
    assert set(tables) - by_role["crossing_app"] == {"core_ledger_head"}


def test_serving_roles_own_nothing(tables):
    owners = {name: table["owner"] for name, table in tables.items()}
    assert {name for name, owner in owners.items() if owner == "crossing_audit"} == AUDITED
    assert {owner for name, owner in owners.items() if name not in AUDITED} == {"crossing_owner"}


def test_serving_roles_are_no_members_of_others(db):
    """Staff is entered by SET ROLE only: inherited, both policies of a table would apply to every request."""
    found = rows("""
        SELECT m.rolname AS member, r.rolname AS role, a.inherit_option FROM pg_auth_members a
          JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid
         WHERE m.rolname IN ('crossing_app', 'crossing_staff', 'crossing_audit', 'crossing_lookup')
    """)
    assert found == [{"member": "crossing_app", "role": "crossing_staff", "inherit_option": False}]


def test_references_between_tenant_tables_hold_the_tenant(tenant_tables):
    keys = rows("""
        SELECT c.conrelid::regclass::text AS source, c.confrelid::regclass::text AS target,
               array(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, i)
                     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY i) AS columns,
               array(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (n, i)
                     JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY i) AS targets
          FROM pg_constraint c WHERE c.contype = 'f'
    """)
    composite = {
        (key["source"], key["columns"][1], key["target"])
        for key in keys
        if len(key["columns"]) == 2 and key["targets"] == ["tenant_id", "id"] and key["columns"][0] == "tenant_id"
    }
    single = {
        (key["source"], key["columns"][0], key["target"])
        for key in keys
        if {key["source"], key["target"]} <= tenant_tables
        and len(key["columns"]) == 1
        and key["target"] != "accounts_tenant"
    }
    assert single - composite == set(), "name these in `references` of the TenantTable"


def test_nothing_global_points_into_a_tenant(tables, tenant_tables):
    """A global row that names a tenant's row would show a stranger that it exists."""
    keys = rows("""
        SELECT conrelid::regclass::text AS source, confrelid::regclass::text AS target
          FROM pg_constraint WHERE contype = 'f'
    """)
    assert [key for key in keys if key["source"] not in tenant_tables and key["target"] in tenant_tables] == []


def test_uniques_of_tenant_tables_contain_the_tenant(tenant_tables):
    """Otherwise a refused insert tells one tenant what another one has."""
    found = rows("""
        SELECT i.indrelid::regclass::text AS source, i.indexrelid::regclass::text AS index,
               array(SELECT attname::text FROM unnest(i.indkey::int[]) AS k
                     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k) AS columns
          FROM pg_index i WHERE i.indisunique
    """)
    oracles = {
        index["index"]
        for index in found
        if index["source"] in tenant_tables
        and index["columns"] != ["id"]  # a primary key is random
        and tenant_column(index["source"]) not in index["columns"]
    }
    assert oracles == set(TENANT_UNIQUES_ACROSS_TENANTS)


def test_views_run_as_whoever_asks(db):
    found = rows("""
        SELECT relname, relkind::text AS kind, reloptions FROM pg_class
         WHERE relkind IN ('v', 'm') AND relnamespace IN ('public'::regnamespace, 'crossing'::regnamespace)
    """)
    assert [view["relname"] for view in found if view["kind"] == "m"] == []
    assert [view["relname"] for view in found if "security_invoker=true" not in (view["reloptions"] or [])] == []


def test_functions_with_other_rights_are_ours_and_pin_their_search_path(db):
    found = rows("""
        SELECT proname, pronamespace::regnamespace::text AS schema, pg_get_userbyid(proowner) AS owner, proconfig,
               prosqlbody IS NOT NULL AS bound,
               EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) a
                        WHERE a.grantee = 0) AS open
          FROM pg_proc WHERE prosecdef AND pronamespace <> 'pg_catalog'::regnamespace
    """)
    assert {"ctx_tenant", "ctx_staff", "membership", "ledger_append"} <= {row["proname"] for row in found}
    for function in found:
        assert function["schema"] == "crossing"
        assert function["owner"] in {"crossing_owner", "crossing_lookup", "crossing_audit"}
        pinned = function["proconfig"] == ["search_path=pg_catalog, pg_temp"]
        assert pinned or function["bound"], f"{function['proname']} follows the caller's search path"
        assert not function["open"], f"{function['proname']} may be called by everybody"


def test_serving_roles_create_nothing(db):
    """Nor temporary tables: a trigger function attached to one would run with its owner's rights."""
    found = rows("""
        SELECT role, has_database_privilege(role, current_database(), 'TEMP') AS temp,
               has_database_privilege(role, current_database(), 'CREATE') AS schemas,
               has_schema_privilege(role, 'public', 'CREATE') AS public,
               has_schema_privilege(role, 'crossing', 'CREATE') AS floor,
               has_schema_privilege(role, 'crossing_private', 'USAGE') AS private
          FROM unnest(ARRAY['crossing_app', 'crossing_staff', 'crossing_lookup', 'crossing_audit']) AS role
    """)
    assert {key for row in found for key, value in row.items() if value is True} == set()


def test_the_lookup_role_reads_single_columns_only(db):
    assert [grant for grant in rows(GRANTS) if grant["grantee"] == "crossing_lookup"] == []
    columns = rows("SELECT attname FROM pg_attribute WHERE attacl::text LIKE '%crossing_lookup%'")
    assert columns


def test_every_model_says_how_it_is_audited():
    house = {config.name for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR}
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in house]
    assert {"core", "accounts"} <= {model._meta.app_label for model in ours}
    assert [model._meta.label for model in ours if not isinstance(vars(model).get("audit"), Audit)] == []
