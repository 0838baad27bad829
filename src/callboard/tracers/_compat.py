"""Door: names of ``langchain_core.tracers._compat``."""

from callboard.tracing.conversion import as_dict, copied, new_run

__all__ = ["pydantic_copy", "pydantic_to_dict", "run_construct", "run_copy", "run_to_dict"]

pydantic_copy = run_copy = copied
pydantic_to_dict = run_to_dict = as_dict
run_construct = new_run
