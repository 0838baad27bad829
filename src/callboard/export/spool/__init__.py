"""The spool: what can't be sent now, on disk, crash-safe and bounded."""
