"""What differs between operating systems: keyring, single instance, notifications."""
