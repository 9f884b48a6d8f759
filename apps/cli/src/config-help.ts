// What `train <recipe> --help` says of the recipe's settings: each key with its default and what it is for.
import { RecipeName, recipes } from "@spotter/contract";
import { z } from "zod";

interface Field {
  readonly default?: unknown;
  readonly description?: string;
  readonly description_zh?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly anyOf?: readonly Field[];
}

/** Empty where no recipe, or none that there is, was named. */
export function describeSettings(
  recipe: string | undefined,
  t: (english: string, chinese: string) => string,
): string {
  const known = RecipeName.safeParse(recipe);
  if (!known.success) return "";
  const schema = z.toJSONSchema(recipes[known.data].config, { io: "input" });
  const fields = Object.entries((schema.properties ?? {}) as Record<string, Field>);
  const lines = fields.map(([key, field]) => {
    const standard = field.default ?? null;
    const shown = standard === null ? "" : ` = ${JSON.stringify(standard)}`;
    const keys = partsOf(field).map((part) => `${key}.${part}`);
    const parts =
      keys.length === 0
        ? ""
        : `\n      ${t("one of", "任选其一")}${t(": ", "：")}${keys.join(", ")}`;
    return `  ${key}${shown}\n      ${t(field.description ?? "", field.description_zh ?? "")}${parts}`;
  });
  const title = t(`Settings of ${known.data} and their defaults`, `${known.data} 的设置及默认值`);
  return `\n${title}${t(":", "：")}\n${lines.join("\n")}\n`;
}

/** What a source may be named by: `path`, `dataset_version`, ...; none for a field of another kind. */
function partsOf(field: Field): string[] {
  const own = Object.keys(field.properties ?? {});
  return [...new Set([...own, ...(field.anyOf ?? []).flatMap(partsOf)])];
}
