// sign-in, sign-out, whoami, tokens.
import { hostname, userInfo } from "node:os";
import {
  ApiError,
  addToken,
  dropToken,
  fetchToken,
  fetchTokens,
  HttpClient,
  whoAmI,
} from "@spotter/client";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { dateTime } from "../format.ts";
import { ask, askSecret, readFirstLine } from "../prompt.ts";
import { table } from "../table.ts";

interface SignInOptions {
  name?: string;
  passwordStdin?: boolean;
  token?: string;
}

export function addAuthCommands(program: Command, bind: Bind, t: Context["text"]): void {
  program
    .command("sign-in")
    .description(t("sign in and keep the token", "登录并保存令牌"))
    .option("--name <name>", t("account name; asked for otherwise", "账户名；未给出则询问"))
    .option("--password-stdin", t("read the password from stdin", "从标准输入读取密码"))
    .option(
      "--token <token>",
      t("use this API token instead of a password", "使用 API 令牌而非密码"),
    )
    .action(bind(signIn));
  program
    .command("sign-out")
    .description(t("revoke and forget the token", "撤销并删除令牌"))
    .action(bind(signOut));
  program
    .command("whoami")
    .description(t("who is signed in, and where", "当前登录的账户与服务器"))
    .action(bind(whoAmICommand));
  const tokens = program.command("tokens").description(t("your API tokens", "你的 API 令牌"));
  tokens
    .command("list", { isDefault: true })
    .description(t("list them", "列出"))
    .action(bind(listTokens));
  tokens
    .command("create <name>")
    .description(t("make one; its secret is shown once", "新建；密文仅显示一次"))
    .option("--days <days>", t("days until it ends; default never", "有效天数；默认永久"))
    .action(bind(createToken));
  tokens.command("revoke <id>").description(t("revoke one", "撤销")).action(bind(revokeToken));
}

async function signIn(context: Context, _args: string[], options: SignInOptions): Promise<void> {
  const server = context.serverUrl();
  const secret = options.token ?? (await exchange(context, server, options));
  const client = new HttpClient({ baseUrl: server, token: secret });
  const me = await whoAmI(client);
  context.configFile.write({ server, token: secret, name: me.user.name });
  if (context.json) return context.answer({ server, user: me.user });
  const name = printable(me.user.name);
  context.say(
    context.text(`Signed in to ${server} as ${name}.`, `已登录 ${server}，账户 ${name}。`),
  );
}

async function exchange(context: Context, server: string, options: SignInOptions): Promise<string> {
  const { streams } = context;
  if (options.passwordStdin && options.name === undefined)
    throw new UsageProblem("--password-stdin needs --name, for stdin is taken.");
  const name = options.name ?? (await ask(streams, context.text("Name: ", "账户名：")));
  const password = options.passwordStdin
    ? await readFirstLine(streams)
    : await askSecret(streams, context.text("Password: ", "密码："));
  const client = new HttpClient({ baseUrl: server });
  const tokenName = `spotter on ${hostname()} (${userInfo().username})`;
  return (await fetchToken(client, { name, password, token_name: tokenName })).secret;
}

/** The token is revoked too, where the server can be reached; forgotten here in any case. */
async function signOut(context: Context): Promise<void> {
  const account = context.configFile.read();
  if (account === null) {
    context.say(context.text("Nobody is signed in.", "当前没有登录。"));
    return;
  }
  const revoked = await revokeOwn(account);
  context.configFile.remove();
  if (context.json) return context.answer({ done: true, revoked });
  context.say(
    revoked
      ? context.text("Signed out; the token is revoked.", "已退出登录，令牌已撤销。")
      : context.text(
          "Signed out here; the token could not be revoked, do it on the account page.",
          "已在本机退出；令牌未能撤销，请到账户页面撤销。",
        ),
  );
}

async function revokeOwn(account: { server: string; token: string }): Promise<boolean> {
  const client = new HttpClient({ baseUrl: account.server, token: account.token });
  try {
    const own = (await fetchTokens(client)).find(({ prefix }) => account.token.startsWith(prefix));
    if (own === undefined) return false;
    await dropToken(client, own.id);
    return true;
  } catch (error) {
    // A server that is gone, or a token that was revoked long ago, must not keep anybody signed in here.
    if (error instanceof ApiError) return error.status === 401;
    throw error;
  }
}

async function whoAmICommand(context: Context): Promise<void> {
  const me = await whoAmI(context.client());
  if (context.json) return context.answer(me);
  const name = printable(me.user.name);
  const admin = me.user.is_admin ? context.text(", administrator", "，管理员") : "";
  context.say(`${name}${admin}  ${context.serverUrl()}`);
}

async function listTokens(context: Context): Promise<void> {
  const tokens = await fetchTokens(context.client());
  if (context.json) return context.answer({ tokens });
  const t = context.text.bind(context);
  const head = [
    "#",
    t("name", "名称"),
    t("begins with", "前缀"),
    t("created", "创建"),
    t("last used", "最近使用"),
    t("ends", "到期"),
  ];
  const rows = tokens
    .filter(({ revoked_at }) => revoked_at === null)
    .map((token) => [
      String(token.id),
      printable(token.name),
      token.prefix,
      dateTime(token.created_at),
      dateTime(token.last_used_at),
      dateTime(token.expires_at),
    ]);
  context.say(table(head, rows, [0]));
}

async function createToken(context: Context, [name = ""]: string[], options: { days?: string }) {
  const days = options.days === undefined ? null : Number(options.days);
  if (days !== null && !Number.isInteger(days))
    throw new UsageProblem("--days wants a whole number.");
  const made = await addToken(context.client(), name, days);
  if (context.json) return context.answer(made);
  context.say(made.secret);
  context.note(context.text("This secret is shown only now.", "该密文仅此次显示。"));
}

async function revokeToken(context: Context, [id = ""]: string[]): Promise<void> {
  if (!/^[1-9][0-9]*$/.test(id)) throw new UsageProblem(`"${id}" is no token's number.`);
  await dropToken(context.client(), Number(id));
  if (context.json) return context.answer({ done: true });
  context.say(context.text("Revoked.", "已撤销。"));
}
