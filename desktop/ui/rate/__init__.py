"""What a host costs, typed once."""
