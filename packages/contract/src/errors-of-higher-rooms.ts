// Rows of the table of error codes: what the rooms above the runs refuse, in the order of their storeys.

export const higherRooms = {
  "model-not-found": { status: 404, domain: "models", sentence: "There is no such model." },
  "model-version-not-found": {
    status: 404,
    domain: "models",
    sentence: "There is no such model version.",
  },
  "model-name-taken": {
    status: 409,
    domain: "models",
    sentence: "A model with this name exists already in the project.",
  },
  "model-version-not-ready": {
    status: 409,
    domain: "models",
    sentence: "The version's weights are not stored; `storage` says whether they still will be.",
  },
  "model-version-in-production": {
    status: 409,
    domain: "models",
    sentence: "The version is in production; put another there first, or take it out.",
  },
  "no-earlier-production": {
    status: 409,
    domain: "models",
    sentence: "No other version of this model was in production before.",
  },

  "metric-not-found": { status: 404, domain: "metrics", sentence: "The run has no such metric." },
  "columns-uneven": {
    status: 400,
    domain: "metrics",
    sentence: "The columns step, time and value of a series differ in length.",
  },
  "position-unknown": {
    status: 400,
    domain: "metrics",
    sentence: "The stream position is not one that this server gave out.",
  },
  "too-many-streams": {
    status: 429,
    domain: "metrics",
    sentence: "This account has too many open streams.",
  },

  "comparison-not-found": {
    status: 404,
    domain: "comparisons",
    sentence: "There is no such saved comparison.",
  },
  "alert-rule-not-found": {
    status: 404,
    domain: "alerts",
    sentence: "There is no such alert rule.",
  },
  "alert-target-not-found": {
    status: 404,
    domain: "alerts",
    sentence: "There is no such alert target in the project.",
  },
  "alert-delivery-not-found": {
    status: 404,
    domain: "alerts",
    sentence: "There is no such delivery.",
  },
  "alert-address-refused": {
    status: 400,
    domain: "alerts",
    sentence:
      "Alerts are not sent to private, loopback or link-local addresses. Where they should be, the server's administrator sets SPOTTER_ALERT_PRIVATE_TARGETS=allow and restarts the server.",
  },
  "alert-target-unfit": {
    status: 409,
    domain: "alerts",
    sentence: "The target is removed, or its kind does not allow this.",
  },
  "alert-delivery-waiting": {
    status: 409,
    domain: "alerts",
    sentence: "The delivery is still being tried; it needs no other push.",
  },

  "folder-not-found": {
    status: 404,
    domain: "compat",
    sentence: "This TensorBoard folder is not being followed.",
  },
  "folder-taken": {
    status: 409,
    domain: "compat",
    sentence: "This folder is being followed already.",
  },
} as const;
