// The door of everything that writes a number, a time or a name.
export * from "./format-name.ts";
export * from "./format-number.ts";
export * from "./format-time.ts";
