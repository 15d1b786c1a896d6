"""What an alert is: its container, schema, columns, points and identities. Pure: no loop, no clock, no server."""
