"""An attestation as the file that verifies offline."""

import base64
import json

from compliance.models import Attestation


def attestation(row: Attestation) -> bytes:
    """Return the file: the statement's exact bytes in base64, and the server's seal, in one canonical form."""
    file = {
        "algorithm": "Ed25519",
        "public_key": row.public_key,
        "signature": row.seal,
        "statement": base64.b64encode(bytes(row.body)).decode(),
    }
    return json.dumps(file, sort_keys=True, separators=(",", ":")).encode()
