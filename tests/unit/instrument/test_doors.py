"""The door of the room: every name is there, and costs nothing until it is used."""

import subprocess
import sys

import pytest

from callboard import instrument


@pytest.mark.parametrize("name", instrument.__all__)
def test_each_name_resolves_and_lives_in_the_room(name):
    assert getattr(instrument, name).__module__.startswith("callboard.instrument.")


def test_the_lists_of_names_agree():
    assert instrument.__all__ == sorted(instrument.__all__)
    assert sorted(instrument._HOMES) == instrument.__all__
    assert set(instrument.__all__) <= set(dir(instrument))
    with pytest.raises(AttributeError, match="'tracable'"):
        _ = instrument.tracable


def test_what_langsmith_offers_under_these_names_is_there():
    import langsmith

    for name in ("ContextThreadPoolExecutor", "get_current_run_tree", "trace", "traceable"):
        assert hasattr(langsmith, name) or hasattr(langsmith.utils, name)
        assert name in instrument.__all__


def test_tracing_a_function_that_nobody_hears_loads_no_client_or_other_library():
    program = (
        "import sys\n"
        "from callboard import traceable\n"
        "assert traceable(lambda x: x)(1) == 1\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(roots & {'langchain_core', 'langsmith', 'pydantic', 'urllib3', 'orjson'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout == "set()\n"
