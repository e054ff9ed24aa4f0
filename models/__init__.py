"""The video and image models; torch lives here and only here."""
