"""pgAdmin as a browser uses it: log in, find the server, open it."""

import http
import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class PgAdmin:
    """A browser with its cookies."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}:5050"
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())).open

    def log_in(self, email: str, password: str) -> bool:
        """Send the login form; returns whether the browser's page comes after it."""
        token = self._find_token(self._open(f"{self._url}/login", timeout=30).read().decode())
        form = {"email": email, "password": password, "csrf_token": token, "language": "en", "internal_button": "Login"}
        try:
            with self._open(f"{self._url}/authenticate/login", urllib.parse.urlencode(form).encode(), timeout=30) as answer:
                return str(answer.url).startswith(f"{self._url}/browser/")
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.UNAUTHORIZED:
                return False
            raise

    def servers(self) -> list[dict[str, Any]]:
        """Servers of the first group."""
        return list(self._call("GET", "/browser/server/nodes/1/")["result"])

    def connect(self, server: str) -> dict[str, Any]:
        """Open a server without typing a password."""
        return dict(self._call("POST", f"/browser/server/connect/1/{server}")["data"])

    def _call(self, method: str, path: str) -> Any:
        # The browser's page has the token in a script of its own.
        script = self._open(f"{self._url}/browser/js/utils.js", timeout=30).read().decode()
        headers = {"X-pgA-CSRFToken": self._find_token(script)}
        request = urllib.request.Request(self._url + path, b"" if method == "POST" else None, headers, method=method)
        with self._open(request, timeout=60) as answer:
            return json.load(answer)

    @staticmethod
    def _find_token(text: str) -> str:
        found = re.search(r"csrf[_-]?token[^A-Za-z0-9]+(?:value=\")?([A-Za-z0-9._-]{40,})", text, re.IGNORECASE)
        assert found, text[:2000]
        return found[1]
