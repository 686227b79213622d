# The shell itself must not outlive a stop.
exec sleep 100000
