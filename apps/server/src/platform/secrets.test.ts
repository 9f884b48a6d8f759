import { describe, expect, it } from "vitest";
import { redact, secretValues } from "./secrets.ts";

describe("secrets of the environment", () => {
  it("are hidden, whole and one line at a time, and nothing else is", () => {
    const secrets = secretValues({
      HF_TOKEN: "hf_aBcD1234",
      LONG_TOKEN: "hf_aBcD1234eFgH",
      SIGNING_KEY: "-----BEGIN-----\nMIIEvgIBADANBg\n",
      DATABASE_URL: "postgres://ada:open-sesame@db/spotter",
      HOME: "/home/adalovelace",
      SSH_KEY_PATH: "/home/adalovelace/key",
      HF_HUB_DISABLE_IMPLICIT_TOKEN: "1",
    });
    expect(
      redact("hf_aBcD1234eFgH hf_aBcD1234 MIIEvgIBADANBg open-sesame 1 /home/adalovelace", secrets),
    ).toBe("[redacted] [redacted] [redacted] [redacted] 1 /home/adalovelace");
  });
});
