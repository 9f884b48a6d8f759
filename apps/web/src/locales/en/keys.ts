// Words of the keyboard's help.
export default {
  everywhere: "Everywhere",
  go: "Go to",
  list: "In the list",
  palette: "Command palette",
  help: "This help",
  rail: "Collapse or expand the rail",
  newTraining: "New training",
  filter: "Filter",
  down: "Next row",
  up: "Previous row",
  select: "Select the row",
  compare: "Compare the selected runs",
  open: "Open the row",
  clear: "Clear the selection",
};
