"""Records on their way: from the source file, through messages, to typed rows."""
