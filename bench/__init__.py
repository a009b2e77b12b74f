"""How fast, how cheap and how far: the product beside a plain loop and beside the bare SDK calls, in one run.

`site` is the cloud, in a process of its own; `contend` is one contender, in a fresh process of its own; `cases` says
which worlds they meet, `measuring` brings the three together, `figures` draws the conclusions, `results` shows them,
and `readme` and `scale` put them into the pages.
"""
