"""What can be done here, one verb a file. Nothing is gathered: a process that counts orders need not load numpy."""
