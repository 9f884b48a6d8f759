// Reads CSV and TSV, line by line, the way the worker does: quotes as in RFC 4180, and strict about them.

const MAX_FIELD = 16 * 1024 * 1024;

/** A quote that is wrong; the row is where the reader stood. */
export class CsvProblem extends Error {}

export class CsvRows {
  readonly #separator: string;
  #fields: string[] = [];
  #field = "";
  #state: "start" | "plain" | "quoted" | "quote" = "start";

  constructor(separator: string) {
    this.#separator = separator;
  }

  /** @returns the row that ends with this line, or null when a quoted field goes on with the next. @throws CsvProblem */
  line(text: string): string[] | null {
    for (const character of text) this.#take(character);
    if (this.#state === "quoted") {
      this.#add("\n");
      return null;
    }
    const row = [...this.#fields, this.#field];
    this.#fields = [];
    this.#field = "";
    this.#state = "start";
    return row;
  }

  /** Whether the file ended inside quotes. */
  get isOpen(): boolean {
    return this.#state === "quoted";
  }

  #take(character: string): void {
    if (this.#state === "quoted") {
      if (character === '"') this.#state = "quote";
      else this.#add(character);
    } else if (character === this.#separator) {
      this.#fields.push(this.#field);
      this.#field = "";
      this.#state = "start";
    } else if (character === '"' && this.#state === "start") this.#state = "quoted";
    else if (this.#state === "quote") {
      if (character !== '"')
        throw new CsvProblem("has text behind a closing quote; write a quote inside quotes twice");
      this.#add('"');
      this.#state = "quoted";
    } else {
      this.#add(character);
      this.#state = "plain";
    }
  }

  #add(character: string): void {
    this.#field += character;
    if (this.#field.length > MAX_FIELD)
      throw new CsvProblem("has a field of more than 16 MB; is a quote never closed?");
  }
}
