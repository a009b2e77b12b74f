// Who is told, what they are told, and that the telling itself is watched. The rules are in ../alerts: this file hands
// them to Azure Monitor and fills in what only a deployment knows.

param actionGroupName string
param location string
param tags object
param workspaceId string
@description('Identity that the rules read the logs with.')
param identityId string
@description('Of each vault its url, and since when the job was given it: before its first run the heartbeat counts from there.')
param vaults array
param emails array
param roleIds array
param runbookUrl string
@description('Where the job is, for whoever reads a mail at night.')
param functionAppName string
param dailyCapGb int
@description('Mail it, too, when a rule or the action group is written.')
param alertOnRuleChanges bool

var groupId = resourceGroup().id
var vaultRows = [for vault in vaults: '"${vault.url}", "${vault.given}"']
var vaultTable = join(vaultRows, ',\n    ')
var rules = loadJsonContent('../alerts/rules.json')
var queries = {
  critical_reminder: loadTextContent('../alerts/critical_reminder.kql')
  heartbeat: replace(loadTextContent('../alerts/heartbeat.kql'), '{vaults}', vaultTable)
  heartbeat_reminder: replace(loadTextContent('../alerts/heartbeat_reminder.kql'), '{vaults}', vaultTable)
  problems_critical: loadTextContent('../alerts/problems_critical.kql')
  problems_error: loadTextContent('../alerts/problems_error.kql')
  problems_warning: loadTextContent('../alerts/problems_warning.kql')
  run_not_completed: loadTextContent('../alerts/run_not_completed.kql')
}
var ruleNames = [
  'critical_reminder'
  'heartbeat'
  'heartbeat_reminder'
  'problems_critical'
  'problems_error'
  'problems_warning'
  'run_not_completed'
]

// "Monitor the health of log search alert rules", Azure Monitor (2024-02-08): a rule reports whether it works only if it
// is evaluated every 15 minutes or more often.
var reportingFrequencies = ['PT5M', 'PT10M', 'PT15M']
var oftenEvaluated = filter(ruleNames, name => contains(reportingFrequencies, rules[name].evaluationFrequency))
var reportingRules = union(oftenEvaluated, dailyCapGb == -1 ? [] : ['daily_cap_reached'])

// Of the alerts on the alarm: what holds of each of them.
var restore = 'Deploy again with azd provision --no-state, which restores every rule. Until then look yourself: python -m rotation status.'

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'TokenRotate'
    // Named by the address, so that the order of the list decides nothing.
    emailReceivers: [for address in emails: {
      name: 'email-${uniqueString(toLower(address))}'
      emailAddress: address
      useCommonAlertSchema: true
    }]
    armRoleReceivers: [for id in roleIds: {
      name: 'role-${id}'
      roleId: id
      useCommonAlertSchema: true
    }]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for name in ruleNames: {
  name: name
  location: location
  tags: tags
  kind: 'LogAlert'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    displayName: rules[name].title
    description: replace(replace(replace(rules[name].description, '{runbookUrl}', runbookUrl), '{functionAppName}', functionAppName), '{resourceGroup}', resourceGroup().name)
    enabled: true
    severity: rules[name].severity
    scopes: [workspaceId]
    evaluationFrequency: rules[name].evaluationFrequency
    windowSize: rules[name].windowSize
    autoMitigate: rules[name].autoMitigate
    // The rights of the identity take minutes to spread: validation would fail the first deployment. `make infra` parses
    // the queries, `make test` runs them, and a rule that fails all the same is unhealthy, which is alerted below.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: queries[name]
          timeAggregation: rules[name].timeAggregation
          metricMeasureColumn: rules[name].metricMeasureColumn
          operator: rules[name].operator
          threshold: rules[name].threshold
          failingPeriods: rules[name].failingPeriods
          dimensions: [for dimension in rules[name].dimensions: {
            name: dimension
            operator: 'Include'
            values: ['*']
          }]
        }
      ]
    }
    actions: {
      actionGroups: [actionGroup.id]
      // "Customize log search alert email subjects (preview)", Azure Monitor (2025-06-26). Which place a dimension has in
      // the payload is documented nowhere: rules.json lists them by the alphabet, so that any order but chance is right.
      actionProperties: {
        'Email.Subject': rules[name].emailSubject
      }
    }
  }
}]

