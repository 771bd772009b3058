"""What runs inside the sandbox: the fork server, its supervisors, the student's process and the checker's."""
