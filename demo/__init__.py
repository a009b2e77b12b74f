"""The job over a world on loopback: a story told on the terminal, or a world that stays up to be tried by hand.

Nothing of the product is changed for it: `function_app.py` runs in the real Functions runtime with the real SDKs, and
only the services around it are emulated. Never shipped; what the product promises is proven in `tests/`.
"""
