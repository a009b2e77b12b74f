// A certified OpenID Connect issuer on loopback that rotates refresh tokens and revokes the whole family when an old one
// comes back. Its address has Entra's shape (https://127.0.0.1:PORT/<tenant>/v2.0), so that MSAL finds its way.
// One account has consented, ISSUER_CONSENTS times; as many refresh tokens, each of a family of its own, exist from the
// start and are named in the single line on stdout. Of the first requests for a token, ISSUER_LOST_REQUESTS are dropped
// before they have an effect; of those that follow, ISSUER_LOST_ANSWERS have theirs, and the answer never leaves.
// It ends when its standard input does, so that it never outlives the process that started it.

import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import Provider from 'oidc-provider';

const RESOURCE = 'https://api.partnercenter.microsoft.com';
const RESOURCE_SCOPE = `${RESOURCE}/user_impersonation`;
const OPENID_SCOPE = 'openid profile offline_access';
const DAY = 24 * 60 * 60; // seconds

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

const tenant = setting('ISSUER_TENANT');
const accountId = setting('ISSUER_ACCOUNT');
const clientId = setting('ISSUER_CLIENT_ID');
const pem = readFileSync(setting('ISSUER_CERTIFICATE_FILE'));
const prefix = `/${tenant}/v2.0`;

// With ISSUER_CLIENT_CERTIFICATE_FILE the client proves itself with assertions that this certificate's key signs.
function clientAuthentication() {
  const file = process.env.ISSUER_CLIENT_CERTIFICATE_FILE;
  if (!file) {
    return { client_secret: setting('ISSUER_CLIENT_SECRET'), token_endpoint_auth_method: 'client_secret_post' };
  }
  const { publicKey } = new X509Certificate(readFileSync(file));
  return {
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'PS256' }] },
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'PS256',
  };
}

// stdout carries one line for the parent; what the library has to say goes to stderr.
console.log = console.info = console.warn = console.error;

function configuration() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    clients: [{
      client_id: clientId,
      ...clientAuthentication(),
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://contoso.example/consented'],
    }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    scopes: [...OPENID_SCOPE.split(' '), RESOURCE_SCOPE],
    rotateRefreshToken: true,
    ttl: { AccessToken: 3600, IdToken: 3600, Grant: 90 * DAY, RefreshToken: 90 * DAY },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    extraTokenClaims: () => ({ tid: tenant, oid: accountId, amr: ['pwd', 'mfa'] }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: RESOURCE_SCOPE, audience: RESOURCE, accessTokenFormat: 'jwt', accessTokenTTL: 3600,
        }),
      },
    },
  };
}

// What an interactive sign-in with consent would leave behind.
async function consented(provider) {
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(OPENID_SCOPE);
  grant.addResourceScope(RESOURCE, RESOURCE_SCOPE);
  const refreshToken = new provider.RefreshToken({
    accountId,
    client: await provider.Client.find(clientId),
    grantId: await grant.save(),
    gty: 'authorization_code',
    resource: RESOURCE,
    scope: `${OPENID_SCOPE} ${RESOURCE_SCOPE}`,
    authTime: Math.floor(Date.now() / 1000),
  });
  return refreshToken.save();
}

let requestsToLose = Number(process.env.ISSUER_LOST_REQUESTS ?? 0);
let answersToLose = Number(process.env.ISSUER_LOST_ANSWERS ?? 0);

// Whether the request for a token is carried out; whoever asked sees a closed connection where one is to be lost.
function isCarriedOut(request, response) {
  if (requestsToLose > 0) {
    requestsToLose -= 1;
    request.destroy();
    return false;
  }
  if (answersToLose > 0) {
    answersToLose -= 1;
    response.write = response.end = () => response.destroy();
  }
  return true;
}

const server = createServer({ cert: pem, key: pem });
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address();
  const provider = new Provider(`https://127.0.0.1:${port}${prefix}`, configuration());
  provider.on('server_error', (ctx, error) => console.error(error));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith(`${prefix}/`)) {
      response.writeHead(404).end();
      return;
    }
    request.originalUrl = request.url; // the library finds its mount point by comparing the two
    request.url = request.url.slice(prefix.length);
    if (request.method !== 'POST' || isCarriedOut(request, response)) answer(request, response);
  });
  const refreshTokens = [];
  for (let left = Number(process.env.ISSUER_CONSENTS ?? 1); left > 0; left -= 1) {
    refreshTokens.push(await consented(provider));
  }
  process.stdout.write(`${JSON.stringify({ port, refresh_tokens: refreshTokens })}\n`);
});

process.stdin.resume().on('end', () => process.exit(0));
