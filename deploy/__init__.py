"""What runs Rankside and the engines it needs: here, the nodes of `rankside engine`."""
