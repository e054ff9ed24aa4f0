"""How long a test waits for what must come."""

# In seconds: nearly as long as the suite lets a test run, so that no test depends on how quick the
# machine is, and what never comes is still said by the test that waits for it.
PATIENCE = 200.0
