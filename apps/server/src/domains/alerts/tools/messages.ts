// Each kind of receiver's request: address, headers and body, and how its answer tells that it was taken. Pure.
import type {
  Alert,
  AlertEvent,
  AlertLanguage,
  AlertNotice,
  AlertTargetKind,
} from "@spotter/contract";
import type { PostAnswer } from "./post.ts";
import { headingOf, sentenceOf, testSentence } from "./sentences.ts";
import { dingtalkSignature, feishuSignature, webhookSignature } from "./signatures.ts";

/** What is sealed in a target's row. */
export interface Destination {
  readonly url: string;
  readonly secret: string | null;
}

export interface Letter {
  readonly kind: AlertTargetKind;
  readonly destination: Destination;
  readonly language: AlertLanguage;
  readonly event: AlertEvent;
  readonly deliveryKey: string;
  readonly alert: Alert | null;
  /** The run's page; null for a test. */
  readonly runUrl: string | null;
  /** Unix seconds. */
  readonly now: number;
  /** Of this server. */
  readonly version: string;
}

export interface Message {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export function messageOf(letter: Letter): Message {
  if (letter.kind === "slack") return plain(letter, slackBody(letter));
  if (letter.kind === "feishu") return plain(letter, feishuBody(letter));
  if (letter.kind === "dingtalk") return dingtalk(letter);
  return webhook(letter);
}

/** Feishu and DingTalk answer 200 to what they refuse; their body has the truth. */
export function isTaken(kind: AlertTargetKind, { status, text }: PostAnswer): boolean {
  if (status < 200 || status > 299) return false;
  if (kind === "webhook" || kind === "slack") return true;
  const answer = parsed(text);
  if (kind === "dingtalk") return answer.errcode === 0;
  return answer.code === 0 || answer.StatusCode === 0;
}

function webhook(letter: Letter): Message {
  const { alert, runUrl, now, event, deliveryKey, destination } = letter;
  const notice: AlertNotice = {
    delivery_id: deliveryKey,
    ...{ event, time: now, sentence: said(letter) },
    rule: alert === null ? null : { id: alert.rule_id, name: alert.rule_name },
    run:
      alert === null || runUrl === null
        ? null
        : { id: alert.run_id, name: alert.run_name, url: runUrl },
    alert,
  };
  const body = JSON.stringify(notice);
  const timestamp = String(Math.floor(now));
  const { url, headers } = plain(letter, {});
  const signed: Record<string, string> =
    destination.secret === null
      ? {}
      : { "x-spotter-signature": webhookSignature(destination.secret, timestamp, body) };
  return {
    ...{ url, body },
    headers: {
      ...headers,
      "x-spotter-event": event,
      "x-spotter-delivery": deliveryKey,
      "x-spotter-timestamp": timestamp,
      ...signed,
    },
  };
}

function plain({ destination, version }: Letter, body: unknown): Message {
  return {
    url: destination.url,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "user-agent": `Spotter/${version}`,
    },
    body: JSON.stringify(body),
  };
}

function said({ alert, event, language, kind }: Letter): string {
  // A program reads English; people read their language.
  const spoken = kind === "webhook" ? "en" : language;
  if (alert === null) return testSentence(spoken);
  const sentence = sentenceOf(alert, spoken);
  if (event !== "alert-recovered") return sentence;
  return spoken === "zh" ? `已恢复：${sentence}` : `Recovered. It was: ${sentence}`;
}

function ruleLine({ alert, language }: Letter): string {
  if (alert === null) return "";
  return language === "zh" ? `规则：${alert.rule_name}` : `Rule: ${alert.rule_name}`;
}

function openWord({ language }: Letter): string {
  return language === "zh" ? "打开训练" : "Open the run";
}

function headingFor({ event, alert, language }: Letter): string {
  return headingOf(event, alert, language);
}

/** Names come from anywhere: they must not call people or become links. */
function slackText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function slackBody(letter: Letter): unknown {
  const link = letter.runUrl === null ? "" : `<${letter.runUrl}|${openWord(letter)}>`;
  const lines = [
    `*${slackText(headingFor(letter)).replaceAll("*", "∗")}*`,
    slackText(said(letter)),
    slackText(ruleLine(letter)),
    link,
  ];
  return { text: lines.filter((line) => line !== "").join("\n") };
}

function feishuBody(letter: Letter): unknown {
  const { destination, language, runUrl, now } = letter;
  const lines = [said(letter), ruleLine(letter)].filter((line) => line !== "");
  const content: object[][] = lines.map((text) => [{ tag: "text", text }]);
  if (runUrl !== null) content.push([{ tag: "a", text: openWord(letter), href: runUrl }]);
  const timestamp = String(Math.floor(now));
  const locale = language === "zh" ? "zh_cn" : "en_us";
  return {
    ...(destination.secret === null
      ? {}
      : { timestamp, sign: feishuSignature(destination.secret, timestamp) }),
    msg_type: "post",
    content: { post: { [locale]: { title: headingFor(letter), content } } },
  };
}

const HARMLESS: Readonly<Record<string, string>> = {
  "[": "［",
  "]": "］",
  "<": "＜",
  ">": "＞",
  "*": "∗",
  "`": "ˋ",
  "#": "＃",
  "@": "＠",
};
/** DingTalk shows escapes as they are, so what would be a link, a picture or a call becomes a look-alike. */
function markdownText(text: string): string {
  return text.replace(/[[\]<>*`#@]/g, (character) => HARMLESS[character] ?? character);
}

function dingtalk(letter: Letter): Message {
  const { destination, runUrl, now } = letter;
  const link = runUrl === null ? "" : `[${openWord(letter)}](${runUrl})`;
  const lines = [
    `#### ${markdownText(headingFor(letter))}`,
    markdownText(said(letter)),
    markdownText(ruleLine(letter)),
    link,
  ];
  const message = plain(letter, {
    msgtype: "markdown",
    markdown: {
      title: headingFor(letter),
      text: lines.filter((line) => line !== "").join("\n\n"),
    },
    at: { isAtAll: false },
  });
  if (destination.secret === null) return message;
  const timestamp = String(Math.floor(now * 1000));
  const url = new URL(destination.url);
  url.searchParams.set("timestamp", timestamp);
  url.searchParams.set("sign", dingtalkSignature(destination.secret, timestamp));
  return { ...message, url: url.href };
}

function parsed(text: string): { code?: unknown; StatusCode?: unknown; errcode?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    // No JSON is no yes.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