// "Set daily cap on Log Analytics workspace", Azure Monitor (2023-10-23): the query, the window and the frequency. A cap
// stops what is billed for, and what the workspace says of itself is not.
resource dailyCapReached 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = if (dailyCapGb != -1) {
  name: 'daily_cap_reached'
  location: location
  tags: tags
  kind: 'LogAlert'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    displayName: 'Token rotation: the workspace is full for today and hears no alarm'
    description: 'What happened: the daily cap of the workspace is reached. Until it is reset tomorrow no event of the job arrives, and no other alert of it can be trusted. The job itself goes on.\nWhat to do: raise DAILY_CAP_GB, or set it to -1, and deploy; then look for what wrote so much. Until then look yourself: python -m rotation status. Step by step: ${runbookUrl}#daily_cap_reached'
    enabled: true
    severity: 1
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: true
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: '_LogOperation | where Category =~ "Ingestion" | where Detail contains "OverQuota"'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [actionGroup.id]
    }
  }
}

// The alarm on the alarm, by another way than the rules themselves: the activity log needs no workspace and no query.
// A disabled rule counts as unavailable. A rule that reports nothing is left out: its health is always unknown.
resource ruleUnhealthy 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'rule_unhealthy'
  location: 'global'
  tags: tags
  properties: {
    description: 'What happened: an alert rule of token rotation is disabled, or its query fails: what it should tell is not told. The affected resource of this alert is the rule.\nWhat to do: open the rule under Monitor, Alerts, Alert rules; Resource health says why. ${restore} Step by step: ${runbookUrl}#rule_unhealthy'
    enabled: true
    scopes: [for name in reportingRules: resourceId('Microsoft.Insights/scheduledQueryRules', name)]
    condition: {
      allOf: [
        {
          field: 'category'
          equals: 'ResourceHealth'
        }
        {
          field: 'status'
          equals: 'Active'
        }
        {
          anyOf: [
            {
              field: 'properties.currentHealthStatus'
              equals: 'Unavailable'
            }
            {
              field: 'properties.currentHealthStatus'
              equals: 'Degraded'
            }
          ]
        }
      ]
    }
    actions: {
      actionGroups: [
        {
          actionGroupId: actionGroup.id
        }
      ]
    }
  }
  dependsOn: [
    logAlerts
    dailyCapReached
  ]
}

// A rule that is gone has no health. Deleting the action group itself cannot be told: there is nobody left to tell.
resource ruleDeleted 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'rule_deleted'
  location: 'global'
  tags: tags
  properties: {
    description: 'What happened: somebody deleted an alert rule of token rotation: what it should tell is not told. The affected resource of this alert is the rule; caller says who it was.\nWhat to do: ${restore} Step by step: ${runbookUrl}#rule_deleted'
    enabled: true
    scopes: [groupId]
    condition: {
      allOf: [
        {
          field: 'category'
          equals: 'Administrative'
        }
        {
          field: 'status'
          equals: 'Succeeded'
        }
        {
          anyOf: [
            {
              field: 'operationName'
              equals: 'Microsoft.Insights/scheduledQueryRules/delete'
            }
            {
              field: 'operationName'
              equals: 'Microsoft.Insights/activityLogAlerts/delete'
            }
          ]
        }
      ]
    }
    actions: {
      actionGroups: [
        {
          actionGroupId: actionGroup.id
        }
      ]
    }
  }
}

// Whoever edits a rule in the portal leaves it healthy: it may ask for something that never happens. Azure tells of the
// writing alone, not of what was written, and a deployment writes every rule: for those who deploy rarely.
resource ruleChanged 'Microsoft.Insights/activityLogAlerts@2020-10-01' = if (alertOnRuleChanges) {
  name: 'rule_changed'
  location: 'global'
  tags: tags
  properties: {
    description: 'What happened: an alert rule of token rotation, or the list of who is told, was written. The affected resource of this alert is what was written; caller says who it was.\nWhat to do: nothing, if that was a deployment of yours: it writes all of them. Otherwise what it should tell may no longer be told. ${restore} Step by step: ${runbookUrl}#rule_changed'
    enabled: true
    scopes: [groupId]
    condition: {
      allOf: [
        {
          field: 'category'
          equals: 'Administrative'
        }
        {
          field: 'status'
          equals: 'Succeeded'
        }
        {
          anyOf: [
            {
              field: 'operationName'
              equals: 'Microsoft.Insights/scheduledQueryRules/write'
            }
            {
              field: 'operationName'
              equals: 'Microsoft.Insights/activityLogAlerts/write'
            }
            {
              field: 'operationName'
              equals: 'Microsoft.Insights/actionGroups/write'
            }
          ]
        }
      ]
    }
    actions: {
      actionGroups: [
        {
          actionGroupId: actionGroup.id
        }
      ]
    }
  }
}

output actionGroupName string = actionGroup.name
