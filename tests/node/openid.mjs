// A certified OpenID provider on loopback:  node openid.mjs PORT
// Its pages take any login; the account is the login typed in. `/_test/…` changes what it is while it runs.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const paths = ['/callback', '/auth/providers/op/callback', '/auth/providers/work/callback'];
const redirects = paths.map((path) => `http://localhost:17399${path}`);
const said = new Map();  // account -> what its claims say instead

const common = {
  redirect_uris: redirects, post_logout_redirect_uris: ['http://localhost:17399/out'],
  grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
};
const secret = 'a secret that is long enough to sign with';
let clients = [
  { ...common, client_id: 'web', client_secret: secret },
  { ...common, client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { ...common, client_id: 'public', token_endpoint_auth_method: 'none' },
  { ...common, client_id: 'signing', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' },
  { ...common, client_id: 'es256', client_secret: secret, id_token_signed_response_alg: 'ES256' },
  { ...common, client_id: 'hs256', client_secret: secret, id_token_signed_response_alg: 'HS256' },
  { ...common, client_id: 'signed-userinfo', client_secret: secret, userinfo_signed_response_alg: 'RS256' },
];

function keys() {
  const key = (type, options) => generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' });
  return [
    { ...key('rsa', { modulusLength: 2048 }), use: 'sig', alg: 'RS256', kid: randomUUID() },
    { ...key('ec', { namedCurve: 'P-256' }), use: 'sig', alg: 'ES256', kid: randomUUID() },
  ];
}

function provider(jwks) {
  const made = new Provider(issuer, {
    clients, jwks: { keys: jwks },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username', 'locale'], acr: null },
    scopes: ['openid', 'offline_access', 'email', 'profile'],
    acrValues: ['one', 'two'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'HS256'] },
    features: {
      devInteractions: { enabled: true }, revocation: { enabled: true },
      jwtUserinfo: { enabled: true }, claimsParameter: { enabled: true },
    },
    pkce: { required: () => true },
    cookies: { keys: ['loopback only'] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, RefreshToken: 86400, Session: 3600, Grant: 86400, Interaction: 600 },
    async findAccount(ctx, id) {
      const claims = { sub: id, email: `${id}@example.test`, email_verified: true, name: `User ${id}`, preferred_username: id };
      return { accountId: id, async claims() { return { ...claims, ...said.get(id) }; } };
    },
  });
  made.on('server_error', (ctx, error) => console.error('server_error', error));
  return made.callback();
}

let jwks = keys();
let answer = provider(jwks);

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : null;
}

createServer(async (request, response) => {
  const [, hook, name] = request.url.match(/^\/_test\/(\w+)\/?([\w-]*)$/) ?? [];
  if (!hook) return answer(request, response);
  const value = await body(request);
  if (hook === 'accounts') said.set(name, value);
  if (hook === 'clients') clients = [...clients.filter((one) => one.client_id !== value.client_id), { ...common, ...value }];
  if (hook === 'rotate') jwks = keys();
  if (hook !== 'accounts') answer = provider(jwks);
  response.writeHead(204).end();
}).listen(port, '127.0.0.1', () => console.log('ready', issuer));
