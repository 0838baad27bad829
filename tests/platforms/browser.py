"""A browser without a window, told what to do by the DevTools protocol."""

import base64
import json
import shutil
import subprocess
import time
from contextlib import contextmanager, suppress
from itertools import count

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """What the browser shows."""

    def __init__(self, connection):
        self._connection = connection
        self._numbers = count(1)
        self.asked_for = []
        self._do("Network.enable")
        self._do("Page.enable")

    def open(self, url):
        self._do("Page.navigate", url=url)

    def run(self, javascript):
        """Run JavaScript in the page, and return what it evaluates to."""
        done = self._do("Runtime.evaluate", expression=javascript, returnByValue=True)
        return done["result"].get("value")

    def text(self):
        return self.run("document.body ? document.body.innerText : ''") or ""

    def wait_for(self, text, seconds=60):
        """Wait until a text is on the page, and return all of its text."""
        until = time.monotonic() + seconds
        while text not in (shown := self.text()):
            if time.monotonic() > until:
                raise AssertionError(f"{text!r} did not come; there is: {shown}")
            time.sleep(0.1)
        return shown

    def resize(self, width, height):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._do("Emulation.setDeviceMetricsOverride", **size)

    def picture(self):
        """Return what is shown, as a PNG."""
        return base64.b64decode(self._do("Page.captureScreenshot", format="png")["data"])

    def _do(self, method, **params):
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._connection.recv(timeout=60))
            if told.get("method") == "Network.requestWillBeSent":
                self.asked_for.append(told["params"]["request"]["url"])
            if told.get("id") == number:
                return told["result"]


@contextmanager
def browser(place):
    """Start a browser that keeps its files in a directory; give its page."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("No Chromium is installed.")
    client = pytest.importorskip("websockets.sync.client")
    started = subprocess.Popen(
        [
            program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--remote-debugging-port=0",
            f"--user-data-dir={place}",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with client.connect(_address(place, started), max_size=None) as connection:
            yield Page(connection)
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(10)
        started.kill()
        started.wait()


def _address(place, started):
    """Return the address of the page's own connection, once the browser has said its port."""
    from urllib.request import urlopen

    told = place / "DevToolsActivePort"
    for _ in range(300):
        if told.exists() and (lines := told.read_text().splitlines()):
            break
        assert started.poll() is None, "The browser has ended."
        time.sleep(0.1)
    with urlopen(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
        pages = json.load(answer)
    return next(each["webSocketDebuggerUrl"] for each in pages if each["type"] == "page")
