from datetime import UTC, datetime, timedelta

from callboard.clock import now
from callboard.server import start
from tests.integrations.board import ask


def test_the_workspace_says_when_it_was_made(tmp_path):
    with start(database=tmp_path / "callboard.db") as server:
        settings = ask(server.url, "GET", "/settings").content
    made = datetime.fromisoformat(settings["created_at"])
    assert made.tzinfo == UTC
    assert abs(made - now()) < timedelta(minutes=5)
