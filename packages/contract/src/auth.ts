// People, sessions, API tokens, invitations and the audit log.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { Done, Id, IdText, JsonObject, limitText, Title, UnixTime } from "./scalars.ts";

/** What one address may try at the doors that take a password. */
const GUESSING = { max: 20, perSeconds: 60 };
/** Nobody is known yet when these bodies are read, so they are kept small. */
const SMALL_BODY = 64 * 1024;

export const Role = z.enum(["viewer", "member", "admin"]);
export type Role = z.infer<typeof Role>;

/** 2–60 letters, digits, `. _ - @`; compared without case. */
export const UserName = z
  .string()
  .trim()
  .min(2)
  .max(60)
  .regex(/^[\p{L}\p{N}._@-]+$/u, "may hold letters, digits and . _ - @");
export const Password = z.string().min(1).max(200);

export const User = z.object({
  id: Id,
  name: z.string(),
  display_name: z.string(),
  /** Administrator of the whole server. */
  is_admin: z.boolean(),
  locale: z.enum(["en", "zh"]).nullable(),
  created_at: UnixTime,
  last_seen_at: UnixTime.nullable(),
  disabled_at: UnixTime.nullable(),
});
export type User = z.infer<typeof User>;

export const Me = z.object({
  user: User,
  /** How this call was signed: by cookie or by an API token. */
  via: z.enum(["session", "token"]),
  /** Role in every project the person is in. */
  roles: z.array(z.object({ project_id: Id, role: Role })),
});
export type Me = z.infer<typeof Me>;

export const Credentials = z.object({ name: UserName, password: Password });

export const getMe = defineEndpoint({
  domain: "auth",
  name: "get-me",
  method: "GET",
  path: "/api/auth/me",
  access: "signed-in",
  summary: "Who is signed in.",
  response: Me,
});

export const UpdateMe = z
  .object({ display_name: Title.optional(), locale: z.enum(["en", "zh"]).nullable().optional() })
  .strict();
export const updateMe = defineEndpoint({
  domain: "auth",
  name: "update-me",
  method: "PATCH",
  path: "/api/auth/me",
  access: "signed-in",
  summary: "Change your display name or language.",
  body: UpdateMe,
  response: Me,
});

export const Setup = Credentials.extend({ setup_token: z.string().min(1).max(200) }).strict();
export const setup = defineEndpoint({
  domain: "auth",
  name: "setup",
  rateLimit: GUESSING,
  maxBodyBytes: SMALL_BODY,
  method: "POST",
  path: "/api/auth/setup",
  access: "public",
  summary: "Create the administrator by the one-time link that the first start prints.",
  body: Setup,
  response: Me,
  status: 201,
});

export const signIn = defineEndpoint({
  domain: "auth",
  name: "sign-in",
  rateLimit: GUESSING,
  maxBodyBytes: SMALL_BODY,
  method: "POST",
  path: "/api/auth/sign-in",
  access: "public",
  summary: "Sign in; sets an http-only session cookie.",
  body: Credentials.strict(),
  response: Me,
});

export const signOut = defineEndpoint({
  domain: "auth",
  name: "sign-out",
  method: "POST",
  path: "/api/auth/sign-out",
  access: "signed-in",
  summary: "End this session.",
  response: Done,
});

export const Registration = Credentials.extend({
  invitation: z.string().min(1).max(200).optional(),
}).strict();
export const register = defineEndpoint({
  domain: "auth",
  name: "register",
  rateLimit: GUESSING,
  maxBodyBytes: SMALL_BODY,
  method: "POST",
  path: "/api/auth/register",
  access: "public",
  summary: "Create an account, where registration is open or an invitation is held.",
  body: Registration,
  response: Me,
  status: 201,
});

export const PasswordChange = z
  .object({
    current_password: Password,
    new_password: Password,
    /** 2026-11-21: API tokens do not know the password and live on, unless they are to end with it. */
    revoke_tokens: z.boolean().default(false),
  })
  .strict();
export const PasswordChanged = Done.extend({
  /** Your API tokens that ended with the old password. */
  revoked_tokens: z.number().int(),
  /** Those that still work, the one that made this call included. */
  living_tokens: z.number().int(),
});
export const changePassword = defineEndpoint({
  domain: "auth",
  name: "change-password",
  rateLimit: GUESSING,
  maxBodyBytes: SMALL_BODY,
  method: "POST",
  path: "/api/auth/password",
  access: "signed-in",
  summary: "Change your password; ends your other sessions and, if wished, your other API tokens.",
  body: PasswordChange,
  response: PasswordChanged,
});

/** Signs the caller in from the command line: name and password in, an API token out. */
export const CliSignIn = Credentials.extend({ token_name: Title }).strict();
export const ApiToken = z.object({
  id: Id,
  name: z.string(),
  /** First characters, to tell tokens apart. */
  prefix: z.string(),
  created_at: UnixTime,
  expires_at: UnixTime.nullable(),
  last_used_at: UnixTime.nullable(),
  revoked_at: UnixTime.nullable(),
});
export type ApiToken = z.infer<typeof ApiToken>;
export const NewApiToken = z.object({ token: ApiToken, /** Shown once. */ secret: z.string() });
export const signInForToken = defineEndpoint({
  domain: "auth",
  name: "sign-in-for-token",
  rateLimit: GUESSING,
  maxBodyBytes: SMALL_BODY,
  method: "POST",
  path: "/api/auth/token",
  access: "public",
  summary: "Exchange name and password for an API token (command line).",
  body: CliSignIn,
  response: NewApiToken,
  status: 201,
});

