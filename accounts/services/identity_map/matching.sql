-- Judges everybody of a tenant's legacy platform about whom nothing was decided, in one statement over one snapshot:
-- whether a key is unique is a question about all of them. What people decided is not touched, and whom they chose is
-- taken. The parameter is the tenant.
WITH fresh AS MATERIALIZED (
    SELECT id, external_id, user_name, email, is_member FROM accounts_newperson
     WHERE tenant_id = %(tenant)s AND gone_at IS NULL AND is_active
),
by_external_id AS (
    SELECT external_id AS k, count(*) AS times, min(id::text)::uuid AS id FROM fresh WHERE external_id <> '' GROUP BY 1
),
by_user_name AS (
    SELECT user_name AS k, count(*) AS times, min(id::text)::uuid AS id, min(external_id) AS external_id
      FROM fresh WHERE user_name <> '' GROUP BY 1
),
by_email AS (
    -- A member has the address of whom the platform tells, but not their key: the proposal is about the latter.
    SELECT email AS k, count(*) AS times, min(id::text)::uuid AS id
      FROM (SELECT *, is_member AND NOT bool_and(is_member) OVER (PARTITION BY email) AS is_beside FROM fresh) AS f
     WHERE email <> '' AND NOT is_beside GROUP BY 1
),
decided AS (
    SELECT new_id AS id FROM accounts_legacyperson
     WHERE tenant_id = %(tenant)s AND decision_id IS NOT NULL AND outcome = 'mapped'
     UNION
    SELECT part.new_id FROM accounts_personpart AS part
      JOIN accounts_legacyperson AS l ON l.id = part.legacy_id AND l.decision_id = part.decision_id
     WHERE part.tenant_id = %(tenant)s AND l.outcome = 'split'
),
undecided AS MATERIALIZED (
    SELECT id, external_id, user_name, email, gone_at IS NULL AS is_there, is_active,
           count(*) FILTER (WHERE gone_at IS NULL AND is_active) OVER (PARTITION BY external_id) AS ids,
           count(*) FILTER (WHERE gone_at IS NULL AND is_active) OVER (PARTITION BY user_name) AS names,
           count(*) FILTER (WHERE gone_at IS NULL AND is_active) OVER (PARTITION BY email) AS addresses
      FROM accounts_legacyperson WHERE tenant_id = %(tenant)s AND decision_id IS NULL
),
keyed AS MATERIALIZED (
    SELECT u.id, u.email, u.addresses, m.id AS mailed_id, m.times AS mailed,
           CASE WHEN NOT u.is_there THEN 'gone'
                WHEN NOT u.is_active THEN 'inactive'
                WHEN u.external_id <> '' AND u.ids > 1 THEN 'external_id_twice'
                WHEN e.times > 1 THEN 'new_twice'
                WHEN e.id IS NOT NULL AND n.times = 1 AND n.id <> e.id THEN 'keys_disagree'
                WHEN e.id IS NOT NULL THEN 'external_id'
                WHEN u.user_name <> '' AND u.names > 1 THEN 'user_name_twice'
                WHEN n.times > 1 THEN 'new_twice'
                WHEN u.external_id <> '' AND n.external_id <> '' THEN 'keys_disagree'
                WHEN n.id IS NOT NULL THEN 'user_name'
           END AS rule,
           CASE WHEN e.id IS NULL THEN CASE n.times WHEN 1 THEN n.id END WHEN e.times = 1 THEN e.id END AS found_id
      FROM undecided AS u
      LEFT JOIN by_external_id AS e ON u.external_id <> '' AND e.k = u.external_id
      LEFT JOIN by_user_name AS n ON u.user_name <> '' AND n.k = u.user_name
      LEFT JOIN by_email AS m ON u.email <> '' AND m.k = u.email
),
held AS MATERIALIZED (
    SELECT found_id AS id, bool_or(rule = 'external_id') AS by_id FROM keyed
     WHERE rule IN ('external_id', 'user_name') GROUP BY 1
),
proven AS (SELECT name FROM accounts_domain WHERE tenant_id = %(tenant)s AND verified_at IS NOT NULL),
ruled AS (
    SELECT k.id,
           CASE WHEN k.rule IN ('external_id', 'user_name') AND d.id IS NOT NULL THEN 'taken'
                WHEN k.rule = 'user_name' AND h.by_id THEN 'taken'
                WHEN k.rule IS NOT NULL THEN k.rule
                WHEN k.mailed_id IS NULL THEN 'nobody'
                WHEN split_part(k.email, '@', 2) NOT IN (SELECT name FROM proven) THEN 'domain_not_proven'
                WHEN k.mailed = 1 AND (dm.id IS NOT NULL OR hm.id IS NOT NULL) THEN 'taken'
                WHEN k.mailed > 1 OR k.addresses > 1 THEN 'address_twice'
                ELSE 'address'
           END AS rule,
           CASE WHEN k.rule IS NOT NULL THEN k.found_id WHEN k.mailed = 1 THEN k.mailed_id END AS new_id
      FROM keyed AS k
      LEFT JOIN decided AS d ON d.id = k.found_id
      LEFT JOIN held AS h ON h.id = k.found_id
      LEFT JOIN decided AS dm ON k.rule IS NULL AND dm.id = k.mailed_id
      LEFT JOIN held AS hm ON k.rule IS NULL AND hm.id = k.mailed_id
),
judged AS (
    SELECT id, rule,
           CASE WHEN rule IN ('external_id', 'user_name') THEN 'mapped'
                WHEN rule = 'address' THEN 'proposed'
                WHEN rule IN ('nobody', 'domain_not_proven') THEN 'placeholder'
                WHEN rule IN ('inactive', 'gone') THEN 'dropped'
                ELSE 'conflict' END AS outcome,
           CASE WHEN rule IN ('nobody', 'domain_not_proven', 'inactive', 'gone') THEN NULL ELSE new_id END AS new_id
      FROM ruled
)
UPDATE accounts_legacyperson AS l SET outcome = j.outcome, rule = j.rule, new_id = j.new_id
  FROM judged AS j
 WHERE l.id = j.id AND l.tenant_id = %(tenant)s
   AND (l.outcome, l.rule, l.new_id) IS DISTINCT FROM (j.outcome, j.rule, j.new_id)
