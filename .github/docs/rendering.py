"""
What our pages and docstrings need of Sphinx, beside its own extensions.

- In a docstring, `Name` is a public name, which becomes a link, or another name, which is shown as code.
- What the text of an attribute says before a colon is no type, as napoleon would have it.
- Classes that only this package makes are shown without the arguments of their constructor.
- Anchors that a page writes as HTML can be linked to, and ``<picture>`` finds the pictures.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock as patching

from docutils import nodes
from sphinx import addnodes
from sphinx.domains.python import PyObject
from sphinx.ext.autodoc.mock import mock
from sphinx.ext.napoleon import GoogleDocstring
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from docutils.parsers.rst.states import Inliner
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

MODULES: Final = (
    "cognito_credentials",
    *(f"cognito_credentials.{name}" for name in ("sign_in", "back_end", "administer", "emulator")),
    *(f"cognito_credentials.adapters.{name}" for name in ("aws_sdk_v4", "awscrt", "iot")),
)
"""Where public names are; the first that has a name is meant."""
_MADE_HERE: Final = ("IdentityPoolCredentials", "RunningUserPool")
"""Classes of which users get objects, and make none."""
_ANCHOR: Final = re.compile(r'<a id="([^"]+)">')


def code_or_link(
    _name: str,
    rawtext: str,
    text: str,
    _lineno: int,
    inliner: Inliner,
    _options: Any = None,
    _content: Any = None,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Make the node of a single backtick: a link, if it turns out to be the name of something."""
    env: BuildEnvironment = inliner.document.settings.env
    target = text.removesuffix("()")
    node = addnodes.pending_xref(
        rawtext,
        nodes.literal(rawtext, text, classes=["xref", "py"]),
        refdomain="py",
        reftype="obj",
        reftarget=target,
        refexplicit=False,
        refdoc=env.docname,
        is_backtick=True,
    )
    node["py:module"] = env.ref_context.get("py:module")
    node["py:class"] = env.ref_context.get("py:class")
    return [node], []


def find_public_name(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.Node | None:
    """Resolve a name without its module; a backtick's that is no public name is shown as code."""
    if node.get("refdomain") == "py":
        domain = env.domains.python_domain
        for module in MODULES:
            name = f"{module}.{node['reftarget']}"
            if name in domain.objects:
                return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, content)
    return content if node.get("is_backtick") else None


class Anchors(SphinxTransform):
    """Make targets of the anchors that a page writes as ``<a id="…">``, so that links to them are checked."""

    default_priority = 400  # before MyST resolves a page's links to itself

    def apply(self) -> None:
        for node in list(self.document.findall(nodes.raw)):
            found = _ANCHOR.fullmatch(node.astext())
            if found:
                target = nodes.target("", "", ids=[found[1]], names=[found[1]])
                self.document.note_explicit_target(target)
                node.replace_self(target)


def import_for_newer_python(*_: object) -> None:
    """Import what refuses older versions of Python, as one that it does not refuse."""
    with (
        patching.patch.object(sys, "hexversion", max(sys.hexversion, 0x030C0000)),
        mock(["smithy_aws_core", "smithy_core"]),
    ):
        import_module("cognito_credentials.adapters.aws_sdk_v4")


class AttributeTexts:
    """Reads texts of attributes again: napoleon takes what stands before a colon in them for a type."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def remember(self, *event: Any) -> None:
        """Keep the text that napoleon will read."""
        self._text = list(event[-1])

    def read(self, app: Sphinx, what: str, *event: Any) -> None:
        """Read it as that of a function; a named tuple's own text says nothing."""
        if what in ("attribute", "data", "property"):
            is_tuples = self._text[:1] and self._text[0].startswith("Alias for field number")
            event[-1][:] = [] if is_tuples else GoogleDocstring(self._text, app.config).lines()


def leave_out_arguments(
    _app: Sphinx, what: str, name: str, made: object, *_: object
) -> tuple[str, None] | None:
    """Show no arguments of errors but of the first class of them, and of what methods return."""
    is_error = what == "exception" and not name.endswith(".CognitoCredentialsError")
    is_answer = what == "class" and (
        dataclasses.is_dataclass(made)
        or hasattr(made, "_fields")
        or hasattr(made, "_is_protocol")
        or name.endswith(_MADE_HERE)
    )
    return ("", None) if is_error or is_answer else None


def copy_pictures(app: Sphinx, error: Exception | None) -> None:
    """Put the pictures where the HTML of a page looks for them, as it does on GitHub."""
    if error is None:
        shutil.copytree(Path(app.srcdir, "pictures"), Path(app.outdir, "pictures"), dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add all of it."""
    app.add_role("code_or_link", code_or_link)
    app.connect("missing-reference", find_public_name)
    app.connect("builder-inited", import_for_newer_python)
    texts = AttributeTexts()
    app.connect("autodoc-process-docstring", texts.remember, priority=499)  # napoleon's is 500
    app.connect("autodoc-process-docstring", texts.read, priority=501)
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    app.connect("autodoc-process-signature", leave_out_arguments)
    app.add_transform(Anchors)
    app.connect("build-finished", copy_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
