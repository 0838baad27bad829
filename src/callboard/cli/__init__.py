"""The command line: ``callboard COMMAND``, a file for each command."""
