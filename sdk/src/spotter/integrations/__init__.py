"""Callbacks for the libraries that people train with; each loads its library only when it is imported itself."""
