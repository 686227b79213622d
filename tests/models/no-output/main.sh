echo "Only words today." > "$DROPCAST_OUTPUT_DIR/words.md"
