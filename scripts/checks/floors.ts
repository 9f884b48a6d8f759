// The laws of the house as a pure function over files and imports: packages import downwards, the server's
// rooms stand on storeys, a room is entered by its door, and every room has the same furniture.
import type { Import } from "./imports.ts";

export interface Floors {
  packages: Record<string, string[]>;
  testsAlso: Record<string, string[]>;
  withoutInputOrOutput: string[];
  /** The pages: platform below domains below the shell, as in the server. */
  web: { root: string };
  server: {
    root: string;
    storeys: string[][];
    /**
     * A second door for a file of the app floor: the write thread takes a room's SQL procedures and must not
     * load the rest of the room with them.
     */
    sideDoors: Record<string, string>;
    requiredFurniture: string[];
    furniture: string[];
    maxReadmeLines: number;
  };
}

const forbiddenOnTheGround =
  /^node:(fs|net|http|https|http2|child_process|dgram|tls|worker_threads|process)(\/|$)/;

export function findImportViolations(imports: readonly Import[], floors: Floors): string[] {
  return imports.flatMap((item) => {
    const reason =
      packageViolation(item, floors) ??
      groundViolation(item, floors) ??
      serverViolation(item, floors) ??
      webViolation(item, floors);
    return reason === undefined ? [] : [`${item.from} imports ${item.specifier}: ${reason}`];
  });
}

/** @param readmes README text by domain; undefined where the room has none */
export function findFurnitureViolations(
  files: readonly string[],
  readmes: ReadonlyMap<string, string | undefined>,
  floors: Floors,
): string[] {
  const domainsFolder = `${floors.server.root}/domains/`;
  const rooms = new Set(
    files
      .filter((file) => file.startsWith(domainsFolder))
      .map((file) => file.slice(domainsFolder.length).split("/")[0] ?? ""),
  );
  return [...rooms].flatMap((room) => {
    const inside = files
      .filter((file) => file.startsWith(`${domainsFolder}${room}/`))
      .map((file) => file.slice(domainsFolder.length + room.length + 1));
    return roomViolations(room, inside, readmes.get(room), floors).map(
      (reason) => `${domainsFolder}${room}: ${reason}`,
    );
  });
}

function packageViolation({ from, to }: Import, floors: Floors): string | undefined {
  const [home, target] = [packageOf(from, floors), to && packageOf(to, floors)];
  if (home === undefined || to === undefined || home === target) return undefined;
  if (target === undefined) {
    return to.startsWith(home) ? undefined : "it lies outside every package";
  }
  const allowed = [
    ...(floors.packages[home] ?? []),
    ...(isTest(from) ? (floors.testsAlso[home] ?? []) : []),
  ];
  if (!allowed.includes(target)) return `${home} may import only ${allowed.join(", ") || "itself"}`;
  return to === `${target}/src/index.ts`
    ? undefined
    : `${target} is entered by its src/index.ts only`;
}

function groundViolation({ from, specifier }: Import, floors: Floors): string | undefined {
  const home = packageOf(from, floors);
  if (home === undefined || isTest(from) || !floors.withoutInputOrOutput.includes(home))
    return undefined;
  return forbiddenOnTheGround.test(specifier)
    ? "the ground floor does no input or output"
    : undefined;
}

function serverViolation({ from, to }: Import, floors: Floors): string | undefined {
  const { root } = floors.server;
  // A test may set up the house as it likes.
  if (
    to === undefined ||
    !from.startsWith(`${root}/`) ||
    !to.startsWith(`${root}/`) ||
    isTest(from)
  ) {
    return undefined;
  }
  const [fromPlace, toPlace] = [placeOf(from, root), placeOf(to, root)];
  if (toPlace.floor === "app" && fromPlace.floor !== "app") return "the app floor is above";
  if (toPlace.floor !== "domain") return undefined;
  if (fromPlace.floor === "platform") return "domains are above the platform";
  const isDoor = to === `${root}/domains/${toPlace.room}/index.ts`;
  if (fromPlace.room === toPlace.room) {
    return isDoor ? "inside a room files import each other, never their own door" : undefined;
  }
  if (floors.server.sideDoors[from] === to.slice(to.lastIndexOf("/") + 1)) return undefined;
  if (!isDoor) return `a room is entered by its door, domains/${toPlace.room}/index.ts`;
  return fromPlace.floor === "domain"
    ? storeyViolation(fromPlace.room, toPlace.room, floors)
    : undefined;
}

function webViolation({ from, to }: Import, { web: { root } }: Floors): string | undefined {
  if (to === undefined || !from.startsWith(`${root}/`) || !to.startsWith(`${root}/`))
    return undefined;
  const [fromPlace, toPlace] = [placeOf(from, root), placeOf(to, root)];
  if (fromPlace.floor === "platform" && toPlace.floor === "domain")
    return "domains are above the platform";
  const isInside = fromPlace.floor !== "app" && to.startsWith(`${root}/app/`);
  return isInside ? "the app floor is above" : undefined;
}

function storeyViolation(fromRoom: string, toRoom: string, floors: Floors): string | undefined {
  const storey = (room: string) =>
    floors.server.storeys.findIndex((rooms) => rooms.includes(room)) + 1;
  if (storey(fromRoom) > storey(toRoom)) return undefined;
  return `${fromRoom} is on storey ${storey(fromRoom)}, ${toRoom} on ${storey(toRoom)}; only lower storeys may be imported`;
}

function roomViolations(
  room: string,
  inside: readonly string[],
  readme: string | undefined,
  floors: Floors,
): string[] {
  const { storeys, requiredFurniture, furniture, maxReadmeLines } = floors.server;
  const found: string[] = [];
  if (!storeys.flat().includes(room)) found.push("is on no storey of floors.json");
  for (const piece of requiredFurniture) {
    if (!inside.includes(piece)) found.push(`has no ${piece}`);
  }
  const numLines = readme?.trimEnd().split("\n").length ?? 0;
  if (numLines > maxReadmeLines)
    found.push(`README.md has ${numLines} lines, at most ${maxReadmeLines}`);
  for (const file of inside) {
    const [first = "", ...rest] = file.split("/");
    const isFixed = furniture.includes(first) || isTest(file);
    const isNamed = readme?.includes(rest.length > 0 ? `${first}/` : first) ?? false;
    if (!isFixed && !isNamed)
      found.push(`${file} is not fixed furniture and not named in README.md`);
  }
  return found;
}

type Place = { floor: "app" | "platform" | "domain"; room: string };

function placeOf(file: string, root: string): Place {
  const [first, room = ""] = file.slice(root.length + 1).split("/");
  if (first === "platform") return { floor: "platform", room: "" };
  return first === "domains" ? { floor: "domain", room } : { floor: "app", room: "" };
}

function packageOf(file: string, floors: Floors): string | undefined {
  return Object.keys(floors.packages).find((name) => file.startsWith(`${name}/`));
}

function isTest(file: string): boolean {
  return file.endsWith(".test.ts") || /(^|\/)(test|fixtures)\//.test(file);
}
