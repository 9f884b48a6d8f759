// What is remembered of a caller, and for how long.
import type { FastifyRequest } from "fastify";
import { describe, expect, it } from "vitest";
import { Access } from "./access.ts";
import type { AuthStore } from "./store.ts";

const request = { headers: { authorization: "Bearer spt_secret" } } as FastifyRequest;

/** A store with one token; `gate` holds its answers back while it is set. */
function openAccess() {
  const state = { now: 1_000_000, numLookUps: 0, isAdmin: 1, gate: Promise.resolve() };
  const store = {
    async tokenWithUser() {
      state.numLookUps += 1;
      const { isAdmin } = state;
      await state.gate;
      return { id: 7, name: "ada", is_admin: isAdmin, disabled_at: null, last_used_at: state.now };
    },
    rolesOf: async () => [],
    touchToken: async () => undefined,
    updateUser: async () => undefined,
  } as unknown as AuthStore;
  return { state, access: new Access(store, () => state.now) };
}

describe("a caller", () => {
  it("is remembered for five seconds", async () => {
    const { state, access } = openAccess();
    await access.identify(request);
    state.now += 4.9;
    await access.identify(request);
    expect(state.numLookUps).toBe(1);
    state.now += 0.2;
    await access.identify(request);
    expect(state.numLookUps).toBe(2);
  });

  it("is not remembered as it was when its rights changed during the look-up", async () => {
    const { state, access } = openAccess();
    let open: () => void = () => undefined;
    state.gate = new Promise((resolve) => {
      open = resolve;
    });
    const before = access.identify(request);
    state.isAdmin = 0;
    access.forget();
    open();
    expect((await before).isAdmin).toBe(true);
    expect((await access.identify(request)).isAdmin).toBe(false);
  });

  it.each([3600, -3600])("is looked up anew after the clock jumped by %d s", async (jump) => {
    const { state, access } = openAccess();
    await access.identify(request);
    state.isAdmin = 0;
    state.now += jump;
    expect((await access.identify(request)).isAdmin).toBe(false);
  });
});
