"""Links to runs."""

from uuid import UUID

import pytest

from callboard.langsmith.links import run_url

ONE = UUID(int=1)
NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/v1", "/api/v1/"])
def test_the_address_has_the_projects_name_if_the_server_can_not_be_asked(path):
    assert run_url(NOBODY + path, "key", "a/b c", ONE) == f"{NOBODY}/projects/a%2Fb%20c/r/{ONE}"


@pytest.mark.parametrize("region", ["", "eu."])
def test_langsmiths_pages_are_not_where_its_api_is(region):
    url = run_url(f"https://{region}api.smith.langchain.com", None, "p", ONE)
    assert url == f"https://{region}smith.langchain.com/projects/p/r/{ONE}"


@pytest.mark.parametrize("endpoint", ["file:///home/me/traces.db", "callboard:///"])
def test_a_file_has_no_pages(endpoint):
    assert run_url(endpoint, None, "p", ONE) == f"{endpoint}#{ONE}"
