"""Answers by parts: what is kept of each, and how it is put together.

What is asked of a part is a function that is handed to where the part is, so it keeps data alone.
"""
