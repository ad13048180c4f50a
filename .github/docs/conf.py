"""Sphinx's settings for the documentation, which `.ci/docs` builds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

from cognito_credentials import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent.parent
REPOSITORY = os.environ.get("DOCS_REPOSITORY", "").rstrip("/")
"""
Where links to files of the repository lead, as ``https://github.com/OWNER/NAME/blob/main``.

Without it, such a file is a download, and the name of such a folder is no link.
"""

project = "cognito-credentials"
project_copyright = "The cognito-credentials founders"
release = version = __version__
language = "en-GB"

sys.path.insert(0, str(Path(__file__).parent))
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "rendering"]
myst_enable_extensions = ["alert", "colon_fence", "deflist"]  # `> [!NOTE]` is a note on GitHub, too
myst_heading_anchors = 4  # the anchors that GitHub makes

default_role = "code_or_link"  # of docstrings
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_mock_imports = ["aiobotocore", "awscrt", "smithy_aws_core", "smithy_core"]  # the adapters' libraries
autodoc_typehints = "signature"
python_maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
nitpicky = True
# Names of other packages: their documentation is on other sites, and this one is built without a network.
nitpick_ignore_regex = [("py:.*", r"(?!cognito_credentials\b).*")]
# Types that signatures name and that are no part of the reference.
nitpick_ignore = [
    ("py:class", f"cognito_credentials.{name}")
    for name in (
        *("administer.client.Clients", "administer.pools.file.Table"),
        *("emulator.service.Service", "emulator.stored.state.State", "emulator.wire.issuing.KeyOwner"),
        *("settings.settings.ConfiguredLogins", "settings.shared_cache.SharedCache"),
        *("sign_in.kept.account.Account", "sign_in.kept.place.Place", "sign_in.source.SignInSource"),
    )
]

html_theme = "furo"
html_title = f"cognito-credentials {release}"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"


class RepositoryLinks(SphinxTransform):
    """Lead links to files of the repository that are no pages where a reader of the site can read them."""

    default_priority = 5  # before Sphinx collects downloads

    def apply(self) -> None:
        here = Path(self.env.doc2path(self.env.docname)).parent
        for node in [
            *self.document.findall(addnodes.pending_xref),
            *self.document.findall(addnodes.download_reference),
        ]:
            if node.get("reftype") != "myst":
                continue
            path = self._file(here, node)
            if path is None:
                continue
            name = path.relative_to(ROOT).as_posix()
            text = [child.deepcopy() for child in node.children] or [nodes.literal(text=name)]
            new: nodes.Element
            if REPOSITORY:
                new = nodes.reference("", "", *text, refuri=f"{REPOSITORY}/{name}", internal=False)
            elif path.is_dir():
                new = nodes.inline("", "", *text)
            else:
                target = os.path.relpath(path, here)
                new = addnodes.download_reference(
                    "", "", *text, reftarget=target, refdoc=self.env.docname, refdomain=None
                )
            node.replace_self(new)

    def _file(self, here: Path, node: nodes.Element) -> Path | None:
        """Return what *node* leads to in the repository; None where it is a page, or nothing."""
        target = node["reftarget"]
        if node.get("refdomain") == "doc":  # MyST has taken it for a page, also outside of the pages
            path = (Path(self.env.srcdir) / f"{target}.md").resolve()
        else:
            path = (here / target.partition("#")[0]).resolve()
        if not path.exists() or not path.is_relative_to(ROOT) or path == here:
            return None
        is_page = path.suffix == ".md" and path.is_relative_to(self.env.srcdir)
        return None if is_page else path


def setup(app: Sphinx) -> dict[str, bool]:
    """Add what MyST lacks."""
    app.add_transform(RepositoryLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
