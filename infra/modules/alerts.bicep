// Who is told, what they are told, and that the telling itself is watched. The rules are in ../alerts.

param actionGroupName string
param location string
param tags object
param workspaceId string
param identityId string
param vaultUrls array
param emails array
param roleIds array
param dailyCapGb int

var rules = items(loadJsonContent('../alerts/rules.json'))
var queries = {
  critical_reminder: loadTextContent('../alerts/critical_reminder.kql')
  heartbeat: replace(loadTextContent('../alerts/heartbeat.kql'), '<vaults>', join(map(vaultUrls, url => '"${url}"'), ','))
  problems_critical: loadTextContent('../alerts/problems_critical.kql')
  problems_error: loadTextContent('../alerts/problems_error.kql')
  problems_warning: loadTextContent('../alerts/problems_warning.kql')
  run_not_completed: loadTextContent('../alerts/run_not_completed.kql')
}

// "Monitor the health of log search alert rules", Azure Monitor, read 2026-11-21: only rules that are evaluated every 15
// minutes or more often report whether they work, and a disabled one of them is reported as unavailable.
var reportingFrequencies = ['PT5M', 'PT10M', 'PT15M']
var reportingRules = filter(rules, rule => contains(reportingFrequencies, rule.value.evaluationFrequency))
var silentRules = filter(rules, rule => !contains(reportingFrequencies, rule.value.evaluationFrequency))

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'TokenRotate'
    // Named by the address, so that its order in the list decides nothing.
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
