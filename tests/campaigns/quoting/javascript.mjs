import { fromProcess } from "@aws-sdk/credential-providers";
import readline from "node:readline";
for await (const name of readline.createInterface({ input: process.stdin })) {
  try { await fromProcess({ profile: name, ignoreCache: true })(); } catch (e) { console.error(name, String(e)); }
}
