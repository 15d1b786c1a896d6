"""Local catalogues: tables brought into order on the sky, and cone searches in them for a whole batch at once."""
