"""`make torture`: kills, full disks and broken stores under load; what was acknowledged must be there, once."""
