"""How fast Callboard is, with langchain-core doing the same work beside it: `make bench`."""
