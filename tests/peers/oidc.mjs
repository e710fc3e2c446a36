// An OpenID provider on a free loopback port. One line on stdout says where; SIGTERM ends it.
// Whoever asks is signed in at once as the account in the header `x-account` (JSON: sub, email, email_verified, name).
import http from 'node:http'
import { Provider } from 'oidc-provider'

const [port, id, secret, back] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`
const accounts = new Map()

const provider = new Provider(issuer, {
  clients: [{ client_id: id, client_secret: secret, redirect_uris: [back] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  pkce: { required: () => true },
  findAccount: (_, sub) => accounts.has(sub) && { accountId: sub, claims: () => accounts.get(sub) },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
})
const callback = provider.callback()

const agree = async (request, response) => {
  const { params } = await provider.interactionDetails(request, response)
  const account = JSON.parse(request.headers['x-account'])
  accounts.set(account.sub, account)
  const grant = new provider.Grant({ accountId: account.sub, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  const consent = { grantId: await grant.save() }
  await provider.interactionFinished(request, response, { login: { accountId: account.sub }, consent })
}

const server = http.createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) return callback(request, response)
  agree(request, response).catch((why) => response.writeHead(500).end(String(why)))
})
server.listen(Number(port), '127.0.0.1', () => console.log(JSON.stringify({ ready: issuer })))
process.on('SIGTERM', () => server.close(() => process.exit()))
