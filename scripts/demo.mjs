// `npm run demo`: sets everything up, trains a real classifier on real images, and shows what came of it.
import "./require-node.cjs";
import { runDemo } from "./demo/demo.mjs";

await runDemo(process.argv.slice(2));
