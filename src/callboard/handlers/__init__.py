"""Ready-made handlers: to the terminal, to a file, and for counting tokens.

They are imported from `callboard.callbacks`, or each from its module here.
"""
