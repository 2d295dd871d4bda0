-- Who has which role where, in one statement over one snapshot: `everybody` has a row for each person, with the roles
-- they hold, the ways in that are open to them, and when they were seen last. People of the platforms are brought
-- together with members by external id, user name and address; the address counts, for members have shown theirs to be
-- their own. Whoever was merged counts with whom they are; an account that several used counts for each of them. Two
-- people of a platform with one key stand in rows of their own. What reads from `everybody`, or `sorted`,
-- follows this text.
WITH seats AS MATERIALIZED (
    SELECT m.id, m.user_id, m.role, u.email, u.name, u.is_active, u.last_login,
           split_part(u.password, '$', 1) AS algorithm
      FROM accounts_member AS m JOIN accounts_user AS u ON u.id = m.user_id
     WHERE m.tenant_id = %(tenant)s AND m.deactivated_at IS NULL
),
links AS MATERIALIZED (
    SELECT member_id, source, external_id, user_name FROM accounts_linkedidentity WHERE tenant_id = %(tenant)s
),
fresh AS (
    SELECT p.id, p.key, p.name, p.user_name, p.email, p.role, p.is_owner,
           coalesce(e.member_id, u.member_id, a.id) AS found_id
      FROM accounts_newperson AS p
      LEFT JOIN links AS e ON p.external_id <> '' AND e.external_id = p.external_id
      LEFT JOIN links AS u ON p.user_name <> '' AND u.user_name = p.user_name
      LEFT JOIN seats AS a ON p.email <> '' AND a.email = p.email
     WHERE p.tenant_id = %(tenant)s AND p.is_active AND p.gone_at IS NULL AND NOT p.is_member
),
new AS MATERIALIZED (
    SELECT f.*, CASE WHEN row_number() OVER (PARTITION BY s.id ORDER BY f.key) = 1 THEN s.id END AS member_id
      FROM fresh AS f LEFT JOIN seats AS s ON s.id = f.found_id
),
old AS MATERIALIZED (
    SELECT id, key, name, external_id, user_name, email, role, is_owner, outcome, new_id, decision_id,
           CASE outcome WHEN 'merged' THEN person_id ELSE id END AS whole_id
      FROM accounts_legacyperson WHERE tenant_id = %(tenant)s AND is_active AND gone_at IS NULL
),
wholes AS (  -- who stands for both may be switched off, and the other not
    SELECT DISTINCT ON (whole_id)
           id, key, name, external_id, user_name, email, outcome, new_id, decision_id,
           bool_or(is_owner) OVER (PARTITION BY whole_id) AS is_owner,
           first_value(role) OVER (PARTITION BY whole_id ORDER BY is_owner DESC, (id = whole_id) DESC, key) AS role
      FROM old ORDER BY whole_id, (id = whole_id) DESC, key
),
parts AS (
    SELECT w.*, coalesce(p.new_id, CASE w.outcome WHEN 'mapped' THEN w.new_id END) AS to_id
      FROM wholes AS w
      LEFT JOIN accounts_personpart AS p
             ON p.tenant_id = %(tenant)s AND w.outcome = 'split'
            AND p.legacy_id = w.id AND p.decision_id = w.decision_id
),
placed AS (
    SELECT p.*, coalesce(n.member_id, n.id, m.id, s.id) AS place_id
      FROM parts AS p
      LEFT JOIN new AS n ON n.id = p.to_id
      LEFT JOIN seats AS m ON m.id = p.to_id  -- of whom the new platform does not tell yet
      LEFT JOIN links AS e ON p.external_id <> '' AND e.external_id = p.external_id
      LEFT JOIN links AS u ON p.user_name <> '' AND u.user_name = p.user_name
      LEFT JOIN seats AS a ON p.email <> '' AND a.email = p.email
      LEFT JOIN seats AS s ON s.id = coalesce(e.member_id, u.member_id, a.id)
),
legacy AS MATERIALIZED (
    SELECT p.*, CASE WHEN row_number() OVER (PARTITION BY place_id ORDER BY key) = 1 THEN place_id END AS beside_id
      FROM placed AS p
),
linked AS (SELECT member_id, bool_or(source = 'provisioning') AS is_provisioned FROM links GROUP BY member_id),
passkeys AS (
    SELECT DISTINCT user_id FROM mfa_authenticator
     WHERE type = 'webauthn' AND user_id IN (SELECT user_id FROM seats)
),
by_company AS (
    SELECT member_id, max(used_at) AS used_at FROM accounts_ssosignin
     WHERE tenant_id = %(tenant)s AND used_at IS NOT NULL AND member_id IS NOT NULL GROUP BY member_id
),
sessions AS (
    SELECT user_id, max(last_seen_at) AS seen_at FROM usersessions_usersession
     WHERE user_id IN (SELECT user_id FROM seats) GROUP BY user_id
),
elsewhere AS (SELECT user_id FROM crossing.people_elsewhere(%(tenant)s)),
everybody AS (
    SELECT s.id AS member_id, n.id AS new_id, l.id AS legacy_id,
           CASE WHEN l.id IS NULL THEN '' ELSE coalesce(nullif(l.role, ''), 'user') END AS old_role,
           CASE WHEN n.id IS NULL THEN '' ELSE coalesce(nullif(n.role, ''), 'user') END AS platform_role,
           coalesce(s.role, '') AS role,
           coalesce(l.is_owner, false) AS is_old_owner, coalesce(n.is_owner, false) AS is_platform_owner,
           coalesce(nullif(s.name, ''), s.email, nullif(n.name, ''), nullif(n.user_name, ''), n.key,
                    nullif(l.name, ''), nullif(l.user_name, ''), l.key) AS name,
           coalesce(s.email, n.email, l.email) AS email,
           array_remove(ARRAY[
               CASE WHEN s.is_active AND k.member_id IS NOT NULL AND %(connected)s THEN 'company' END,
               CASE WHEN s.is_active AND w.user_id IS NOT NULL THEN 'passkey' END,
               CASE WHEN s.is_active AND s.algorithm = ANY(%(algorithms)s) THEN 'password' END,
               CASE WHEN s.is_active AND k.is_provisioned AND %(connected)s THEN 'provisioned' END
           ], NULL) AS ways,
           -- of who belongs to another account too, only what happened for this one
           greatest(c.used_at, CASE WHEN x.user_id IS NULL THEN greatest(s.last_login, t.seen_at) END) AS seen_at
      FROM seats AS s
      FULL JOIN new AS n ON n.member_id = s.id
      FULL JOIN legacy AS l ON l.beside_id = coalesce(s.id, n.id)
      LEFT JOIN linked AS k ON k.member_id = s.id
      LEFT JOIN passkeys AS w ON w.user_id = s.user_id
      LEFT JOIN by_company AS c ON c.member_id = s.id
      LEFT JOIN sessions AS t ON t.user_id = s.user_id
      LEFT JOIN elsewhere AS x ON x.user_id = s.user_id
),
sorted AS (  -- with how their roles compare, numbered so that what needs a look comes first
    SELECT e.*, d.difference,
           row_number() OVER (ORDER BY d.rank, lower(e.name), e.email, e.member_id, e.new_id, e.legacy_id) AS number
      FROM everybody AS e
      LEFT JOIN jsonb_to_recordset(%(differences)s::jsonb) AS d(
               old_role text, platform_role text, role text, is_old_owner boolean, is_platform_owner boolean,
               difference text, rank integer
           ) USING (old_role, platform_role, role, is_old_owner, is_platform_owner)
)
