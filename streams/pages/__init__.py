"""How reports are drawn as pages: one HTML file each, without script or anything from elsewhere."""
