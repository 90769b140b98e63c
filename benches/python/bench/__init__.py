"""The benchmark of Duramen beside Python's own logging and other packages; ``make bench`` runs it."""
