// Everything that the job needs in one subscription: deployed by `azd up`, or by `az deployment sub create`.
// This file names things and hands them to each other; what each is and why it is so is said in modules/.
// Deploying twice changes nothing: every name and every GUID is computed from the subscription, the environment's
// name and the location; nothing here reads the time or chance.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment. With the location it makes the names of all resources.')
param environmentName string

@minLength(1)
@description('Azure region of all resources. It must offer the Flex Consumption plan.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Name of the resource group. Default: made from the environment. A group of its own: a deployment replaces its tags, and azd down deletes it with all that is in it.')
param resourceGroupName string = ''

@description('Object id of one more principal who may do in the vaults what the job may, and send its telemetry: whoever tags tokens and uses the command line. Empty: nobody but the job. azd\'s own AZURE_PRINCIPAL_ID is left out on purpose: it would give whoever deploys a data role.')
param principalId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('What that principal is.')
param principalType string = 'User'

@description('Resource ids of existing vaults with the permission model Azure RBAC, in any resource group or subscription of the tenant, separated by commas. Empty: a vault is made.')
param existingKeyVaultIds string = ''

@maxLength(24)
@description('Name of the vault that is made. Default: made from the environment. A deleted vault holds its name for 90 days.')
param keyVaultName string = ''

@description('Resource id of the role that the job gets on the vaults. Empty: a custom role with the four data actions that it needs is made, which takes the right to write role definitions.')
param keyVaultRoleDefinitionId string = ''

@minLength(3)
@description('E-mail addresses that are told what needs a person, separated by commas.')
param alertEmails string

@description('GUIDs of built-in roles whose members at the subscription are mailed too, separated by commas, such as 749f88d5-cbae-40b8-bcfc-e573ddc772fa (Monitoring Contributor). A second path: it needs no passcode.')
param alertRoleIds string = ''

@minLength(12)
@description('Where the runbook is read: each mail sends its reader there. The https address of docs/runbook.md in your own repository or wiki, as the people on duty can open it.')
param runbookUrl string

@allowed(['0 17 * * * *', '0 17 */2 * * *', '0 17 */3 * * *', '0 17 */4 * * *', '0 17 */6 * * *'])
@description('NCRONTAB with six fields, in UTC: every six hours or more often, because after 13 hours without a run the heartbeat alarms.')
param rotationSchedule string = '0 17 */6 * * *'

@minValue(1)
@description('Redeem a token when it is this many days old.')
param rotateAfterDays int = 7

@minValue(1)
@description('The issuer\'s limit, in days.')
param inactivityDays int = 90

@minValue(1)
@description('With fewer days left it is a problem even if nothing failed.')
param warnBeforeDays int = 30

@minValue(1)
@maxValue(64)
@description('Tokens in flight.')
param maxConcurrency int = 16

@minValue(1)
@description('Stores a second and vault. Key Vault allows 300 in 10 seconds.')
param writesPerSecond int = 29

@minValue(10)
@maxValue(480)
@description('No token is started after this many seconds.')
param runTimeLimitSeconds int = 480

@description('Other authorities for redemption, such as global=https://login.contoso.example, separated by commas.')
param authorityOverrides string = ''

@allowed([512, 2048, 4096])
@description('Memory of one instance in MB.')
param instanceMemoryMB int = 2048

@minValue(30)
@maxValue(730)
@description('Days that logs are kept. Application Insights tables cost nothing for 90.')
param logRetentionDays int = 90

@minValue(-1)
@description('Daily limit of the workspace in GB; -1 is none. A workspace that is full for the day hears no alarm.')
param dailyCapGb int = -1

@description('Mail it, too, when an alert rule or the action group is written. A deployment writes all of them, and each is a mail.')
param alertOnRuleChanges bool = false

@description('Put vault and storage behind private endpoints in a virtual network, and close their public ones.')
param privateNetworking bool = false

@description('With private networking: send everything out through one fixed address, for policies that ask for one.')
param fixedEgressAddress bool = false

@description('First three numbers of the addresses of the virtual network, a /24.')
param virtualNetworkBase string = '10.73.0'

@description('Client id of an app registration that stands for the HTTP routes. Given: callers need a token for it besides the function key.')
param httpAuthClientId string = ''

@description('Client ids of the apps that may call the HTTP routes, separated by commas. Empty: that app registration alone.')
param httpAuthAllowedClientIds string = ''

