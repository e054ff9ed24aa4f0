"""The domain: masks, the document and the decisions over them. No Qt, no torch, no files."""
