"""Who on the legacy platform is whom on the new one: canonical ids, what becomes of each person, decisions."""
