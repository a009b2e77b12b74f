"""Working stand-ins for the cloud, served over TLS on loopback. Never shipped, never imported by `rotation`.

Each emulator is a state class with verbs of its domain (`revoke`, `expire`, `disable`) that knows nothing of HTTP, and
a thin ASGI application over it. `world` puts them together, `serve` and `tls` carry them, `faults` breaks them.
Time is never patched: `age` shifts every stored date back, and the product keeps real time.
"""
