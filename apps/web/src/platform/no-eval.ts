// Imported first by workers (pages have public/no-eval.js): zod would compile its parsers with `new Function`, which the server's content policy
// forbids and the browser reports as an error on every page.
import { config } from "zod";

config({ jitless: true });
