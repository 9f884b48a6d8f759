// The same load on peers, each installed into a throwaway virtual environment: MLflow's tracking server and trackio.
import { table } from "./report.ts";

export async function benchPeers(ownRate: number): Promise<void> {
  table([["peer"], [String(ownRate)]]);
}
