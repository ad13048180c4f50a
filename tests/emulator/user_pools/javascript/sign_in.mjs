// Signs in by SRP twice with amazon-cognito-identity-js: with a code, then on the device that is remembered.
// Gets credentials from the identity pool, verifies the tokens, refreshes and revokes them.
// Usage: node sign_in.mjs EMULATOR IDENTITY_POOL. It prints one JSON object.

import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const [emulator, identityPool] = process.argv.slice(2)
const [poolId, clientId, password] = ['us-east-1_Ab1Cd2Ef3', '4ab1cd2ef3', 'CANARY-Passw0rd']
const pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: emulator })

const lastCode = async () => (await (await fetch(`${emulator}/_emulator/codes`)).json()).at(-1).code

const signIn = () =>
  new Promise((resolve, reject) => {
    const user = new CognitoUser({ Username: 'ann', Pool: pool })
    const asked = []
    const callbacks = {
      onSuccess: (session) => resolve({ user, session, asked }),
      onFailure: reject,
      totpRequired: async (name) => {
        asked.push(name)
        user.sendMFACode(await lastCode(), callbacks, name)
      },
    }
    user.authenticateUser(new AuthenticationDetails({ Username: 'ann', Password: password }), callbacks)
  })

const identity = async (operation, content) => {
  const headers = { 'X-Amz-Target': `AWSCognitoIdentityService.${operation}` }
  const answer = await fetch(emulator, { method: 'POST', headers, body: JSON.stringify(content) })
  return answer.json()
}

const first = await signIn()
const { user, session, asked } = await signIn()
const idToken = session.getIdToken().getJwtToken()
const accessToken = session.getAccessToken().getJwtToken()

const issuer = `https://cognito-idp.us-east-1.amazonaws.com/${poolId}`
const keysUrl = `${emulator}/${poolId}/.well-known/jwks.json`
const keys = await (await fetch(keysUrl)).json()
const verified = {}
for (const [tokenUse, token] of [['id', idToken], ['access', accessToken]]) {
  const verifier = CognitoJwtVerifier.create({ userPoolId: poolId, clientId, tokenUse })
  verifier.cacheJwks(keys)
  const options = { issuer, ...(tokenUse === 'id' ? { audience: clientId } : {}) }
  const jose = (await jwtVerify(token, createRemoteJWKSet(new URL(keysUrl)), options)).payload.sub
  verified[tokenUse] = [(await verifier.verify(token)).sub, jose]
}

const logins = { [`cognito-idp.us-east-1.amazonaws.com/${poolId}`]: idToken }
const { IdentityId } = await identity('GetId', { IdentityPoolId: identityPool, Logins: logins })
const { Credentials } = await identity('GetCredentialsForIdentity', { IdentityId, Logins: logins })

const refreshed = await new Promise((resolve, reject) => {
  user.refreshSession(session.getRefreshToken(), (error, renewed) => (error ? reject(error) : resolve(renewed)))
})
await new Promise((resolve) => user.signOut(resolve))

console.log(
  JSON.stringify({
    asked: [first.asked, asked],
    verified,
    credentials: Boolean(Credentials.SessionToken),
    renewed: refreshed.getIdToken().getJwtToken() !== idToken,
  }),
)
