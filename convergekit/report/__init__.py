"""A report to send: what a Stitched answers, as one file of HTML, Markdown or Excel."""
