"""Sphinx configuration: MyST pages, the furo theme, nothing fetched from elsewhere."""

import unseen

project = "unseen"
author = "The unseen authors"
copyright = "2026, The unseen authors"
release = unseen.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "unseen"
html_static_path = ["_static"]
exclude_patterns = ["_build"]
autodoc_typehints = "description"
napoleon_numpy_docstring = True
nitpicky = False
