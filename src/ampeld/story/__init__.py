"""What happened to an object, told from what is kept of it: as data, in sentences, as a figure and a page."""
