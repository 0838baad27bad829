"""The tracer that ships runs, to LangSmith or to any server that speaks its protocol."""
