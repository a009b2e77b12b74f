// Where the job reports to: one workspace, and Application Insights in front of it.

param workspaceName string
param applicationInsightsName string
param location string
param tags object
param retentionDays int
param dailyCapGb int
param jobPrincipalId string
param alertsPrincipalId string
param principalId string
param principalType string

var roles = loadJsonContent('../roles.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    // -1 is no cap. At a cap collection stops until the next day, and with it every alert; and since 2024 a cap may not
    // hold ("Set daily cap on Log Analytics workspace", Azure Monitor, 2023-10-23 and later notes).
    workspaceCapping: {
      dailyQuotaGb: dailyCapGb
    }
    features: {
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // The connection string alone lets nobody write: whoever sends proves who it is.
    DisableLocalAuth: true
    // An event that sampling drops is an alarm that nobody hears.
    SamplingPercentage: 100
  }
}

// "Microsoft Entra authentication for Application Insights", Azure Monitor (2026-03-06): this role on the component is
// what sending takes, whatever the kind of telemetry.
resource jobSendsTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, jobPrincipalId, roles.monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    principalId: jobPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringMetricsPublisher)
  }
}

// A run by hand ends the alert of what it mended, if it may say so.
resource operatorSendsTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(principalId)) {
  name: guid(applicationInsights.id, principalId, roles.monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringMetricsPublisher)
  }
}

// Without an identity of its own a rule runs with the rights that whoever edited it last had at that time ("Create or
// edit a log search alert rule", Azure Monitor, 2025-07-22).
resource alertsReadLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, alertsPrincipalId, roles.logAnalyticsReader)
  scope: workspace
  properties: {
    principalId: alertsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.logAnalyticsReader)
  }
}

output workspaceId string = workspace.id
output workspaceName string = workspace.name
output workspaceCustomerId string = workspace.properties.customerId
output applicationInsightsName string = applicationInsights.name
