"""What people are told and what they ask: the ladder of messages, banners, status, the support queue."""
