"""The vendors' own handlers, unmodified: what they tell of calls is what they tell elsewhere.

Each program is run twice, in processes of their own: with LangChain's callbacks, and with
Callboard's. `make vendors` installs what they need; it is not among what `make test` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"

# The vendors: each one's package, and how often some words are told at the least.
VENDORS = {
    "langchain": ("langchain", {"around the tool": 4, "paused": 1, "on_chat_model_stream": 3}),
    "langfuse": ("langfuse", {"langfuse.observation.type': 'tool": 10, "no 21": 2}),
    "openinference": (
        "openinference",
        {"'openinference.span.kind': 'LLM'": 20, "'TOOL'": 10, "no 21": 2},
    ),
    "posthog": ("posthog", {"$ai_generation": 20, "no 21": 2, "'$ai_output_tokens': 4": 20}),
    "sentry": ("sentry_sdk", {"'gen_ai.chat'": 20, "'gen_ai.execute_tool'": 10, "no 21": 2}),
}


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAMS / program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANGSMITH_TRACING": "false", "PYTHONHASHSEED": "0"},
    )


@pytest.mark.slow
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendors_handler_tells_what_it_tells_with_the_original(vendor):
    package, expected = VENDORS[vendor]
    if not find_spec(package):
        pytest.skip(f"{package} is not installed here: run `make vendors`")
    with ThreadPoolExecutor() as at_once:
        places = ((f"through_{vendor}.py", *place) for place in ((), ("callboard",)))
        original, installed = at_once.map(lambda words: run(*words), places)
    assert original.returncode == 0, original.stderr
    assert installed.returncode == 0, installed.stderr
    assert installed.stderr == original.stderr
    assert installed.stdout.splitlines() == original.stdout.splitlines()
    for words, times in expected.items():
        assert original.stdout.count(words) >= times, words
