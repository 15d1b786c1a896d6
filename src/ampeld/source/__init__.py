"""Where records come from: Kafka, files, directories and archives, all with the same coordinates and records."""
