// Before every module: zod would compile its parsers with `new Function` as soon as a schema is made, which the server's
// content policy forbids and the browser reports as an error on every page. Bundling may order modules as it likes, so
// an import cannot be relied on to come first; this is zod's own place for settings made before it is loaded.
globalThis.__zod_globalConfig = { jitless: true };
