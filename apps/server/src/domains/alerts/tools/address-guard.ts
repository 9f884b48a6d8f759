// Which addresses alerts may be sent to: public ones. A name that resolves to the server's own network must not make
// the server speak to it. Pure.
import { BlockList, isIP } from "node:net";

/** Not for the public Internet: private, loopback, link-local, shared, documentation, multicast, reserved. */
const refused4 = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  refused4.addSubnet(network, prefix, "ipv4");

/** Of IPv6 only global unicast is public; the exceptions carry IPv4 addresses or are for documents. */
const global6 = new BlockList();
global6.addSubnet("2000::", 3, "ipv6");
const refused6 = new BlockList();
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  refused6.addSubnet(network, prefix, "ipv6");

export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused4.check(address, "ipv4");
  // A zone (`fe80::1%eth0`) names an interface: never public.
  if (family !== 6 || address.includes("%")) return false;
  return global6.check(address, "ipv6") && !refused6.check(address, "ipv6");
}

/** The host of an address as it is resolved: without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

/** Known without asking anybody: an address that is not public, or a name that stands for this machine. */
export function isSurelyPrivate(url: URL): boolean {
  const host = hostOf(url).toLowerCase().replace(/\.$/, "");
  if (isIP(host) !== 0) return !isPublicAddress(host);
  return host === "localhost" || host.endsWith(".localhost") || host.endsWith(".internal");
}
