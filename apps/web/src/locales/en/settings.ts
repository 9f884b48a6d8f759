// Words of the settings.
export default {
  title: "Settings",
  pages: {
    account: "Account",
    people: "People",
    tokens: "Access tokens",
    system: "System",
    audit: "Audit log",
  },
};
