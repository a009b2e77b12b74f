// The job's host: one function app on its own Flex Consumption plan, with the settings that the code reads.

param name string
param planName string
param location string
param tags object
param instanceMemoryMB int
param identityId string
param identityClientId string
param blobEndpoint string
param packageContainerName string
param applicationInsightsName string
@description('Subnet that the app reaches out through; empty: none.')
param subnetId string
@description('App registration of the HTTP routes; empty: the function key alone guards them.')
param httpAuthClientId string
param httpAuthAllowedClientIds array
@description('What the operator may choose, by name of the setting.')
param settings object

var authenticates = !empty(httpAuthClientId)

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'rotation' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      // 40 was long the least that the plan took, and is taken everywhere; 1 is said to be enough now ("Azure Functions
      // Flex Consumption plan hosting", 2026-03-18). No instance is kept ready: a timer can wait for a cold start.
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: 40
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
  }
}

// Who the job is and where it reports to cannot be chosen. "Connecting to host storage with an identity", Azure Functions
// developer guide. Neither of the variables of "Use OpenTelemetry with Azure Functions" (2025-11-17) is here: with
// PYTHON_ENABLE_OPENTELEMETRY the host drops the lines of the job's log, and nothing else would send them;
// PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY makes the worker export those of every library (docs/adr/0006-telemetry.md).
// FUNCTIONS_WORKER_RUNTIME and its like are not here: the plan takes them from functionAppConfig ("Flex Consumption plan
// deprecations", app settings reference).
resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, {
    AZURE_CLIENT_ID: identityClientId
    AzureWebJobsStorage__blobServiceUri: blobEndpoint
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  })
}

// A publishing password would be a second, unwatched way to put code beside the tokens.
resource noPublishingPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [for door in ['scm', 'ftp']: {
  parent: app
  name: door
  properties: {
    allow: false
  }
}]

// Always deployed, so that taking the parameter away takes the authentication away too. No client secret: callers bring
// a token, nobody is sent to a sign-in page. It is a component of its own in front of the host ("Tutorial: Host an MCP
// server on Azure Functions", 2025-11-14, on this very plan): the function key is asked for behind it as before. During
// its preview the plan let everybody through ("Flex Consumption plan hosting", 2024-05-24); the page of 2026 does not say
// so any more, and docs/deploy.md has the request that shows it.
resource authentication 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: authenticates
    }
    globalValidation: {
      requireAuthentication: authenticates
      unauthenticatedClientAction: 'Return401'
    }
    identityProviders: authenticates ? {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: httpAuthClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [httpAuthClientId, 'api://${httpAuthClientId}']
          defaultAuthorizationPolicy: {
            allowedApplications: union([httpAuthClientId], httpAuthAllowedClientIds)
          }
        }
      }
    } : {}
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
