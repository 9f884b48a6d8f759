// Sentences with places: recognised by their form, so that another language can say them with the same values.

export interface Recognised {
  key: string;
  values: Record<string, string>;
}

/** The first row whose sentence this is, with what stands at its places; null for a sentence that is not there. */
export function recognise(
  text: string,
  table: Readonly<Record<string, string>>,
): Recognised | null {
  for (const [key, template] of Object.entries(table)) {
    const match = patternOf(template).exec(text);
    if (match !== null) return { key, values: { ...match.groups } };
  }
  return null;
}

/** A sentence with its `{places}` filled in. */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}

const patterns = new Map<string, RegExp>();
function patternOf(template: string): RegExp {
  const known = patterns.get(template);
  if (known !== undefined) return known;
  const source = template.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{(\w+)\}/g, "(?<$1>.+?)");
  const made = new RegExp(`^${source}$`, "su");
  patterns.set(template, made);
  return made;
}
