#!/bin/sh
# Counts visits. The count survives deployments: it is not beside the script.
echo x >>"$GATEHOUSE_DATA/visits"
echo "Content-Type: text/plain"
echo
echo "visit $(wc -l <"$GATEHOUSE_DATA/visits") of $SCRIPT_NAME"
