"""token-rotation: keep OAuth refresh tokens in Azure Key Vault alive. The map of this folder, from the inside out.

    reason, secret_value, clouds, token, policy    pure: what a token is, what is due
    outcome, problem, report, status_report        pure: what happened, what it means, how it is told
    ports                                          Vault, Issuer, Lease: what the effects need, and the errors they
    may get rotate, gates, run                             one token in seven steps; many tokens: order, pace,
    breakers, deadlines keyvault, entra, aadsts, lease                 adapters and the table of the issuer's error
    codes settings, wiring                               the one reader of the environment; the one place that knows
    everything web, cli                                       the doors; `function_app.py` beside this folder is the
    third

The pure part imports nothing that could read a clock, a file or a network; the import contracts in `pyproject.toml`
hold it.
"""
