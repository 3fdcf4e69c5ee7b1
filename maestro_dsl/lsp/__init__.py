"""The language server: documents as they are typed, over standard input and output.

Finds, mends, formats and explains by the functions that the commands call. Its own are where the cursor
stands (`cursor`), how places are counted (`positions`), and the protocol (`server`).
"""
