// Words of the form of a new training.
export default { title: "New training" };
