"""What a tenant's directory sent: as SCIM answers it, and as people look at it."""
