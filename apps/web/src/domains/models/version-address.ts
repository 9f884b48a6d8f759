// Where a version's page is.

/** @example addressOf({ model_id: 8, version: 4 }) // "/models/8/v/4/card" */
export function addressOf(version: { model_id: number; version: number }): string {
  return `/models/${version.model_id}/v/${version.version}/card`;
}
