"""The command line door: `python -m rotation rotate` and `python -m rotation status`.

    app                the commands' common frame: how each error becomes a message and an exit code
    rotate, status     the commands, one file each
    exit_code, output  what the process says to its caller; where it writes
    render, layout     what a report looks like; blocks and tables, and text of others made harmless

It needs typer and rich, which the deployed function does not carry. What is rotated, and why, is not decided here.
"""
