"""A real feature store on loopback; its definitions and the counts they read are its own."""
