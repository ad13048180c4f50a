// An OpenID Connect provider on this machine, for tests: any name and password sign in.
// Prints its issuer as the first line on stdout; ends when its stdin does.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const options = JSON.parse(process.argv[2] ?? "{}");
const server = createServer();
await new Promise((done) => server.listen(options.port ?? 0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const methods = options.authMethods ?? ["none", "client_secret_basic", "client_secret_post"];
const grants = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "desktop",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: grants,
      redirect_uris: ["http://127.0.0.1/callback"],
      response_types: ["code"],
    },
    // Each with a secret that is another one when it is not written as in a form.
    ...methods.slice(1).map((method) => ({
      client_id: `with:${method}`,
      client_secret: "CANARY%2B+/:secret",
      application_type: "native",
      token_endpoint_auth_method: method,
      grant_types: grants,
      redirect_uris: ["http://127.0.0.1/callback"],
      response_types: ["code"],
    })),
  ],
  claims: { openid: ["sub"], email: ["email"] },
  conformIdTokenClaims: false,
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com` }),
  }),
  pkce: { required: () => true },
  clientAuthMethods: methods,
  rotateRefreshToken: true,
  ttl: { AccessToken: 600, IdToken: options.idTokenSeconds ?? 3600, RefreshToken: 86400, DeviceCode: 600 },
});

server.on("request", provider.callback());
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
console.log(issuer);
