"""A browser without a screen for the emulator's pages: cookies and forms, no redirects, no script."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from contextlib import closing
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


@dataclass
class Answer:
    """An HTTP answer; *headers* has names in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the address that it sends the browser to."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    @property
    def form(self) -> tuple[str, dict[str, str]]:
        """The address and the fields of the form on the page."""
        action = re.search(r'<form method="post" action="([^"]*)"', self.text)
        assert action, self.text
        fields: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*>", self.text):
            attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
        return unescape(action[1]), fields


@dataclass
class Browser:
    """A browser that keeps cookies and does not follow redirects."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    certificate: str | None = None

    def request(
        self, method: str, path: str, form: dict[str, str] | str | None = None, **headers: str
    ) -> Answer:
        """Send a request with the cookies, and keep those of the answer."""
        parts = urlsplit(self.url)
        body = urlencode(form) if isinstance(form, dict) else form
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        host, port = parts.hostname or "", parts.port
        wire: http.client.HTTPConnection
        if self.certificate is None:
            wire = http.client.HTTPConnection(host, port, timeout=10)
        else:
            context = ssl.create_default_context(cafile=self.certificate)
            wire = http.client.HTTPSConnection(host, port, timeout=10, context=context)
        with closing(wire):
            wire.request(method, path, body, sent)
            answer = wire.getresponse()
            for header in answer.headers.get_all("Set-Cookie") or []:
                for name, morsel in SimpleCookie(header).items():
                    self.cookies[name] = morsel.value
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read().decode())

    def submit(self, page: Answer, more: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send the form of *page*, with more values."""
        action, fields = page.form
        return self.request("POST", action, {**fields, **(more or {})}, **headers)
