// Who acts: the job in the vaults, the alert rules in the logs. Two identities, because what may read every token has
// no business in the logs, and the other way round.
// Both are user-assigned: their rights exist before what uses them does, and only such an identity can be the federated
// credential of an app registration ("Configure an application to trust a managed identity", Microsoft Entra
// Workload ID, 2024-12-03).

param jobIdentityName string
param alertsIdentityName string
param location string
param tags object

resource job 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: jobIdentityName
  location: location
  tags: tags
}

resource alerts 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: alertsIdentityName
  location: location
  tags: tags
}

output jobName string = job.name
output jobId string = job.id
output jobClientId string = job.properties.clientId
output jobPrincipalId string = job.properties.principalId
output alertsId string = alerts.id
output alertsPrincipalId string = alerts.properties.principalId
