"""What knows objects as wholes: their summaries, and the queries that read them."""
