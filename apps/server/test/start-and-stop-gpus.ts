// A program for the test of the GPU watch: stops it in the moment in which it was started, and tells that it lives.
import { GpuWatch } from "../src/domains/system/gpus.ts";

const watch = new GpuWatch();
watch.start();
watch.stop();
process.stdout.write("alive");
