"""What this machine is and has: cards, memory, disks, compilers, whose it is."""
