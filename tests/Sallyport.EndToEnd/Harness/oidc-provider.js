// An OpenID provider on a free port of loopback that issues real tokens to its clients "jane" and "bob": node oidc-provider.js
// Says "listening PORT" when it does. A line on standard input changes the signature key and is answered with "rotated".
const crypto = require('crypto'), http = require('http'), readline = require('readline'), { pathToFileURL } = require('url');

console.info = console.warn = console.error; // standard output is for what the test waits for

const key = kid => ({ ...crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' });
const client = (id, more) => ({ client_id: id, client_secret: id + '-secret', grant_types: ['client_credentials'], redirect_uris: [],
  response_types: [], scope: 'smtp read', ...more });
const resource = (audience, accessTokenFormat) => ({ scope: 'smtp read', audience, accessTokenFormat, accessTokenTTL: 600,
  ...(accessTokenFormat === 'jwt' ? { jwt: { sign: { alg: 'RS256' } } } : {}) });
const resources = { 'urn:mail': resource('sallyport', 'jwt'), 'urn:other': resource('other', 'jwt'), 'urn:opaque': resource('sallyport', 'opaque') };

(async () => {
  const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);
  let generation = 0, handle;
  const server = http.createServer((request, response) => handle(request, response));
  await new Promise(listening => server.listen(0, '127.0.0.1', listening));
  const begin = () => {
    handle = new Provider(`http://127.0.0.1:${server.address().port}`, {
      clients: [client('jane'), client('bob'), client('sallyport', { grant_types: [] })],
      scopes: ['smtp', 'read'],
      jwks: { keys: [key('key-' + ++generation)] },
      cookies: { keys: ['only for tests'] },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: { enabled: true, getResourceServerInfo: (ctx, name) => resources[name] },
      },
      extraTokenClaims: (ctx, token) => ({ email: token.clientId + '@acme.test', email_verified: token.clientId !== 'bob' }),
    }).callback();
  };
  begin();
  console.log('listening ' + server.address().port);
  readline.createInterface({ input: process.stdin }).on('line', () => { begin(); console.log('rotated'); }).on('close', () => process.exit(0));
})();
