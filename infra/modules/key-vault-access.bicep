// Who may do what in one vault, deployed in the vault's own resource group, which may be in another subscription.
// A role definition has one GUID in the whole tenant, and is named through the subscription of the assignment.

param vaultName string
@description('GUID of the role definition.')
param roleName string
param jobPrincipalId string
@description('One more principal with the same rights; empty: none.')
param principalId string
param principalType string

var roleDefinitionId = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource jobRotatesTokens 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, jobPrincipalId, roleName)
  scope: vault
  properties: {
    principalId: jobPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleDefinitionId
  }
}

resource operatorRotatesTokens 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(principalId)) {
  name: guid(vault.id, principalId, roleName)
  scope: vault
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: roleDefinitionId
  }
}

// Azure's own note of when the job was given the vault. Deploying again moves `updatedOn` and leaves this as it is (role
// assignments in the recordings of azd's own tests). Without it no deployment fails: the heartbeat takes the vault for old.
output given string = jobRotatesTokens.properties.?createdOn ?? ''
