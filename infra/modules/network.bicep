// Private networking: the app reaches vaults and storage through private endpoints, and the internet through one fixed
// address when asked for. Microsoft Entra ID and Azure Monitor have no private endpoint here: the way out stays open.

param name string
param location string
param tags object
@description('First three numbers of the addresses: the network is a /24.')
param addressBase string
param fixedEgressAddress bool
param storageAccountId string
param keyVaultIds array

resource egressAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (fixedEgressAddress) {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource natGateway 'Microsoft.Network/natGateways@2025-05-01' = if (fixedEgressAddress) {
  name: 'ng-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [
      {
        id: egressAddress.id
      }
    ]
  }
}

// The delegation that Flex Consumption asks for, in a subnet of the app's own; the subscription must know the resource
// provider Microsoft.App, of which nothing here is a resource ("Azure Functions Flex Consumption plan hosting", 2026-03-18).
resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: ['${addressBase}.0/24']
    }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: '${addressBase}.0/26'
          // Said outright, because the default of new networks is about to be none.
          defaultOutboundAccess: !fixedEgressAddress
          natGateway: fixedEgressAddress ? { id: natGateway.id } : null
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'private-endpoints'
        properties: {
          addressPrefix: '${addressBase}.64/26'
          defaultOutboundAccess: false
        }
      }
    ]
  }
}

resource blobZone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'privatelink.blob.${environment().suffixes.storage}'
  location: 'global'
  tags: tags
}

resource blobZoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: blobZone
  name: name
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network.id
    }
  }
}

resource keyVaultZone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: replace(environment().suffixes.keyvaultDns, '.vault.', 'privatelink.vaultcore.')
  location: 'global'
  tags: tags
}

resource keyVaultZoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: keyVaultZone
  name: name
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network.id
    }
  }
}

module storageEndpoint 'private-endpoint.bicep' = {
  name: 'private-endpoint-storage'
  params: {
    targetId: storageAccountId
    groupId: 'blob'
    location: location
    tags: tags
    subnetId: network.properties.subnets[1].id
    zoneId: blobZone.id
  }
}

module keyVaultEndpoints 'private-endpoint.bicep' = [for (id, i) in keyVaultIds: {
  name: 'private-endpoint-vault-${i}'
  params: {
    targetId: id
    groupId: 'vault'
    location: location
    tags: tags
    subnetId: network.properties.subnets[1].id
    zoneId: keyVaultZone.id
  }
}]

output functionSubnetId string = network.properties.subnets[0].id
output egressAddress string = fixedEgressAddress ? (egressAddress.?properties.ipAddress ?? '') : ''
