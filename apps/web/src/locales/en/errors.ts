// Sentences of error codes. The server's own sentence is shown in English; these stand in where it sends none.
import { errorTable } from "@spotter/contract";

const sentences: Record<string, string> = {
  unreachable: "The server does not answer.",
  "unexpected-answer": "Something on the way answered instead of the server.",
  "page-error": "Something on this page went wrong.",
  field: "{path}: {message}",
};
for (const [code, row] of Object.entries(errorTable)) sentences[code] = literal(row.sentence);

export default sentences;

/** The words' own syntax uses these characters. */
function literal(sentence: string): string {
  return sentence.replace(/[{}@|$]/g, (character) => `{'${character}'}`);
}
