"""An application with an administration of its own, and support that sees what a customer sees."""
