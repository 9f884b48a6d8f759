// Which addresses are public.
import { expect, it } from "vitest";
import { isPublicAddress, isSurelyPrivate } from "./address-guard.ts";

it.each([
  "1.1.1.1",
  "93.184.216.34",
  "172.15.0.1",
  "172.32.0.1",
  "192.169.0.1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:829::200e",
])("takes %s", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

it.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.0.9",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001:db8::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "not an address",
])("refuses %s", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

it.each([
  "http://localhost/x",
  "http://LOCALHOST./x",
  "http://a.localhost/",
  "http://metadata.google.internal/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://[::1]:8080/",
  "http://[::ffff:127.0.0.1]/",
  "https://192.168.0.1/",
])("knows %s for private without asking", (text) => {
  expect(isSurelyPrivate(new URL(text))).toBe(true);
});

it("asks for a name's addresses when it is used", () => {
  expect(isSurelyPrivate(new URL("https://hooks.slack.com/services/x"))).toBe(false);
});
