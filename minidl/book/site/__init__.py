"""The book as a static site.

build.py       all pages, written into a folder
material.py    what they are made from, and where each name stands
page.py        a page, and what search finds
folder.py      the folder, which appears when it is complete
cover.py       the first page
chapter.py     a chapter: its text and what its instructions ask for
section.py     one op, loss, layer, optimiser or algorithm
anchors.py     the anchors of sections
text.py        docstrings as HTML
code.py        code as HTML
figures.py     moving pictures as HTML
exercises.py   exercises as HTML
reference.py   every public name
commands.py    every command
server.py      the book, served: code can be run, and exercises are checked
templates/, assets/   the frame of a page, its style sheet and its script
"""
