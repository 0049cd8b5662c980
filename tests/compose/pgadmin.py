"""pgAdmin as a browser uses it: log in, find the server, open it."""

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
from typing import Any


class PgAdmin:
    """A browser with its cookies."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}:5050"
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())).open
        self._token = ""

    def log_in(self, email: str, password: str) -> bool:
        """Send the login form; returns whether the browser's page comes after it."""
        self._token = self._find_token(self._open(f"{self._url}/login", timeout=30).read().decode())
        form = {"email": email, "password": password, "csrf_token": self._token, "language": "en", "internal_button": "Login"}
        with self._open(f"{self._url}/authenticate/login", urllib.parse.urlencode(form).encode(), timeout=30) as answer:
            page = answer.read().decode()
            return "/browser" in answer.url and "/login" not in answer.url and bool(page)

    def servers(self) -> list[dict[str, Any]]:
        """Servers of the first group."""
        with self._open(f"{self._url}/browser/server/nodes/1/", timeout=30) as answer:
            return list(json.load(answer)["data"])

    def connect(self, server: str) -> dict[str, Any]:
        """Open a server without typing a password."""
        script = self._open(f"{self._url}/browser/js/utils.js", timeout=30).read().decode()
        headers = {"X-pgA-CSRFToken": self._find_token(script)}
        request = urllib.request.Request(f"{self._url}/browser/server/connect/1/{server}", b"", headers, method="POST")
        with self._open(request, timeout=30) as answer:
            return dict(json.load(answer)["data"])

    @staticmethod
    def _find_token(text: str) -> str:
        found = re.search(r"csrf[_-]?token[^A-Za-z0-9]+(?:value=\")?([A-Za-z0-9._-]{40,})", text, re.IGNORECASE)
        assert found, text[:2000]
        return found[1]
