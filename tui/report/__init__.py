"""A report as a page: what an incident says, in Markdown or HTML, with pictures and without any
request to another host.

Read `page` (what a page is made of), `telling` (an incident as a page), then `html` and `markdown`
(a page as text) and `charts` (a picture as SVG).
"""
