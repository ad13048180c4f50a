"""A browser of a few lines: cookies, redirects, and the forms of the provider's own pages."""

from __future__ import annotations

import html
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request

_FORM = re.compile(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_INPUT = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and records where they lead."""

    def __init__(self) -> None:
        self.last = ""
        self.stop_at: str | None = None

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        self.last = newurl
        if self.stop_at is not None and newurl.startswith(self.stop_at):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class WebBrowser:
    """One person's browser."""

    def __init__(self) -> None:
        self.jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(strict_ns_domain=0))
        self._redirects = _Redirects()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.jar), urllib.request.ProxyHandler({}), self._redirects
        )
        self.url = ""

    @property
    def stop_at(self) -> str | None:
        """An address that it does not follow a redirect to; None for none."""
        return self._redirects.stop_at

    @stop_at.setter
    def stop_at(self, address: str | None) -> None:
        self._redirects.stop_at = address

    @property
    def redirected_to(self) -> str:
        """The address of the last redirect, whether or not anything answered there."""
        return self._redirects.last

    def sign_in(self, url: str, login: str, password: str = "irrelevant") -> tuple[int, str]:
        """Follow *url*, fill in and send every form; return the last page."""
        status, page = self.open(url)
        for _ in range(10):
            form = self._form(page)
            if form is None:
                return status, page
            action, fields = form
            for name in fields:
                if name in ("login", "username"):
                    fields[name] = login
                elif name == "password":
                    fields[name] = password
            status, page = self.open(action, fields)
        raise AssertionError("forms without end")

    def open(self, url: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Get a page, or post a form."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(urllib.parse.urljoin(self.url, url), data, {"Accept": "text/html"})
        try:
            with self._opener.open(request, timeout=90) as response:
                self.url = response.url
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                self.url = error.url
                return error.code, error.read().decode()

    def _form(self, page: str) -> tuple[str, dict[str, str]] | None:
        for action, body in _FORM.findall(page):
            fields = {}
            for text in _INPUT.findall(body):
                attributes = dict(_ATTRIBUTE.findall(text))
                if attributes.get("name"):
                    fields[attributes["name"]] = html.unescape(attributes.get("value", ""))
            return html.unescape(action), fields
        return None