export const listTokens = defineEndpoint({
  domain: "auth",
  name: "list-tokens",
  method: "GET",
  path: "/api/auth/tokens",
  access: "signed-in",
  summary: "Your API tokens.",
  response: z.object({ tokens: z.array(ApiToken) }),
});
export const CreateToken = z
  .object({
    name: Title,
    expires_in_days: z.number().int().min(1).max(3650).nullable().default(null),
  })
  .strict();
export const createToken = defineEndpoint({
  domain: "auth",
  name: "create-token",
  method: "POST",
  path: "/api/auth/tokens",
  access: "signed-in",
  summary: "Create an API token; its secret is shown once.",
  body: CreateToken,
  response: NewApiToken,
  status: 201,
});
export const revokeToken = defineEndpoint({
  domain: "auth",
  name: "revoke-token",
  method: "DELETE",
  path: "/api/auth/tokens/:token_id",
  access: "signed-in",
  summary: "Revoke one of your API tokens.",
  params: z.object({ token_id: IdText }),
  response: Done,
});

export const listUsers = defineEndpoint({
  domain: "auth",
  name: "list-users",
  method: "GET",
  path: "/api/users",
  access: "server-admin",
  summary: "All accounts.",
  response: z.object({ users: z.array(User) }),
});
export const CreateUser = Credentials.extend({
  is_admin: z.boolean().default(false),
  project_id: Id.optional(),
  role: Role.optional(),
}).strict();
export const createUser = defineEndpoint({
  domain: "auth",
  name: "create-user",
  method: "POST",
  path: "/api/users",
  access: "server-admin",
  summary: "Create an account, with a role in a project if wished.",
  body: CreateUser,
  response: User,
  status: 201,
});
export const UpdateUser = z
  .object({
    is_admin: z.boolean().optional(),
    disabled: z.boolean().optional(),
    password: Password.optional(),
  })
  .strict();
export const updateUser = defineEndpoint({
  domain: "auth",
  name: "update-user",
  method: "PATCH",
  path: "/api/users/:user_id",
  access: "server-admin",
  summary: "Make an account administrator, disable it, or set its password.",
  params: z.object({ user_id: IdText }),
  body: UpdateUser,
  response: User,
});

export const Invitation = z.object({
  id: Id,
  project_id: Id,
  role: Role,
  note: z.string(),
  created_by: Id,
  created_at: UnixTime,
  expires_at: UnixTime,
  used_by: Id.nullable(),
  revoked_at: UnixTime.nullable(),
});
export type Invitation = z.infer<typeof Invitation>;
export const listInvitations = defineEndpoint({
  domain: "auth",
  name: "list-invitations",
  method: "GET",
  path: "/api/invitations",
  access: "server-admin",
  summary: "All invitations.",
  response: z.object({ invitations: z.array(Invitation) }),
});
export const CreateInvitation = z
  .object({
    project_id: Id,
    role: Role,
    note: z.string().max(200).default(""),
    expires_in_days: z.number().int().min(1).max(90).default(7),
  })
  .strict();
export const createInvitation = defineEndpoint({
  domain: "auth",
  name: "create-invitation",
  method: "POST",
  path: "/api/invitations",
  access: "server-admin",
  summary: "Invite a person into a project; the link's secret is shown once.",
  body: CreateInvitation,
  response: z.object({ invitation: Invitation, secret: z.string() }),
  status: 201,
});
export const revokeInvitation = defineEndpoint({
  domain: "auth",
  name: "revoke-invitation",
  method: "DELETE",
  path: "/api/invitations/:invitation_id",
  access: "server-admin",
  summary: "Withdraw an invitation.",
  params: z.object({ invitation_id: IdText }),
  response: Done,
});

/** One state change: who did what to which thing, from where. */
export const AuditEntry = z.object({
  id: Id,
  time: UnixTime,
  user_id: Id.nullable(),
  user_name: z.string().nullable(),
  /** `run-created`, `signed-in`, `token-revoked`, … */
  action: z.string(),
  subject_kind: z.string().nullable(),
  subject_id: Id.nullable(),
  project_id: Id.nullable(),
  address: z.string().nullable(),
  details: JsonObject,
});
export type AuditEntry = z.infer<typeof AuditEntry>;
export const AuditQuery = z.object({
  limit: limitText(100, 500),
  before: IdText.optional(),
  action: z.string().max(60).optional(),
  user_id: IdText.optional(),
});
export const listAudit = defineEndpoint({
  domain: "auth",
  name: "list-audit",
  method: "GET",
  path: "/api/audit",
  access: "server-admin",
  summary: "The audit log, newest first.",
  query: AuditQuery,
  response: z.object({ entries: z.array(AuditEntry), next_before: Id.nullable() }),
});