var publicNetworkAccess = privateNetworking ? 'Disabled' : 'Enabled'
var abbreviations = loadJsonContent('abbreviations.json')
var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var groupName = empty(resourceGroupName) ? '${abbreviations.resourceGroup}${environmentName}' : resourceGroupName

// azd and people write lists as one string: an environment variable has no other form.
var vaultIdEntries = [for id in split(existingKeyVaultIds, ','): trim(id)]
var givenVaultIds = filter(vaultIdEntries, id => !empty(id))
var emailEntries = [for address in split(alertEmails, ','): trim(address)]
var roleEntries = [for id in split(alertRoleIds, ','): trim(id)]
var callerEntries = [for id in split(httpAuthAllowedClientIds, ','): trim(id)]

var makesVault = empty(givenVaultIds)
var newVaultName = empty(keyVaultName) ? '${abbreviations.keyVault}${suffix}' : keyVaultName
var newVaultId = '${subscription().id}/resourceGroups/${groupName}/providers/Microsoft.KeyVault/vaults/${newVaultName}'
var vaultIds = makesVault ? [newVaultId] : givenVaultIds
var vaultUrls = [for id in vaultIds: 'https://${toLower(last(split(id, '/')))}${environment().suffixes.keyvaultDns}']
var vaultSubscriptions = [for id in vaultIds: '/subscriptions/${split(id, '/')[2]}']

// The audience of a managed identity as federated credential, by cloud. "Configure an application to trust a managed
// identity", Microsoft Entra Workload ID (2024-12-03).
var federationAudiences = {
  AzureCloud: 'api://AzureADTokenExchange'
  AzureUSGovernment: 'api://AzureADTokenExchangeUSGov'
  AzureChinaCloud: 'api://AzureADTokenExchangeChina'
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

// What the job does in a vault, and no more: list names and tags, read a value, store a version, change tags and
// disable a version. Every built-in role that may write secrets has secrets/*, and so deletes and purges them too.
// The name is unique in a tenant, hence subscription and environment in it.
resource tokenRotationRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (empty(keyVaultRoleDefinitionId)) {
  name: guid(subscription().id, environmentName, 'token-rotation')
  properties: {
    roleName: 'Token rotation ${environmentName} ${subscription().subscriptionId}'
    description: 'Redeems refresh tokens in a Key Vault and stores the new ones: reads and writes secrets, deletes none.'
    type: 'CustomRole'
    assignableScopes: union(['/subscriptions/${subscription().subscriptionId}'], vaultSubscriptions)
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: [
          'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
          'Microsoft.KeyVault/vaults/secrets/getSecret/action'
          'Microsoft.KeyVault/vaults/secrets/setSecret/action'
          'Microsoft.KeyVault/vaults/secrets/update/action'
        ]
        notDataActions: []
      }
    ]
  }
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  scope: group
  params: {
    jobIdentityName: '${abbreviations.userAssignedIdentity}job-${suffix}'
    alertsIdentityName: '${abbreviations.userAssignedIdentity}alerts-${suffix}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspace}${suffix}'
    applicationInsightsName: '${abbreviations.applicationInsights}${suffix}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyCapGb: dailyCapGb
    jobPrincipalId: identities.outputs.jobPrincipalId
    alertsPrincipalId: identities.outputs.alertsPrincipalId
    principalId: principalId
    principalType: principalType
  }
}

module keyVault 'modules/key-vault.bicep' = if (makesVault) {
  name: 'key-vault'
  scope: group
  params: {
    name: newVaultName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    publicNetworkAccess: publicNetworkAccess
  }
}

