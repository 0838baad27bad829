"""Run an agent with a server beside it, and print the traces that the server has then.

The agent runs twice: its runs are sent by LangSmith's own tracer, then by Callboard's. Server,
model and documents are on this machine, and nothing leaves it. `make run` runs this.
"""

import argparse
import os
import subprocess
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from threading import Event

from examples.docs_agent.board import board
from examples.docs_agent.model_server import model_server
from examples.docs_agent.trace_tree import thread_lines

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = [
    "How do I make an exception in a handler stop the application?",
    "And what silences on_tool_start, or on_coffee_break?",
]
GREETING = """\
Callboard is at {url}. An agent answers from Callboard's documents; in place of a
language model a rule-based stand-in quotes what the agent's tools return.
"""
FAREWELL = """\
The server is stopped, and the traces are kept. To see the last one whole:
  {python} -m callboard show --db {database}"""


def main() -> None:
    told = arguments()
    with board(told.db, told.port) as url, model_server() as model_url:
        print(GREETING.format(url=url), flush=True)
        variables = environment(url, model_url)

        print("The application as it is, traced by LangSmith's own tracer:", flush=True)
        traces = traces_of("agent", told.questions, variables, whole=told.whole)
        print("", *traces, "", sep="\n")

        print("The same again, with Callboard's callbacks installed and Callboard's tracer:")
        traces = traces_of(
            "agent_with_callboard", told.questions, variables, whole=told.whole, quiet=True
        )
        print(*traces, "", sep="\n", flush=True)

        if told.keep:
            print("The server stays up. Ctrl+C stops it.", flush=True)
            with suppress(KeyboardInterrupt):
                Event().wait()
    python = min(sys.executable, os.path.relpath(sys.executable), key=len)
    print(FAREWELL.format(python=python, database=told.db))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.docs_agent")
    parser.add_argument("questions", nargs="*", default=QUESTIONS, help="asked in one thread")
    parser.add_argument("--keep", action="store_true", help="leave the server up until Ctrl+C")
    parser.add_argument("--whole", action="store_true", help="show the framework's steps, too")
    parser.add_argument("--port", type=int, help="where the server listens (1984; any if taken)")
    parser.add_argument(
        "--db",
        type=Path,
        default=Path(".callboard", "traces.db"),
        help="file to keep the traces in (.callboard/traces.db)",
    )
    return parser.parse_args()


def environment(url: str, model_url: str) -> dict[str, str]:
    """Return what the application finds in its environment: nothing in it leads elsewhere."""
    elsewhere = ("LANGSMITH_", "LANGCHAIN_", "OPENAI_")
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(elsewhere)
    }
    return inherited | {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": url,
        "LANGSMITH_API_KEY": "any",
        "OPENAI_BASE_URL": model_url,
        "OPENAI_API_KEY": "any",
        "NO_PROXY": "127.0.0.1",
        "CALLBOARD_SPOOL_DIR": "",
    }


def traces_of(
    program: str,
    questions: list[str],
    variables: dict[str, str],
    *,
    whole: bool,
    quiet: bool = False,
) -> list[str]:
    """Run one of the programs in a process of its own, and return its traces as lines."""
    thread_id = str(uuid.uuid4())
    done = subprocess.run(
        [sys.executable, "-m", f"examples.docs_agent.{program}", thread_id, *questions],
        cwd=ROOT,
        env=variables | {"LANGSMITH_PROJECT": program},
        stdout=subprocess.DEVNULL if quiet else None,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{program} failed; what it said is above.")
    return list(thread_lines(variables["LANGSMITH_ENDPOINT"], program, thread_id, whole=whole))


if __name__ == "__main__":
    main()
