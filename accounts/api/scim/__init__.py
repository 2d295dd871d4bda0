"""SCIM 2.0 (RFC 7643, RFC 7644): how a tenant's directory keeps its people and groups here up to date."""
