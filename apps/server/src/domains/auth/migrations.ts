// The auth room's tables.
import type { Migration } from "../../platform/db/database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "0001-auth",
    statements: (types) => [
      `create table users (
        id ${types.identity},
        name ${types.text} not null,
        name_key ${types.text} not null unique,
        display_name ${types.text} not null,
        password_hash ${types.text} not null,
        is_admin ${types.integer} not null,
        locale ${types.text},
        created_at ${types.double} not null,
        last_seen_at ${types.double},
        disabled_at ${types.double}
      )`,
      `create table sessions (
        id ${types.identity},
        secret_hash ${types.text} not null unique,
        user_id ${types.integer} not null references users (id) on delete cascade,
        created_at ${types.double} not null,
        expires_at ${types.double} not null,
        last_used_at ${types.double} not null
      )`,
      "create index sessions_by_user on sessions (user_id)",
      `create table api_tokens (
        id ${types.identity},
        secret_hash ${types.text} not null unique,
        user_id ${types.integer} not null references users (id) on delete cascade,
        name ${types.text} not null,
        prefix ${types.text} not null,
        created_at ${types.double} not null,
        expires_at ${types.double},
        last_used_at ${types.double},
        revoked_at ${types.double}
      )`,
      "create index api_tokens_by_user on api_tokens (user_id)",
      `create table memberships (
        project_id ${types.integer} not null,
        user_id ${types.integer} not null references users (id) on delete cascade,
        role ${types.text} not null,
        since ${types.double} not null,
        primary key (project_id, user_id)
      )`,
      "create index memberships_by_user on memberships (user_id)",
      `create table invitations (
        id ${types.identity},
        secret_hash ${types.text} not null unique,
        project_id ${types.integer} not null,
        role ${types.text} not null,
        note ${types.text} not null,
        created_by ${types.integer} not null references users (id),
        created_at ${types.double} not null,
        expires_at ${types.double} not null,
        used_by ${types.integer} references users (id),
        revoked_at ${types.double}
      )`,
      `create table audit_log (
        id ${types.identity},
        time ${types.double} not null,
        user_id ${types.integer},
        user_name ${types.text},
        action ${types.text} not null,
        subject_kind ${types.text},
        subject_id ${types.integer},
        project_id ${types.integer},
        address ${types.text},
        details ${types.text} not null
      )`,
      "create index audit_log_by_action on audit_log (action, id)",
      "create index audit_log_by_user on audit_log (user_id, id)",
      // One row: the hash of the one-time link that creates the first administrator.
      `create table auth_setup (
        id ${types.integer} primary key check (id = 1),
        secret_hash ${types.text} not null
      )`,
    ],
  },
];
