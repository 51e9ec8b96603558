"""Generated projects that somebody might write by mistake or to do harm; a seed gives the same project each time."""
