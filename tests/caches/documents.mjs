// The operations of every client. The compiler of Relay's artifacts reads the same texts.
export const FAN_OUT = `query documentsFanOutQuery {
  tenants(tenantsQuery: { isOrganization: true }) {
    tenants {
      id
      name
      deepSecurity {
        id
        computers(first: 5) {
          nodes { id remoteID hostName description policy { id remoteID name description } }
        }
      }
      integrationServer {
        id
        tenant { id remoteID name administrationServer { id remoteID } }
        virtualMachines(first: 3) { nodes { id remoteID name } }
      }
    }
  }
}`;

export const IN_CONTEXT = `query documentsInContextQuery {
  requestTenantContext { tenantIDs }
  currentSubject { id name identity { __typename ... on Client { id name tenantID } } }
  deepSecurity {
    id
    computers(first: 5) { nodes { id remoteID hostName } }
  }
}`;

export const COMPUTER = `query documentsComputerQuery($id: ID!) {
  node(id: $id) { __typename id ... on DeepSecurityComputer { remoteID hostName description } }
}`;

export const DESCRIBE = `mutation documentsDescribeMutation($id: ID!, $text: String!) {
  updateDeepSecurityComputer(id: $id, input: { description: $text }) { id description }
}`;