module keyVaultAccess 'modules/key-vault-access.bicep' = [for (id, i) in vaultIds: {
  name: 'key-vault-access-${suffix}-${i}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    vaultName: last(split(id, '/'))
    roleName: empty(keyVaultRoleDefinitionId) ? tokenRotationRole.name : last(split(keyVaultRoleDefinitionId, '/'))
    jobPrincipalId: identities.outputs.jobPrincipalId
    principalId: principalId
    principalType: principalType
  }
  dependsOn: [
    keyVault
  ]
}]

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: '${abbreviations.storageAccount}${suffix}'
    location: location
    tags: tags
    publicNetworkAccess: publicNetworkAccess
    workspaceId: monitoring.outputs.workspaceId
    jobPrincipalId: identities.outputs.jobPrincipalId
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  scope: group
  params: {
    name: '${abbreviations.virtualNetwork}${suffix}'
    location: location
    tags: tags
    addressBase: virtualNetworkBase
    fixedEgressAddress: fixedEgressAddress
    storageAccountId: storage.outputs.id
    keyVaultIds: vaultIds
  }
  dependsOn: [
    keyVault
  ]
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    name: '${abbreviations.functionApp}${suffix}'
    planName: '${abbreviations.appServicePlan}${suffix}'
    location: location
    tags: tags
    instanceMemoryMB: instanceMemoryMB
    identityId: identities.outputs.jobId
    identityClientId: identities.outputs.jobClientId
    blobEndpoint: storage.outputs.blobEndpoint
    packageContainerName: storage.outputs.packageContainerName
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    subnetId: privateNetworking ? (network.?outputs.functionSubnetId ?? '') : ''
    httpAuthClientId: httpAuthClientId
    httpAuthAllowedClientIds: filter(callerEntries, id => !empty(id))
    settings: {
      KEY_VAULT_URLS: join(vaultUrls, ',')
      ROTATION_SCHEDULE: rotationSchedule
      ROTATE_AFTER_DAYS: string(rotateAfterDays)
      INACTIVITY_DAYS: string(inactivityDays)
      WARN_BEFORE_DAYS: string(warnBeforeDays)
      MAX_CONCURRENCY: string(maxConcurrency)
      WRITES_PER_SECOND: string(writesPerSecond)
      RUN_TIME_LIMIT_SECONDS: string(runTimeLimitSeconds)
      AUTHORITY_OVERRIDES: authorityOverrides
    }
  }
  // The first start reads the package and the vault: both rights exist before it.
  dependsOn: [
    keyVaultAccess
  ]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    actionGroupName: '${abbreviations.actionGroup}${suffix}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    identityId: identities.outputs.alertsId
    vaults: [for (url, i) in vaultUrls: {
      url: url
      given: keyVaultAccess[i].outputs.given
    }]
    emails: filter(emailEntries, address => !empty(address))
    roleIds: filter(roleEntries, id => !empty(id))
    runbookUrl: runbookUrl
    functionAppName: functionApp.outputs.name
    dailyCapGb: dailyCapGb
    alertOnRuleChanges: alertOnRuleChanges
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    displayName: 'Token rotation (${environmentName})'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

// azd keeps outputs in the environment, under these names: none may be one that main.parameters.json reads, or the
// first deployment would set a parameter of the second. And none is AZURE_CLIENT_ID or AZURE_TENANT_ID: with those in
// its environment the command line would take itself for somebody else.
output AZURE_LOCATION string = location
output TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = functionApp.outputs.name
output AZURE_FUNCTION_APP_URL string = functionApp.outputs.url
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name
output AZURE_LOG_ANALYTICS_WORKSPACE_NAME string = monitoring.outputs.workspaceName
output AZURE_LOG_ANALYTICS_CUSTOMER_ID string = monitoring.outputs.workspaceCustomerId
output AZURE_APPLICATION_INSIGHTS_NAME string = monitoring.outputs.applicationInsightsName
output AZURE_WORKBOOK_ID string = workbook.outputs.id
output ACTION_GROUP_NAME string = alerts.outputs.actionGroupName
output KEY_VAULT_URLS string = join(vaultUrls, ',')
output KEY_VAULT_IDS string = join(vaultIds, ',')
output JOB_IDENTITY_NAME string = identities.outputs.jobName
output JOB_IDENTITY_CLIENT_ID string = identities.outputs.jobClientId
output JOB_IDENTITY_PRINCIPAL_ID string = identities.outputs.jobPrincipalId
// Only a role that was made here: whoever uninstalls deletes what this names.
output JOB_ROLE_NAME string = empty(keyVaultRoleDefinitionId) ? tokenRotationRole.name : ''
output FEDERATED_CREDENTIAL_ISSUER string = '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
output FEDERATED_CREDENTIAL_SUBJECT string = identities.outputs.jobPrincipalId
output FEDERATED_CREDENTIAL_AUDIENCE string = federationAudiences[environment().name]
output EGRESS_ADDRESS string = privateNetworking ? (network.?outputs.egressAddress ?? '') : ''
