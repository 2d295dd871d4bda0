"""What entitlements decide, without Django: the matrix, the preview, the reconciliation, why somebody may not."""
