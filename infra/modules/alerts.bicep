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
param dailyCapGb int

var groupId = resourceGroup().id
var vaultRows = [for vault in vaults: '"${vault.url}", "${vault.given}"']
var rules = loadJsonContent('../alerts/rules.json')
var queries = {
  critical_reminder: loadTextContent('../alerts/critical_reminder.kql')
  heartbeat: replace(loadTextContent('../alerts/heartbeat.kql'), '{vaults}', join(vaultRows, ',\n    '))
  problems_critical: loadTextContent('../alerts/problems_critical.kql')
  problems_error: loadTextContent('../alerts/problems_error.kql')
  problems_warning: loadTextContent('../alerts/problems_warning.kql')
  run_not_completed: loadTextContent('../alerts/run_not_completed.kql')
}
var ruleNames = [
  'critical_reminder'
  'heartbeat'
  'problems_critical'
  'problems_error'
  'problems_warning'
  'run_not_completed'
]

// "Monitor the health of log search alert rules", Azure Monitor, read 2026-11-21: a rule reports whether it works only if
// it is evaluated every 15 minutes or more often.
var reportingFrequencies = ['PT5M', 'PT10M', 'PT15M']
var reportingRules = filter(ruleNames, name => contains(reportingFrequencies, rules[name].evaluationFrequency))

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
    description: replace(rules[name].description, '{runbookUrl}', runbookUrl)
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
    }
  }
}]

// "Set daily cap on Log Analytics workspace", Azure Monitor, read 2026-11-21: what the workspace says when it stops
// listening for the day. Its own operations are still recorded then.
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
    description: 'What happened: the daily cap of the workspace is reached. Until it is reset tomorrow no event of the job arrives, and no other alert of it can be trusted. The job itself goes on.\nWhat to do: raise DAILY_CAP_GB, or set it to -1, and deploy; then look for what wrote so much.'
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
    description: 'What happened: an alert rule of token rotation is disabled, or its query fails: what it should tell is not told.\nWhat to do: open the rule under Monitor, Alerts, Alert rules; Resource health says why. Enable it, or deploy again, which restores all rules.'
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
  ]
}

// A rule that is gone has no health. Deleting the action group itself cannot be told: there is nobody left to tell.
resource ruleDeleted 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'rule_deleted'
  location: 'global'
  tags: tags
  properties: {
    description: 'What happened: somebody deleted an alert rule of token rotation: what it should tell is not told.\nWhat to do: deploy again, which restores all rules. The activity log of the resource group says who it was.'
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

output actionGroupName string = actionGroup.name
