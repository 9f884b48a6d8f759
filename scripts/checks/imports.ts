// Reads which file imports which, for TypeScript, JavaScript and Vue; type-only and lazy imports count.
import path from "node:path";
import ts from "typescript";
import type { SourceFile } from "./source-files.ts";

export interface Import {
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** The project's file that it names; undefined for packages from npm and Node itself. */
  readonly to: string | undefined;
}

const workspaces: Record<string, string> = {
  "@spotter/contract": "packages/contract/src/index.ts",
  "@spotter/client": "packages/client/src/index.ts",
  "@spotter/tfevents": "packages/tfevents/src/index.ts",
};

export function readImports(files: readonly SourceFile[]): Import[] {
  const known = new Set(files.map((file) => file.path));
  return files.flatMap((file) =>
    specifiersOf(file).map((specifier) => ({
      from: file.path,
      specifier,
      to: resolve(file.path, specifier, known),
    })),
  );
}

function specifiersOf(file: SourceFile): string[] {
  const text = file.path.endsWith(".vue") ? scriptsOf(file.text) : file.text;
  return ts.preProcessFile(text, true, true).importedFiles.map((found) => found.fileName);
}

function scriptsOf(vue: string): string {
  return [...vue.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)]
    .map(([, body]) => body)
    .join("\n");
}

function resolve(from: string, specifier: string, known: Set<string>): string | undefined {
  if (workspaces[specifier] !== undefined) return workspaces[specifier];
  const bare = specifier.replace(/\?.*$/, "");
  const target = bare.startsWith("@/")
    ? `apps/web/src/${bare.slice(2)}`
    : bare.startsWith(".")
      ? path.posix.normalize(path.posix.join(path.posix.dirname(from), bare))
      : undefined;
  if (target === undefined) return undefined;
  const endings = ["", ".ts", ".vue", "/index.ts"];
  return (
    endings.map((ending) => target + ending).find((candidate) => known.has(candidate)) ?? target
  );
}
