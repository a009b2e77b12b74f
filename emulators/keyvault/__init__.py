"""A Key Vault on loopback, for secrets only: no keys, no certificates, no management plane.

`state` holds the secrets and knows nothing of HTTP. `app` checks each request as the service does (`access`,
`throttle`) and hands it to one of the `operations`; `wire` is the form of the answers, `errors` what is refused.
Held to Microsoft's own tests and recordings of the service by `tests/interop`.
"""
