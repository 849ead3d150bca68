"""The start sheet: from nothing to ready, as people understand it."""
