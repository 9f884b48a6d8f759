// The languages that the contract's own sentences come in.

export type WordsLanguage = "en" | "zh";
