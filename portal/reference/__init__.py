"""The API's description: as OpenAPI for tools, and as a page for people."""
