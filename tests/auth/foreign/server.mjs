// An OAuth 2.0 server that others wrote, with one client that may use client_credentials.
// Settings come as JSON in the first argument; its token endpoint is printed when it listens.
import Provider from "oidc-provider";

const { client_id, client_secret, scopes } = JSON.parse(process.argv[2]);

const provider = new Provider("http://127.0.0.1", {
  clients: [
    {
      client_id,
      client_secret,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "client_secret_basic",
      scope: scopes,
    },
  ],
  scopes: [...scopes.split(" "), "restricted"], // the last one is not this client's
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  ttl: { ClientCredentials: 600 },
});

const server = provider.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/token`);
});
