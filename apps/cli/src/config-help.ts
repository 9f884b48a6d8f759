// What `train <recipe> --help` says of the recipe's settings: each key with its default and what it is for.
import { RecipeName, recipes } from "@spotter/contract";
import { z } from "zod";

interface Field {
  readonly default?: unknown;
  readonly description?: string;
  readonly description_zh?: string;
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
    return `  ${key}${shown}\n      ${t(field.description ?? "", field.description_zh ?? "")}`;
  });
  const title = t(`Settings of ${known.data} and their defaults`, `${known.data} 的设置及默认值`);
  return `\n${title}${t(":", "：")}\n${lines.join("\n")}\n`;
}
