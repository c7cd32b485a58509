"""The campaign of faults: kills, bombs, crowds and full disks, against the app as it is served."""
