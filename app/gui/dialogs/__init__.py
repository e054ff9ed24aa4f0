"""The dialogs: a question, an answer. What an answer leads to is decided elsewhere."""
