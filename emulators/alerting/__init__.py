"""Azure Monitor's log search alerts: the rules of `infra/alerts`, evaluated over rows of a workspace, as mails.

`AlertRule` is a rule as the deployment makes it, `Workspace` runs its very KQL on rows of `AppEvents`, `evaluate` keeps
the state of its alerts over time, `Mail` is what a person gets. How rows come into being is left to the ingestion.
"""

from emulators.alerting.evaluation import evaluate
from emulators.alerting.mail import MAILS_AN_HOUR, Condition, Mail, delivered
from emulators.alerting.rule import AlertRule, load_rules
from emulators.alerting.workspace import Row, Workspace

__all__ = [
    "MAILS_AN_HOUR",
    "AlertRule",
    "Condition",
    "Mail",
    "Row",
    "Workspace",
    "delivered",
    "evaluate",
    "load_rules",
]
