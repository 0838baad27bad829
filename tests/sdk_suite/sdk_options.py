"""A pytest plugin: the command-line options that the SDK's tests ask for, as its repository has."""


def pytest_addoption(parser):
    parser.addoption("--runslow", action="store_true", help="run slow tests, too")
    parser.addoption("--vcr-mode", default="none", help="how cassettes are recorded")
