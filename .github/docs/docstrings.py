"""
What the reference needs of Sphinx: our docstrings' single backticks, and anchors that pages write as HTML.

In a docstring, `Name` is a public name, which becomes a link, or another name, which is shown as code.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from unittest import mock as patching

from docutils import nodes
from sphinx import addnodes
from sphinx.ext.autodoc.mock import mock
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


def setup(app: Sphinx) -> dict[str, bool]:
    """Add all of it."""
    app.add_role("code_or_link", code_or_link)
    app.connect("missing-reference", find_public_name)
    app.connect("builder-inited", import_for_newer_python)
    app.add_transform(Anchors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
