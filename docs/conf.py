"""The documentation: `make docs`. Notebooks are executed, warnings are errors, pages load nothing from elsewhere."""

import os
import re
import tempfile
from collections.abc import Iterator
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.inspect import TypeAliasForwardRef

project = "phiscale"
author = "the phiscale developers"
copyright = "2026, the phiscale developers"
release = version = installed("phiscale")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
suppress_warnings = ["ref.python"]  # names of attributes that several classes have are no links
html_theme = "pydata_sphinx_theme"
html_title = "phiscale"
html_static_path = ["_static"]
html_css_files = ["phiscale.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options: dict[str, Any] = {
    "logo": {"text": "phiscale"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "amsmath"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 180
nb_merge_streams = True
nb_render_markdown_format = "myst"
quiet = Path(tempfile.mkdtemp()) / "profile_default"  # kernels of notebooks warn that they listen on this machine
quiet.mkdir()
(quiet / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 'ERROR'\n")
os.environ["IPYTHONDIR"] = str(quiet.parent)

autosummary_generate = True
autodoc_typehints = "signature"
autodoc_type_aliases = {name: name for name in ("Array", "Bools", "Floats", "Ints", "StateLike", "Strings", "TpmLike")}
TypeAliasForwardRef.__repr__ = lambda self: self.name  # type: ignore[method-assign]  # as it stands in the code
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # attributes stand with the class, and properties among its members
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    translator.body.append(f'<div class="math">{number}{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def _one_each(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Give each of several names that share a line of a docstring ("a, b: text") a line of its own."""
    found: list[str] = []
    for i, line in enumerate(lines):
        shared = re.match(r"^(\s+)(\w+(?:, \w+)+): (.*)$", line)
        if shared is None:
            found.append(line)
            continue
        names = shared[2].split(", ")
        deeper = list(_until_back(lines[i + 1 :], len(shared[1])))
        for other in names[:-1]:
            found += [f"{shared[1]}{other}: {shared[3]}", *deeper]
        found.append(f"{shared[1]}{names[-1]}: {shared[3]}")
    lines[:] = found


def _until_back(lines: list[str], indent: int) -> Iterator[str]:
    """Lines up to the first that is no deeper."""
    for line in lines:
        if len(line) - len(line.lstrip()) <= indent:
            return
        yield line


def setup(app: Sphinx) -> None:
    """Write formulas as MathML, which browsers show by themselves."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("autodoc-process-docstring", _one_each, priority=400)  # before napoleon


html_math_renderer = "mathml"
