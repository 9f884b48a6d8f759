// The failures of the alerts room.
import { SpotterError } from "../../platform/errors.ts";

export const ruleNotFound = () => new SpotterError("alert-rule-not-found");
export const targetNotFound = (id?: number) =>
  new SpotterError(
    "alert-target-not-found",
    id === undefined ? undefined : `The project has no alert target ${id}.`,
  );
export const deliveryNotFound = () => new SpotterError("alert-delivery-not-found");
export const addressRefused = () => new SpotterError("alert-address-refused");
export const targetUnfit = (message: string) => new SpotterError("alert-target-unfit", message);
export const deliveryWaiting = () => new SpotterError("alert-delivery-waiting");
