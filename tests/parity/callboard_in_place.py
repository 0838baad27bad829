"""A pytest plugin: puts Callboard in LangChain's place before the first test is imported.

It is loaded by name (``-p callboard_in_place``) into a run of langchain-core's own tests.
"""

import callboard.langchain

callboard.langchain.install()
