// A Bluesky server with its directory, both on free loopback ports. One line on stdout says where; SIGTERM ends it.
import crypto from 'node:crypto'
import path from 'node:path'
import { createRequire } from 'node:module'

const { Database, PlcServer } = createRequire(import.meta.url)('@did-plc/server')
const { PDS, envToCfg, envToSecrets } = await import('@atproto/pds')

const [folder, port, plcPort] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const secret = () => crypto.randomBytes(32).toString('hex')

const plc = PlcServer.create({ db: Database.mock(), port: plcPort })
await plc.start()

const env = {
  port,
  hostname: 'localhost',
  serviceHandleDomains: ['.test'],
  devMode: true, // plain http
  dataDirectory: folder,
  blobstoreDiskLocation: path.join(folder, 'blobs'),
  blobstoreDiskTmpLocation: path.join(folder, 'incoming'),
  blobUploadLimit: 100_000_000, // as on bsky.social; the default is 5 MB
  didPlcUrl: `http://localhost:${plcPort}`,
  inviteRequired: false,
  adminPassword: secret(),
  jwtSecret: secret(),
  dpopSecret: secret(),
  plcRotationKeyK256PrivateKeyHex: secret(),
  disableSsrfProtection: true,
  bskyAppViewUrl: 'http://127.0.0.1:9', // nobody: it never asks the real network
  bskyAppViewDid: 'did:example:invalid',
  crawlers: [],
}
const pds = await PDS.create(envToCfg(env), envToSecrets(env))
await pds.start()

process.on('SIGTERM', async () => {
  await pds.destroy()
  await plc.destroy()
  process.exit(0)
})
console.log(JSON.stringify({ ready: `http://127.0.0.1:${port}` }))
