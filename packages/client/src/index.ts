// The client's door: typed calls and live streams.
export * from "./http.ts";
