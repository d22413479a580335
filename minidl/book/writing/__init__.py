"""The text of docstrings and chapters: its blocks, and its formulas in mathematical typography.

blocks.py    a text as paragraphs, formulas, examples, headings
prose.py     the formulas, the code and the words of a paragraph
formula.py   a formula in Unicode as a tree, from the tokens of tokens.py and the parts of trees.py
mathml.py    the tree as MathML, for pages
latex.py     the tree as LaTeX, for notebooks
"""
