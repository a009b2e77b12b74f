"""token-rotation: keep OAuth refresh tokens in Azure Key Vault alive. The map of this folder, from the inside out.

What a token is, and what is due (pure):
    reason, secret_value, clouds, origin, credential_ref, remembered, token, policy, tagging
What happened, what it means, how it is told (pure):
    outcome, problem, report, events, status_report
What the effects need from outside, and the errors they may get:
    ports: Vault, Issuer, Lease, Sink
One token in seven steps:
    rotate, redeeming, storing, settling, version_history, remembering; client_credential, client_certificate: what
    proves the app's identity
Many tokens: what is due, in which order, with which breakers, at which pace and until when:
    inventory, asked_for, plan, schedule, lane_credentials, crew, pace, single_flight, run; telling; status
Adapters, and the table of the issuer's error codes:
    keyvault, keyvault_errors; entra, token_endpoint, client_assertion, federation, aadsts; lease,
    blob_lease, blob_errors; telemetry, spans, outbox
The one reader of the environment, and the one place that knows everything:
    settings, schedule_expression, telemetry_target, connection_string; wiring
The doors; `function_app.py` beside this folder opens the first two, and says what their log takes:
    timer, web, cli; worker_log

The pure part imports nothing that could read a clock, a file or a network: the import contracts in `pyproject.toml`
hold it.
"""
