// The AWS SDK for JavaScript v3; as the programs of ../programs.
import { createInterface } from "node:readline";

import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";

const s3 = new S3Client({ forcePathStyle: true });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    await s3.send(new ListObjectsV2Command({ Bucket: line }));
    console.log("> ok");
  } catch (error) {
    console.log(`> ${error}`.replaceAll(/\s+/g, " "));
  }
}
