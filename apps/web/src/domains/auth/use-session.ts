// Who is signed in, and what the server says about itself before anybody is.

import { ApiError } from "@spotter/client";
import {
  getMe,
  getServerFacts,
  type Me,
  type Role,
  register,
  type ServerFacts,
  setup,
  signIn,
  signOut,
} from "@spotter/contract";
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { api } from "../../platform/api.ts";

export const useSession = defineStore("session", () => {
  const me = ref<Me | null>(null);
  const facts = ref<ServerFacts | null>(null);
  const user = computed(() => me.value?.user ?? null);
  const isAdmin = computed(() => user.value?.is_admin ?? false);

  /** Whether there is a project in which the person may do more than read. */
  const mayTrain = computed(
    () => isAdmin.value || (me.value?.roles.some((entry) => entry.role !== "viewer") ?? false),
  );

  /** Asks once who we are; a refusal only means that nobody is signed in. */
  async function load(): Promise<void> {
    facts.value ??= await api.call(getServerFacts, {});
    if (me.value !== null) return;
    try {
      me.value = await api.call(getMe, {});
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    }
  }

  async function enter(name: string, password: string): Promise<void> {
    me.value = await api.call(signIn, { body: { name, password } });
  }

  async function enterBySetup(token: string, name: string, password: string): Promise<void> {
    me.value = await api.call(setup, { body: { setup_token: token, name, password } });
    if (facts.value !== null) facts.value = { ...facts.value, setup_needed: false };
  }

  async function enterByRegistration(
    name: string,
    password: string,
    invitation: string | undefined,
  ): Promise<void> {
    const body = invitation === undefined ? { name, password } : { name, password, invitation };
    me.value = await api.call(register, { body });
  }

  async function leave(): Promise<void> {
    await api.call(signOut, {});
    me.value = null;
  }

  /** The session ended on the server's side. */
  function forget(): void {
    me.value = null;
  }

  /** The role that counts in a project; the server's administrator has every right everywhere. */
  function roleIn(projectId: number): Role | null {
    if (isAdmin.value) return "admin";
    return me.value?.roles.find((entry) => entry.project_id === projectId)?.role ?? null;
  }

  return {
    me,
    facts,
    user,
    isAdmin,
    mayTrain,
    load,
    enter,
    enterBySetup,
    enterByRegistration,
    leave,
    forget,
    roleIn,
  };
});
