"""What VISOR says of a mask besides its pixels: class, exhaustiveness, contacts, gloves, order."""
