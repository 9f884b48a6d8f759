// How a message proves where it comes from: our webhooks' own signature, and those of Feishu and DingTalk. Pure.
import { createHmac } from "node:crypto";

/** The value of `X-Spotter-Signature`: HMAC-SHA256 over `<timestamp>.<body>`, in hexadecimal digits. */
export function webhookSignature(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
}

/** Feishu takes the text to sign as the key, and signs nothing. @param timestamp seconds */
export function feishuSignature(secret: string, timestamp: string): string {
  return createHmac("sha256", `${timestamp}\n${secret}`).digest("base64");
}

/** For the address' query, still to be encoded. @param timestamp milliseconds */
export function dingtalkSignature(secret: string, timestamp: string): string {
  return createHmac("sha256", secret).update(`${timestamp}\n${secret}`).digest("base64");
}
