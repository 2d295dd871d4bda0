"""What parity means, decided without Django: plans, judging, redaction, verdicts."""
