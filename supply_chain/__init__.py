"""What is pinned is audited and told: `make audit`, `make sbom`. Never shipped; needs requirements-audit.txt alone.

`pins` reads the lock files; `audit` stands in front of pip-audit, `sbom` in front of cyclonedx-py. Both tools end well
over what they did not look at; these do not.
"""
