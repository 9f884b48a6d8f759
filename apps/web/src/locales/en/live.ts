// Words of the live connection.
export default {
  connecting: { word: "connecting", sentence: "Connecting to the live stream." },
  live: { word: "live", sentence: "Live: everything is shown as it happens." },
  reconnecting: {
    word: "live paused, data safe",
    sentence: "Live is paused while the connection heals; your data is safe. Click to try now.",
  },
  polling: {
    word: "asking every 2 s",
    sentence:
      "Live streams are blocked on the way; this page asks every 2 seconds instead. Click to try again.",
  },
  offline: {
    word: "server out of reach",
    sentence: "The server cannot be reached. Training goes on without it. Click to try now.",
  },
  "signed-out": { word: "signed out", sentence: "Your session has ended; sign in again." },
};
