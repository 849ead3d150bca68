"""The loopback host, hub and model behind `paperkite rehearse`."""
