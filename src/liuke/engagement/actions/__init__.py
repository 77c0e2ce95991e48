"""What can be done here, one verb a file: `plans`, `runs`, `policy`, `decide`, `claim`, `send`, `calls` and so on."""
